#pragma once
/// Copies of training flows among synthetic ones, and training flows that can be had from them.

#include <cstdint>
#include <unordered_set>
#include <vector>

#include "metrics/privacy/finding.h"
#include "metrics/privacy/flow_selection.h"
#include "metrics/privacy/shared_runs.h"

namespace tracebench {

/// Estimated Jaccard indices from which on two flows are near copies (see minhash.h).
inline constexpr double near_copy = 0.9, similar_flow = 0.7;

/// Of `flows`, those whose sequence of (direction, length, flags) is one of `known`'s. Flows of under
/// min_copy_packets packets are not counted.
SessionShare exact_copies(const Flows& flows, const Flows& known, std::size_t sessions);

/// Of each flow the greatest estimated Jaccard index with any of the other side; 0 where that is empty.
struct BestMatches {
    std::vector<double> left, right;
};
BestMatches best_matches(const Flows& left, const Flows& right);

/// Values:
/// - `privacy.copy_rate`: synthetic flows that are exact copies of training flows.
/// - `privacy.near_copy_rate`, group 0.9 or 0.7: those whose best match among training flows is as good.
/// - `privacy.shared_run`: mean over synthetic flows of the longest run of packets that a training flow has
///   too, over the flow's length.
/// - `privacy.longest_run`: the longest such run, in packets.
/// - `privacy.extracted_flows`, group exact or near: share of training flows of which there is an (exact or
///   near) copy among as many synthetic flows as there are held-out ones.
/// Floors are those of held-out flows in the synthetic ones' place.
/// Details: `extraction`, the shares of training flows extracted from parts of the synthetic flows.
Findings measure_copies(const PrivacyComparison& comparison);

}  // namespace tracebench
