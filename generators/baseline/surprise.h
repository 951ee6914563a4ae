#pragma once
/// What an event costs under a distribution that was counted.

#include <cmath>
#include <cstdint>

namespace tracebench {

/// Negative log-probability, in nats, of something counted `count` times among `total`: count / (total + 1).
/// One count is kept for all that was never seen, shared evenly by `alternatives` (at least 1).
inline double surprise(std::uint64_t count, std::uint64_t total, double alternatives) {
    const double share = count > 0 ? static_cast<double>(count) : 1 / alternatives;
    return std::log(static_cast<double>(total) + 1) - std::log(share);
}

}  // namespace tracebench
