#pragma once
/// Count, extremes, mean and standard deviation of numbers that are seen once and not kept.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

namespace tracebench {

/// Welford's recurrence (Technometrics 4(3), 1962): no loss of digits where the mean is large.
class Moments {
  public:
    void add(double value) {
        ++n_;
        const double step = value - mean_;
        mean_ += step / static_cast<double>(n_);
        squares_ += step * (value - mean_);
        sum_ += value;
        least_ = std::min(least_, value);
        most_ = std::max(most_, value);
    }
    std::uint64_t n() const { return n_; }
    double sum() const { return sum_; }
    /// Of no values: 0.
    double mean() const { return mean_; }
    double min() const { return n_ > 0 ? least_ : 0; }
    double max() const { return n_ > 0 ? most_ : 0; }
    /// n - 1 in the denominator; 0 of fewer than two values.
    double variance() const { return n_ > 1 ? squares_ / static_cast<double>(n_ - 1) : 0; }
    double deviation() const { return std::sqrt(variance()); }

  private:
    std::uint64_t n_ = 0;
    double sum_ = 0, mean_ = 0, squares_ = 0;
    double least_ = std::numeric_limits<double>::infinity(), most_ = -least_;
};

}  // namespace tracebench
