#include "traffic/rules/rule_packet.h"

#include <algorithm>

#include "traffic/link_layer.h"
#include "traffic/rules/application.h"

namespace tracebench {
namespace {

constexpr std::uint32_t none = Headers::none;

void read_network(RulePacket& p) {
    const Headers& h = p.headers;
    if (h.ethertype == ether_type::arp) {
        Headers link = h;
        p.network = find_network_header(p.packet.link, link);
        p.network_layer = RuleLayer::arp;
        p.network_state =
            p.network != none && p.captured(p.network, 8) ? LayerState::readable : LayerState::broken;
        return;
    }
    if (h.ethertype != ether_type::ipv4 && h.ethertype != ether_type::ipv6) return;
    const bool v6 = h.ethertype == ether_type::ipv6;
    p.network = h.ip_offset;
    p.network_layer = v6 ? RuleLayer::ipv6 : RuleLayer::ipv4;
    p.network_state = h.ip_version == (v6 ? 6 : 4) ? LayerState::readable : LayerState::broken;
}

/// Where the transport header stands or should stand; none where that is unknown or it is in an earlier
/// fragment.
std::uint32_t transport_offset(const RulePacket& p) {
    const Headers& h = p.headers;
    if (h.transport_offset != none) return h.transport_offset;
    if (h.fragment_offset != 0) return none;
    if (h.ip_version == 4) return h.ip_header_length >= 20 ? h.ip_offset + h.ip_header_length : none;
    return h.ip_offset + h.ip_header_length;
}

void read_transport(RulePacket& p) {
    const Headers& h = p.headers;
    std::uint32_t fixed = 8;
    if (h.protocol == ip_protocol::tcp) {
        p.transport_layer = RuleLayer::tcp;
        fixed = 20;
    } else if (h.protocol == ip_protocol::udp) {
        p.transport_layer = RuleLayer::udp;
    } else if (h.protocol == ip_protocol::icmp && h.ip_version == 4) {
        p.transport_layer = RuleLayer::icmp;
    } else if (h.protocol == ip_protocol::icmpv6 && h.ip_version == 6) {
        p.transport_layer = RuleLayer::icmpv6;
    } else {
        return;
    }
    if (h.fragment_offset != 0) return;
    p.transport = transport_offset(p);
    const bool readable =
        p.transport != none && p.captured(p.transport, fixed) && p.segment_length() >= fixed;
    p.transport_state = readable ? LayerState::readable : LayerState::broken;
}

}  // namespace

RulePacket read_rule_packet(const PacketView& packet) {
    RulePacket p;
    p.packet = packet;
    p.headers = dissect(packet);
    p.wire_end = std::clamp(packet.original_length, p.headers.captured, none / 2);
    if (packet.link == link_type::ethernet)
        p.link_state = p.headers.captured >= 14 ? LayerState::readable : LayerState::broken;
    read_network(p);
    if (p.network_state != LayerState::readable || p.network_layer == RuleLayer::arp) return p;
    p.end = std::min(p.headers.ip_end, p.wire_end);
    read_transport(p);
    find_application(p);
    return p;
}

}  // namespace tracebench
