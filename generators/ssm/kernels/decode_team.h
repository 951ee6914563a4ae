#pragma once
/// How many threads a step is worth, by trying.

#include <algorithm>

namespace tracebench::ssm::decode {

/// Either one thread or all. All is faster where the model is large and the machine idle; but threads that
/// meet at every product lose whole time slices where another program has their processor, and on small
/// models the meetings can cost more than they give. So both are timed, again and again, the less often the
/// longer the choice stands. Results do not depend on it.
class TeamChooser {
  public:
    explicit TeamChooser(int threads) : threads_(threads) {}

    /// Threads of the next step.
    int team() const { return all_ ? threads_ : 1; }

    /// What that step took, for how many rows.
    void report(double seconds, double rows) {
        if (threads_ == 1) return;
        const double each = seconds / rows;
        if (trial_ > 0) {
            total_ += each;
            ++tried_;
            --trial_;
            // One very slow step is enough.
            if (trial_ == 0 || each > 4 * usual_) end_trial(total_ / tried_);
            return;
        }
        usual_ = usual_ > 0 ? usual_ + (each - usual_) / trial_steps : each;
        remaining_ -= seconds;
        // At once where it has become slower than the other was.
        if (remaining_ <= 0 || (rejected_ > 0 && usual_ > 1.5 * rejected_)) begin_trial();
    }

  private:
    static constexpr int trial_steps = 8;
    static constexpr double first_interval = 0.01, longest_interval = 4;  // seconds

    void begin_trial() {
        all_ = !all_;
        trial_ = trial_steps;
        tried_ = 0;
        total_ = 0;
    }
    void end_trial(double other) {
        trial_ = 0;
        if (other < 0.95 * usual_) {
            rejected_ = usual_;
            usual_ = other;
            interval_ = first_interval;
        } else {
            all_ = !all_;
            rejected_ = other;
            interval_ = std::min(2 * interval_, longest_interval);
        }
        remaining_ = interval_;
    }

    int threads_;
    bool all_ = true;
    double usual_ = 0;     ///< seconds a row, smoothed, of the choice
    double rejected_ = 0;  ///< mean of the other when it was tried last; 0: not yet
    double total_ = 0;     ///< of the trial under way
    int trial_ = 0, tried_ = 0;
    double interval_ = first_interval, remaining_ = first_interval;
};

}  // namespace tracebench::ssm::decode
