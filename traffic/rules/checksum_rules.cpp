/// Checksums of IPv4, TCP, UDP, ICMP and ICMPv6.
///
/// Hosts leave transport checksums to their network card; what is captured before the card then holds the sum
/// of the pseudo header alone, not inverted (the partial checksum that Linux, Windows and the BSDs hand to
/// the card). Exactly that value is `offloaded`: the chance that a wrong checksum takes it is 1 in 65536. A
/// zero field is not excused for TCP: nothing tells a card that ignores the field from a generator that never
/// computed it. For the IPv4 header, whose checksum cards fill in while they segment, zero is excused where
/// the transport checksum is partial too.

#include "traffic/checksum.h"
#include "traffic/rules/ipv6_chain.h"
#include "traffic/rules/packet_edit.h"
#include "traffic/rules/rule_groups.h"

namespace tracebench {
namespace {

/// Where the checksum stands in the transport header.
std::uint32_t field_offset(RuleLayer layer) {
    if (layer == RuleLayer::tcp) return 16;
    return layer == RuleLayer::udp ? 6 : 2;
}

/// An unfinished source route: the pseudo header then holds the last hop, not the header's destination. With
/// no segments left the destination is the last hop (RFC 8200 section 8.1).
bool is_source_routed(const RulePacket& p) {
    if (p.network_layer == RuleLayer::ipv6) {
        constexpr std::uint8_t routing = 43, segments_left = 3;
        if (p.headers.ip_header_length == 40) return false;
        for (const Ipv6Chain::Header& header : Ipv6Chain(p).headers)
            if (header.type == routing && p.at(header.offset)[segments_left] != 0) return true;
        return false;
    }
    return p.headers.ip_header_length > 20 && (p.net()[20] == 131 || p.net()[20] == 137);
}

std::uint32_t pseudo_header_sum(const RulePacket& p, std::uint32_t length) {
    const std::uint8_t* const ip = p.net();
    const auto addresses = p.network_layer == RuleLayer::ipv4 ? std::span(ip + 12, 8) : std::span(ip + 8, 32);
    return ones_complement_sum(addresses) + (length >> 16) + (length & 0xFFFF) + p.headers.protocol;
}

/// UDP carries its own length; where that is illegal the checksum cannot be told.
std::uint32_t checked_length(const RulePacket& p) {
    if (p.transport_layer != RuleLayer::udp) return p.segment_length();
    const std::uint32_t own = load16(p.segment() + 4);
    return own >= 8 && own <= p.segment_length() ? own : 0;
}

/// Whether the field holds the folded sum of the pseudo header, as left for the network card.
bool is_partial(const RulePacket& p, std::uint32_t length) {
    const std::uint16_t sum = ones_complement_sum({}, pseudo_header_sum(p, length));
    return load16(p.segment() + field_offset(p.transport_layer)) == sum;
}

Verdict check_transport(const RulePacket& p) {
    if (p.headers.is_fragment() || is_source_routed(p)) return Verdict::not_checkable;
    const std::uint32_t length = checked_length(p);
    if (length == 0 || !p.captured(p.transport, length)) return Verdict::not_checkable;
    const bool pseudo = p.transport_layer != RuleLayer::icmp;
    const std::uint32_t initial = pseudo ? pseudo_header_sum(p, length) : 0;
    const std::uint16_t sum = ones_complement_sum({p.segment(), length}, initial);
    if (sum == 0xFFFF || sum == 0) return Verdict::passed;
    return pseudo && is_partial(p, length) ? Verdict::offloaded : Verdict::failed;
}
void repair_transport(const RulePacket& p, MutablePacket& packet) {
    const std::uint32_t length = checked_length(p);
    std::uint8_t* const field = segment(p, packet) + field_offset(p.transport_layer);
    store16(field, 0);
    const std::uint32_t initial = p.transport_layer == RuleLayer::icmp ? 0 : pseudo_header_sum(p, length);
    auto checksum = static_cast<std::uint16_t>(~ones_complement_sum({segment(p, packet), length}, initial));
    if (checksum == 0 && p.transport_layer == RuleLayer::udp) checksum = 0xFFFF;  // 0 means "none" (RFC 768)
    store16(field, checksum);
}

Verdict check_udp(const RulePacket& p) {
    const bool none_given = load16(p.segment() + 6) == 0;
    return none_given ? Verdict::not_applicable : check_transport(p);
}

/// Tunnels may go without (RFC 6935): LISP, VXLAN, GENEVE, and others on their assigned ports.
bool is_tunnel_port(std::uint16_t port) {
    return port == 2152 || port == 4341 || port == 4342 || port == 4789 || port == 4790 || port == 6081 ||
           port == 6635 || port == 2268;
}
Verdict check_udp_present(const RulePacket& p) {
    if (p.network_layer != RuleLayer::ipv6) return Verdict::not_applicable;
    if (load16(p.segment() + 6) != 0) return Verdict::passed;
    return is_tunnel_port(load16(p.segment() + 2)) ? Verdict::not_applicable : Verdict::failed;
}
void repair_udp_present(const RulePacket& p, MutablePacket& packet) {
    const std::uint32_t length = checked_length(p);
    if (length != 0 && p.captured(p.transport, length) && !p.headers.is_fragment()) {
        repair_transport(p, packet);
    } else {
        store16(segment(p, packet) + 6, 0xFFFF);  // what cannot be summed cannot be told to be wrong either
    }
}

Verdict check_ipv4(const RulePacket& p) {
    const std::uint32_t length = p.headers.ip_header_length;
    if (length < 20 || !p.captured(p.network, length)) return Verdict::not_checkable;
    const std::uint16_t sum = ones_complement_sum({p.net(), length});
    if (sum == 0xFFFF) return Verdict::passed;
    const bool zero = load16(p.net() + 10) == 0;
    const bool transport = p.transport_state == LayerState::readable && p.transport_layer != RuleLayer::icmp;
    return zero && transport && is_partial(p, p.segment_length()) ? Verdict::offloaded : Verdict::failed;
}
void repair_ipv4(const RulePacket& p, MutablePacket& packet) {
    std::uint8_t* const ip = net(p, packet);
    store16(ip + 10, ipv4_header_checksum({ip, p.headers.ip_header_length}));
}

constexpr Rule rules[] = {
    {"udp.checksum_present", "over IPv6 there is a checksum, but for tunnels",
     "RFC 8200 section 8.1; RFC 6935", "computed", RuleLayer::udp, check_udp_present, repair_udp_present},
    {"tcp.checksum", "the checksum is right", "RFC 9293 section 3.1 (MUST-2, MUST-3)", "computed",
     RuleLayer::tcp, check_transport, repair_transport},
    {"udp.checksum", "the checksum is right, or left out", "RFC 768", "computed", RuleLayer::udp, check_udp,
     repair_transport},
    {"icmp.checksum", "the checksum is right", "RFC 792", "computed", RuleLayer::icmp, check_transport,
     repair_transport},
    {"icmpv6.checksum", "the checksum is right", "RFC 4443 section 2.3", "computed", RuleLayer::icmpv6,
     check_transport, repair_transport},
    {"ipv4.checksum", "the header checksum is right", "RFC 791 section 3.1; RFC 1122 section 3.2.1.2",
     "computed", RuleLayer::ipv4, check_ipv4, repair_ipv4},
};

}  // namespace

std::span<const Rule> checksum_rules() {
    return rules;
}

}  // namespace tracebench
