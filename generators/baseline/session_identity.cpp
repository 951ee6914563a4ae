#include "generators/baseline/session_identity.h"

#include <algorithm>

#include "traffic/headers.h"

namespace tracebench {
namespace {

constexpr std::uint16_t first_unprivileged_port = 1024, first_ephemeral_port = 32768;

}  // namespace

std::optional<Direction> client_side(const Endpoint& src, const Endpoint& dst) {
    if (src.port == dst.port) return std::nullopt;
    const bool src_service = src.port < first_unprivileged_port,
               dst_service = dst.port < first_unprivileged_port;
    if (src_service && dst_service) return std::nullopt;
    if (src_service != dst_service) return src_service ? Direction::reverse : Direction::forward;
    return src.port < first_ephemeral_port && dst.port >= first_ephemeral_port ? Direction::reverse
                                                                               : Direction::forward;
}

void SessionIdentity::note_flow(const PacketFlow& flow, std::set<FlowKey>& seen,
                                std::set<ProtocolEndpoint>& clients, std::set<ProtocolEndpoint>& servers) {
    const FlowKey& key = flow.key;
    if (!flow.ok || (key.protocol != ip_protocol::tcp && key.protocol != ip_protocol::udp)) return;
    if (key.low.port == 0 && key.high.port == 0) return;  // fragments after the first
    if (!seen.insert(key).second) return;
    const Endpoint &src = flow.from_high ? key.high : key.low, &dst = flow.from_high ? key.low : key.high;
    const std::optional<Direction> client = client_side(src, dst);
    (client == Direction::forward ? clients : servers).emplace(key.protocol, src);
    (client == Direction::reverse ? clients : servers).emplace(key.protocol, dst);
}

SessionIdentity::SessionIdentity(const Trace& session, Random& random) : random_(random), addresses_(random) {
    std::set<FlowKey> seen;
    std::set<ProtocolEndpoint> clients, servers;
    for (const PacketView& packet : session.packets) {
        const Headers outer = dissect(packet);
        if (!outer.has_ip()) continue;
        note_flow(flow_of(outer), seen, clients, servers);
        const Headers inner = dissect(packet, Tunnels::innermost);
        if (inner.ip_offset != outer.ip_offset) note_flow(flow_of(inner), seen, clients, servers);
    }
    for (const ProtocolEndpoint& client : clients)
        if (!servers.contains(client)) ports_[client] = 0;  // drawn when first needed
}

std::uint16_t SessionIdentity::port(std::uint8_t protocol, const Endpoint& original) {
    const auto known = ports_.find({protocol, original});
    if (known == ports_.end()) return original.port;
    if (known->second != 0) return known->second;
    Endpoint fresh{address(original.address), 0};
    for (int draw = 0; draw < 64; ++draw) {
        fresh.port = random_port_like(original.port, random_);
        if (taken_ports_.emplace(protocol, fresh).second) break;
    }
    return known->second = fresh.port;
}

}  // namespace tracebench
