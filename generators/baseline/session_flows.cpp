#include "generators/baseline/session_flows.h"

#include <algorithm>
#include <map>
#include <optional>

#include "traffic/bytes.h"

namespace tracebench {
namespace {

/// The address that takes part in most flows, of either IP version; the first sender on a tie.
std::optional<IpAddress> busiest(const std::vector<FlowPackets>& flows, std::uint8_t version) {
    std::map<IpAddress, std::size_t> counts;
    std::optional<IpAddress> best;
    for (const FlowPackets& flow : flows) {
        if (flow.flow.src.address.version != version) continue;
        ++counts[flow.flow.src.address];
        ++counts[flow.flow.dst.address];
        if (!best) best = flow.flow.src.address;
    }
    for (const auto& [address, count] : counts)
        if (count > counts[*best]) best = address;
    return best;
}

std::vector<ChainPacket> chain_packets(const Trace& trace, const FlowPackets& flow) {
    std::vector<ChainPacket> packets;
    for (std::size_t i = 0; i < flow.packets.size(); ++i) {
        const PacketView& packet = trace.packets[flow.packets[i]];
        const Headers headers = dissect(packet);
        std::uint16_t flags = 0;
        if (headers.has_tcp())
            flags = headers.tcp()[13];
        else if (headers.has_icmp() || headers.has_icmpv6())
            flags = load16(headers.transport());
        else if (!headers.has_udp())
            continue;
        const std::uint32_t payload = std::min<std::uint32_t>(headers.payload_length(), 65535);
        packets.push_back({flow.directions[i], flags, payload, packet.time_ns - flow.flow.first_ns});
    }
    return packets;
}

}  // namespace

std::uint64_t start_gap(const SessionFlow& before, const SessionFlow& flow) {
    return static_cast<std::uint64_t>(
        std::clamp<std::int64_t>(flow.start_ns - before.start_ns, 0, max_start_gap_ns - 1));
}

std::vector<SessionFlow> session_flows(const Trace& session) {
    const std::vector<FlowPackets> flows = split_flows(session);
    const std::optional<IpAddress> clients[] = {busiest(flows, 4), busiest(flows, 6)};
    std::vector<SessionFlow> result;
    for (const FlowPackets& flow : flows) {
        const auto& client = clients[flow.flow.src.address.version == 4 ? 0 : 1];
        auto kind = learn_flow_kind(session, flow, *client);
        std::vector<ChainPacket> packets = chain_packets(session, flow);
        if (!kind || packets.empty()) continue;
        result.push_back({std::move(*kind), std::move(packets), flow.flow.first_ns});
    }
    return result;
}

}  // namespace tracebench
