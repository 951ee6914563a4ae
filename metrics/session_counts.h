#pragma once
/// A rate as two counts of every session, so that sessions can be resampled.

#include <cstddef>
#include <limits>
#include <span>
#include <vector>

namespace tracebench {

struct SessionCounts {
    std::vector<double> part, whole;  ///< one a session

    /// NaN where nothing was counted in.
    double rate(std::span<const double> weights) const {
        double parts = 0, wholes = 0;
        for (std::size_t s = 0; s < whole.size(); ++s) {
            parts += weights[s] * part[s];
            wholes += weights[s] * whole[s];
        }
        return wholes > 0 ? parts / wholes : std::numeric_limits<double>::quiet_NaN();
    }
    double rate() const { return rate(std::vector<double>(whole.size(), 1.0)); }
    std::size_t total() const {
        double sum = 0;
        for (const double value : whole) sum += value;
        return static_cast<std::size_t>(sum);
    }
    void append(const SessionCounts& other) {
        part.insert(part.end(), other.part.begin(), other.part.end());
        whole.insert(whole.end(), other.whole.begin(), other.whole.end());
    }
};

}  // namespace tracebench
