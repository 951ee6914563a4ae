#pragma once
/// A trace as its flows, with the packets of each: what feature extraction and generators work on.

#include <cstdint>
#include <vector>

#include "traffic/flow_table.h"
#include "traffic/trace.h"

namespace tracebench {

struct FlowPackets {
    Flow flow;
    std::vector<std::uint32_t> packets;  ///< indices into Trace::packets, in time order
    std::vector<Direction> directions;   ///< one a packet
};

/// In order of first packets. Packets without IP are in none.
std::vector<FlowPackets> split_flows(const Trace& trace, const FlowOptions& options = {});

}  // namespace tracebench
