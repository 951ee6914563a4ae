#pragma once
/// How the packets of a session's flows take turns.

#include <cstdint>
#include <optional>
#include <span>

#include "metrics/session/session_log.h"

namespace tracebench {

/// Entropy of the next packet's flow where the flow of the packet before it is known, in bits: H(X_(t+1) |
/// X_t) from the relative frequencies of flows and of pairs of flows (Cover and Thomas, "Elements of
/// Information Theory", section 2.2). 0 where flows never take turns, at most log2 of their number. Nothing
/// with fewer than two flows.
std::optional<double> interleaving_entropy(const SessionLog& log);

/// Share of the bytes that the largest flow has, 0..1. Nothing without flows or bytes.
std::optional<double> largest_flow_share(std::span<const Flow> flows);

}  // namespace tracebench
