#include "metrics/consistency/biflow.h"

namespace tracebench {
namespace {

void add_packet(Biflow& record, const Headers& headers, std::size_t direction, bool first) {
    ++record.packets[direction];
    record.octets[direction] += headers.ip_end - headers.ip_offset;
    record.payload[direction] += headers.payload_length();
    record.fragments |= headers.fragment_offset != 0;
    if (!headers.has_tcp()) return;
    const std::uint8_t flags = headers.tcp()[13];
    record.tcp_flags[direction] |= flags;
    if (first) record.opened = (flags & (tcp_flag::syn | tcp_flag::ack)) == tcp_flag::syn;
}

}  // namespace

std::vector<Biflow> biflows(const Trace& trace) {
    std::vector<Biflow> records;
    for (const FlowPackets& flow : split_flows(trace)) {
        Biflow& record = records.emplace_back();
        record.source = flow.flow.src;
        record.destination = flow.flow.dst;
        record.protocol = flow.flow.key.protocol;
        record.duration_ns = flow.flow.last_ns - flow.flow.first_ns;
        record.handshake = flow.flow.handshake;
        for (std::size_t i = 0; i < flow.packets.size(); ++i)
            add_packet(record, dissect(trace.packets[flow.packets[i]]),
                       static_cast<std::size_t>(flow.directions[i]), i == 0);
    }
    return records;
}

}  // namespace tracebench
