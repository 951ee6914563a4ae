/// ICMP message rules, but for the checksum (checksum_rules.cpp). RFC 792, RFC 1122 section 3.2.2, RFC 1812.

#include <algorithm>

#include "traffic/rules/packet_edit.h"
#include "traffic/rules/rule_groups.h"

namespace tracebench {
namespace {

constexpr std::uint8_t echo_request = 8;

Verdict check_header(const RulePacket& p) {
    if (p.transport == Headers::none || p.headers.more_fragments) return Verdict::not_checkable;
    return pass_if(p.segment_length() >= 8);
}
void repair_header(const RulePacket& p, MutablePacket& packet) {
    set_ip_end(p, packet, p.transport + 8);
}

/// IANA ICMP parameters: the largest code of each assigned type, -1 for those that are not.
int largest_code(std::uint8_t type) {
    switch (type) {
        case 3:
            return 15;
        case 5:
        case 40:
            return type == 5 ? 3 : 5;
        case 9:
            return 16;
        case 11:
            return 1;
        case 12:
            return 2;
        case 42:
        case 253:
        case 254:
            return 255;
        case 43:
            return 4;
        case 0:
        case 4:
        case 6:
        case 8:
        case 10:
        case 41:
            return 0;
        default:
            return (type >= 13 && type <= 18) || (type >= 30 && type <= 39) ? 0 : -1;
    }
}

Verdict check_type(const RulePacket& p) {
    return pass_if(largest_code(p.segment()[0]) >= 0);
}
void make_echo_request(const RulePacket& p, MutablePacket& packet) {
    segment(p, packet)[0] = echo_request;
    segment(p, packet)[1] = 0;
}

Verdict check_code(const RulePacket& p) {
    const int largest = largest_code(p.segment()[0]);
    if (largest < 0) return Verdict::not_checkable;
    const bool router_advertisement = p.segment()[0] == 9;  // codes 0 and 16 only (RFC 5944)
    if (router_advertisement) return pass_if(p.segment()[1] == 0 || p.segment()[1] == 16);
    return pass_if(p.segment()[1] <= largest);
}
void repair_code(const RulePacket& p, MutablePacket& packet) {
    segment(p, packet)[1] = 0;
}

bool is_error(std::uint8_t type) {
    return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}

Verdict check_quote(const RulePacket& p) {
    if (!is_error(p.segment()[0])) return Verdict::not_applicable;
    if (p.headers.more_fragments) return Verdict::not_checkable;
    const std::uint32_t quoted = p.segment_length() - 8;
    if (quoted < 20) return Verdict::failed;
    if (!p.captured(p.transport + 8, 1)) return Verdict::not_checkable;
    const std::uint8_t first = p.segment()[8];
    return pass_if(first >> 4 == 4 && (first & 0x0F) >= 5 && quoted >= (first & 0x0FU) * 4 + 8);
}

Verdict check_about_error(const RulePacket& p) {
    if (!is_error(p.segment()[0])) return Verdict::not_applicable;
    if (!p.captured(p.transport + 8, 20)) return Verdict::not_checkable;
    const std::uint8_t* const quoted = p.segment() + 8;
    const bool first_fragment = (load16(quoted + 6) & 0x1FFF) == 0;
    if (quoted[9] != ip_protocol::icmp || !first_fragment) return Verdict::passed;
    const std::uint32_t header = (quoted[0] & 0x0FU) * 4;
    if (!p.captured(p.transport + 8 + header, 1)) return Verdict::not_checkable;
    return pass_if(!is_error(quoted[header]));
}

bool is_group(const std::uint8_t* address) {
    return address[0] >= 224;
}
Verdict check_unicast(const RulePacket& p) {
    if (!is_error(p.segment()[0])) return Verdict::not_applicable;
    if (is_group(p.net() + 16)) return Verdict::failed;
    if (!p.captured(p.transport + 8, 20)) return Verdict::not_checkable;
    return pass_if(!is_group(p.segment() + 8 + 16));
}

/// Back to who sent what it quotes. Translators of addresses translate the quote too (RFC 3022 section 4.3).
Verdict check_error_destination(const RulePacket& p) {
    if (!is_error(p.segment()[0])) return Verdict::not_applicable;
    if (p.segment_length() < 28 || !p.captured(p.transport + 8, 20)) return Verdict::not_checkable;
    return pass_if(load32(p.net() + 16) == load32(p.segment() + 8 + 12));
}
void repair_error_destination(const RulePacket& p, MutablePacket& packet) {
    store32(segment(p, packet) + 8 + 12, load32(p.net() + 16));
}

/// Timestamps (RFC 792) and address masks (RFC 950) have a fixed format.
Verdict check_query_length(const RulePacket& p) {
    const std::uint8_t type = p.segment()[0];
    if (type != 13 && type != 14 && type != 17 && type != 18) return Verdict::not_applicable;
    if (p.headers.more_fragments) return Verdict::not_checkable;
    return pass_if(p.segment_length() >= (type <= 14 ? 20U : 12U));
}

bool wants_fragmentation(const RulePacket& p) {
    return p.segment()[0] == 3 && p.segment()[1] == 4;
}
Verdict check_next_hop_mtu(const RulePacket& p) {
    if (!wants_fragmentation(p)) return Verdict::not_applicable;
    constexpr std::uint16_t least = 68;
    const std::uint16_t mtu = load16(p.segment() + 6);
    return pass_if(mtu == 0 || mtu >= least);  // 0: a router from before RFC 1191
}
void repair_next_hop_mtu(const RulePacket& p, MutablePacket& packet) {
    store16(segment(p, packet) + 6, 0);
}

Verdict check_fragmentation_needed(const RulePacket& p) {
    if (!wants_fragmentation(p)) return Verdict::not_applicable;
    if (!p.captured(p.transport + 8, 8)) return Verdict::not_checkable;
    return pass_if((p.segment()[8 + 6] & 0x40) != 0);
}
void repair_fragmentation_needed(const RulePacket& p, MutablePacket& packet) {
    segment(p, packet)[1] = 1;  // host unreachable
}

constexpr RuleLayer layer = RuleLayer::icmp;

constexpr Rule rules[] = {
    {"icmp.header", "the IP packet holds the first 8 bytes", "RFC 792", "completed with zeros", layer,
     check_header, repair_header, nullptr, nullptr, true},
    {"icmp.type", "the type is assigned", "IANA ICMP parameters", "made an echo request", layer, check_type,
     make_echo_request},
    {"icmp.code", "the code is one of the type's", "IANA ICMP parameters", "set to 0", layer, check_code,
     repair_code},
    {"icmp.error_quote", "an error quotes the IP header and 8 bytes of the packet it is about",
     "RFC 1122 section 3.2.2", "made an echo request", layer, check_quote, make_echo_request},
    {"icmp.error_about_error", "no error is sent about an error", "RFC 1122 section 3.2.2",
     "made an echo request", layer, check_about_error, make_echo_request},
    {"icmp.error_unicast", "no error is sent to, or about a packet to, multicast or broadcast",
     "RFC 1122 section 3.2.2", "made an echo request", layer, check_unicast, make_echo_request},
    {"icmp.error_destination", "an error goes to who sent what it quotes", "RFC 792; RFC 1122 section 3.2.2",
     "quoted source set to the destination", layer, check_error_destination, repair_error_destination},
    {"icmp.query_length", "timestamp messages have 20 bytes, address mask messages 12",
     "RFC 792; RFC 950 appendix I", "made an echo request", layer, check_query_length, make_echo_request},
    {"icmp.next_hop_mtu", "the next hop's MTU is 0 or at least 68", "RFC 1191 sections 3 and 4", "set to 0",
     layer, check_next_hop_mtu, repair_next_hop_mtu},
    {"icmp.fragmentation_needed", "fragmentation is said to be needed of packets that forbid it", "RFC 792",
     "made host unreachable", layer, check_fragmentation_needed, repair_fragmentation_needed},
};

// --- flows

Verdict check_echo_reply(const RulePacket& p, const FlowContext& flow) {
    const bool v6 = p.transport_layer == RuleLayer::icmpv6;
    const std::uint8_t reply = v6 ? 129 : 0;
    if (p.transport_state != LayerState::readable || p.segment()[0] != reply) return Verdict::not_applicable;
    const Direction requester = opposite(flow.direction);
    const std::span<const std::uint64_t> requests = flow.state.asked.of(requester);
    if (requests.empty()) return Verdict::not_checkable;
    if (std::find(requests.begin(), requests.end(), load32(p.segment() + 4)) != requests.end())
        return Verdict::passed;
    return flow.state.asked.forgot(requester) ? Verdict::not_checkable : Verdict::failed;
}
void repair_echo_reply(const RulePacket& p, const FlowContext& flow, MutablePacket& packet) {
    store32(segment(p, packet) + 4,
            static_cast<std::uint32_t>(flow.state.asked.last(opposite(flow.direction))));
}

constexpr Rule flow_rules[] = {
    {"icmp.flow.echo_reply", "an echo reply has the identifier and sequence number of a request", "RFC 792",
     "set to the last request's", RuleLayer::icmp, nullptr, nullptr, check_echo_reply, repair_echo_reply},
    {"icmpv6.flow.echo_reply", "an echo reply has the identifier and sequence number of a request",
     "RFC 4443 section 4.2", "set to the last request's", RuleLayer::icmpv6, nullptr, nullptr,
     check_echo_reply, repair_echo_reply},
};

}  // namespace

std::span<const Rule> icmp_rules() {
    return rules;
}
std::span<const Rule> echo_flow_rules() {
    return flow_rules;
}

}  // namespace tracebench
