#pragma once
/// Bytes over time: series in equal steps and what is said of them.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "metrics/session/session_log.h"

namespace tracebench {

/// Bytes on the wire in steps of `step_ns` from the first packet's time on, the last step included whole. At
/// most `max_steps`: what comes later is left out. A packet that is older than the first one counts in the
/// first step. Empty for no packets.
std::vector<double> byte_series(std::span<const PacketRecord> packets, std::int64_t step_ns,
                                std::size_t max_steps);

/// Correlation of a series with itself.
struct Autocorrelation {
    double lag1 = 0;            ///< at a distance of one step, -1..1
    std::size_t decay_lag = 0;  ///< the first lag at which it is below 1/e, in steps
};
/// r_k = sum (x_t - m)(x_(t+k) - m) / sum (x_t - m)^2 (Box and Jenkins, "Time Series Analysis", 1970, section
/// 2.1). Nothing for fewer than 20 values, or where all are the same.
std::optional<Autocorrelation> autocorrelation(std::span<const double> series);

/// Mean Pearson correlation, -1..1, of the bytes of each two flows in the steps of `step_ns` in which both
/// are alive, over the eight flows with most packets. Only pairs that share at least ten steps, both with
/// variation, count; nothing where there is none. Later steps than `max_steps` are left out.
std::optional<double> flow_correlation(const SessionLog& log, std::int64_t step_ns, std::size_t max_steps);

}  // namespace tracebench
