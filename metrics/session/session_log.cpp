#include "metrics/session/session_log.h"

#include <algorithm>

namespace tracebench {

void SessionLog::add(const PacketView& packet, const Headers& headers,
                     const std::optional<FlowTable::Placed>& placed) {
    PacketRecord record{packet.time_ns, packet.original_length, headers.payload_length(), no_flow,
                        Direction::forward};
    if (placed) {
        record.flow = static_cast<std::uint32_t>(std::min<std::uint64_t>(placed->flow, no_flow));
        record.direction = placed->direction;
    }
    packets.push_back(record);
}

void SessionLog::end(const Flow& flow) {
    if (flow.number >= flows.size()) flows.resize(flow.number + 1);
    flows[flow.number] = flow;
}

SessionLog session_log(const Trace& trace) {
    SessionLog log;
    FlowTable table({}, [&log](const Flow& flow) { log.end(flow); });
    for (const PacketView& packet : trace.packets) {
        const Headers headers = dissect(packet);
        const auto placed = table.add(packet, headers);
        log.add(packet, headers, placed);
    }
    table.finish();
    return log;
}

}  // namespace tracebench
