#pragma once
/// When a flow sends and when it is silent, in constant space.

#include <algorithm>
#include <cstdint>

namespace tracebench {

/// Bursts are runs of packets with no more than `max_gap_s` between neighbours.
class Bursts {
  public:
    static constexpr double max_gap_s = 0.1;

    /// Seconds since the packet before; not for the first packet. What is below zero counts as none.
    void add_gap(double seconds) {
        ++gaps_;
        seconds = std::max(seconds, 0.0);
        total_s_ += seconds;
        longest_s_ = std::max(longest_s_, seconds);
        if (seconds <= max_gap_s)
            active_s_ += seconds;
        else
            ++bursts_;
    }
    /// Mean packets of a burst, at least 1.
    double packets() const { return static_cast<double>(gaps_ + 1) / static_cast<double>(bursts_); }
    double longest_gap_s() const { return longest_s_; }
    /// Share of the time that lies within bursts, 0..1. Needs a duration.
    double active_share() const { return std::min(1.0, active_s_ / total_s_); }
    bool has_duration() const { return total_s_ > 0; }

  private:
    std::uint64_t gaps_ = 0, bursts_ = 1;
    double total_s_ = 0, active_s_ = 0, longest_s_ = 0;
};

}  // namespace tracebench
