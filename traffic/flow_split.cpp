#include "traffic/flow_split.h"

namespace tracebench {

std::vector<FlowPackets> split_flows(const Trace& trace, const FlowOptions& options) {
    std::vector<FlowPackets> flows;
    const auto at = [&flows](std::uint64_t number) -> FlowPackets& {
        if (number >= flows.size()) flows.resize(number + 1);
        return flows[number];
    };
    FlowTable table(options, [&](const Flow& flow) { at(flow.number).flow = flow; });
    for (std::size_t i = 0; i < trace.packets.size(); ++i) {
        const auto placed = table.add(trace.packets[i], dissect(trace.packets[i]));
        if (!placed) continue;
        FlowPackets& flow = at(placed->flow);
        flow.packets.push_back(static_cast<std::uint32_t>(i));
        flow.directions.push_back(placed->direction);
    }
    table.finish();
    return flows;
}

}  // namespace tracebench
