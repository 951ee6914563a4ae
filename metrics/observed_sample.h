#pragma once
/// One whole sample taken apart, for what looks at its packets more than once.

#include <cstdint>
#include <span>
#include <vector>

#include "metrics/fields.h"
#include "traffic/flow_split.h"
#include "traffic/headers.h"

namespace tracebench {

struct ObservedSample {
    const Trace& trace;
    std::vector<FlowPackets> flows;  ///< in order of first packets

    explicit ObservedSample(const Trace& observed) : trace(observed), flows(split_flows(observed)) {}
    /// Dissected anew each time, since those of a long capture take more memory than its packets.
    Headers headers(std::size_t packet) const { return dissect(trace.packets[packet]); }
};

/// One flow's values in flow_fields() order; NaN where one is not defined.
std::vector<double> flow_values(const ObservedSample& sample, const FlowPackets& flow);

}  // namespace tracebench
