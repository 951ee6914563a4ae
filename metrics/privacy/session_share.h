#pragma once
/// A share that is counted session by session, so that its interval can be had by resampling sessions.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "metrics/resampling.h"

namespace tracebench {

class SessionShare {
  public:
    explicit SessionShare(std::size_t sessions = 0) : part_(sessions), whole_(sessions) {}

    void add(std::uint32_t session, double part, double whole = 1) {
        part_[session] += part;
        whole_[session] += whole;
    }
    double part() const { return sum(part_); }
    double whole() const { return sum(whole_); }
    /// Part over whole, 0..1. Nothing where the whole is 0: nothing to divide by is no share.
    std::optional<double> rate() const;
    /// The same with each session counted as often as its weight says.
    std::optional<double> rate(std::span<const double> weights) const;

  private:
    static double sum(const std::vector<double>& values);

    std::vector<double> part_, whole_;
};

/// Resamples of the share's sessions, which have these labels, as rates; NaN where a resample has nothing to
/// divide by. Not yet recentred. Empty with fewer than two sessions.
std::vector<double> resampled_rates(const SessionShare& share, std::span<const std::string> labels,
                                    std::uint64_t seed, std::size_t count);

}  // namespace tracebench
