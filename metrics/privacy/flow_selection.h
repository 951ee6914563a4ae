#pragma once
/// Which flows of a side are compared with which of another.

#include <vector>

#include "base/random.h"
#include "metrics/privacy/flow_records.h"

namespace tracebench {

using Flows = std::vector<const FlowRecord*>;

/// Every flow, or those alone that are compared as sequences, in order.
Flows all_flows(const PrivacyView& view);
Flows sequence_flows(const PrivacyView& view);
/// `most` of them at random, in order; all where there are not more.
Flows thinned(const Flows& flows, std::size_t most, Random& random);
/// 0 or 1 for each session at random: halves of every label, which differ by at most one session of each.
std::vector<std::uint8_t> random_halves(const std::vector<std::string>& labels, Random& random);

}  // namespace tracebench
