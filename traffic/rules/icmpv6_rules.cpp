/// ICMPv6 message rules, but for the checksum (checksum_rules.cpp). RFC 4443, RFC 4861 (neighbour discovery),
/// RFC 2710 and 3810 (multicast listeners).

#include <algorithm>

#include "traffic/rules/packet_edit.h"
#include "traffic/rules/rule_groups.h"

namespace tracebench {
namespace {

constexpr std::uint8_t echo_request = 128;

std::uint8_t type(const RulePacket& p) {
    return p.segment()[0];
}
bool is_error(std::uint8_t value) {
    return value >= 1 && value <= 4;
}
bool is_neighbour_discovery(std::uint8_t value) {
    return value >= 133 && value <= 137;
}
bool is_listener_message(std::uint8_t value) {
    return (value >= 130 && value <= 132) || value == 143;
}

/// Every message that is defined has 4 bytes after the checksum.
Verdict check_header(const RulePacket& p) {
    if (p.transport == Headers::none || p.headers.more_fragments) return Verdict::not_checkable;
    return pass_if(p.segment_length() >= 8);
}
void repair_header(const RulePacket& p, MutablePacket& packet) {
    set_ip_end(p, packet, p.transport + 8);
}

bool type_is_assigned(std::uint8_t value) {
    if (value <= 4) return value != 0;
    if (value >= 128 && value <= 161) return true;
    return value == 100 || value == 101 || value == 127 || value == 200 || value == 201 || value == 255;
}
Verdict check_type(const RulePacket& p) {
    return pass_if(type_is_assigned(type(p)));
}
void make_echo_request(const RulePacket& p, MutablePacket& packet) {
    segment(p, packet)[0] = echo_request;
    segment(p, packet)[1] = 0;
}

/// IANA ICMPv6 parameters: the largest code of a type; 255 where any will do.
unsigned largest_code(std::uint8_t value) {
    switch (value) {
        case 1:
            return 8;
        case 3:
            return 1;
        case 4:
            return 10;
        case 2:
        case 128:
        case 129:
        case 130:
        case 131:
        case 132:
        case 143:
            return 0;
        default:
            return is_neighbour_discovery(value) ? 0 : 255;
    }
}
Verdict check_code(const RulePacket& p) {
    return pass_if(p.segment()[1] <= largest_code(type(p)));
}
void repair_code(const RulePacket& p, MutablePacket& packet) {
    segment(p, packet)[1] = 0;
}

Verdict check_quote(const RulePacket& p) {
    if (!is_error(type(p))) return Verdict::not_applicable;
    if (p.headers.more_fragments) return Verdict::not_checkable;
    if (p.segment_length() < 48) return Verdict::failed;
    if (!p.captured(p.transport + 8, 1)) return Verdict::not_checkable;
    return pass_if(p.segment()[8] >> 4 == 6);
}

Verdict check_about_error(const RulePacket& p) {
    if (!is_error(type(p))) return Verdict::not_applicable;
    if (!p.captured(p.transport + 8, 41)) return Verdict::not_checkable;
    const std::uint8_t* const quoted = p.segment() + 8;
    return pass_if(quoted[6] != ip_protocol::icmpv6 || !is_error(quoted[40]));
}

Verdict check_error_destination(const RulePacket& p) {
    if (!is_error(type(p))) return Verdict::not_applicable;
    if (p.segment_length() < 48 || !p.captured(p.transport + 8, 40)) return Verdict::not_checkable;
    const std::uint8_t* const destination = p.net() + 24;
    return pass_if(std::equal(destination, destination + 16, p.segment() + 8 + 8));
}
void repair_error_destination(const RulePacket& p, MutablePacket& packet) {
    std::copy_n(p.net() + 24, 16, segment(p, packet) + 8 + 8);
}

Verdict check_discovery_hop_limit(const RulePacket& p) {
    if (!is_neighbour_discovery(type(p))) return Verdict::not_applicable;
    return pass_if(p.net()[7] == 255);
}
void repair_discovery_hop_limit(const RulePacket& p, MutablePacket& packet) {
    net(p, packet)[7] = 255;
}

/// Length of the fixed part, options follow.
std::uint32_t discovery_length(std::uint8_t value) {
    switch (value) {
        case 133:
            return 8;
        case 134:
            return 16;
        case 137:
            return 40;
        default:
            return 24;
    }
}
Verdict check_discovery_length(const RulePacket& p) {
    if (!is_neighbour_discovery(type(p))) return Verdict::not_applicable;
    if (p.headers.more_fragments) return Verdict::not_checkable;
    return pass_if(p.segment_length() >= discovery_length(type(p)));
}

Verdict check_discovery_options(const RulePacket& p) {
    if (!is_neighbour_discovery(type(p)) || p.headers.more_fragments) return Verdict::not_applicable;
    std::uint32_t at = p.transport + discovery_length(type(p));
    if (at >= p.end) return Verdict::not_applicable;
    while (at < p.end) {
        if (p.end - at < 2) return Verdict::failed;
        if (!p.captured(at, 2)) return Verdict::not_checkable;
        const std::uint32_t length = p.at(at)[1] * 8U;
        if (length == 0 || length > p.end - at) return Verdict::failed;
        at += length;
    }
    return Verdict::passed;
}

/// A target is named in solicitations, advertisements and redirects.
Verdict check_target(const RulePacket& p) {
    if (type(p) < 135 || type(p) > 137) return Verdict::not_applicable;
    if (!p.captured(p.transport + 8, 1)) return Verdict::not_checkable;
    return pass_if(p.segment()[8] != 0xFF);
}
void repair_target(const RulePacket& p, MutablePacket& packet) {
    segment(p, packet)[8] = 0xFE;
}

Verdict check_listener_hop_limit(const RulePacket& p) {
    if (!is_listener_message(type(p))) return Verdict::not_applicable;
    return pass_if(p.net()[7] == 1);
}
void repair_listener_hop_limit(const RulePacket& p, MutablePacket& packet) {
    net(p, packet)[7] = 1;
}

constexpr std::uint32_t least_mtu = 1280;

Verdict check_too_big(const RulePacket& p) {
    constexpr std::uint8_t packet_too_big = 2;
    if (type(p) != packet_too_big) return Verdict::not_applicable;
    return pass_if(load32(p.segment() + 4) >= least_mtu);
}
void repair_too_big(const RulePacket& p, MutablePacket& packet) {
    store32(segment(p, packet) + 4, least_mtu);
}

bool is_link_local(const std::uint8_t* address) {
    return address[0] == 0xFE && (address[1] & 0xC0) == 0x80;
}
void make_source_link_local(const RulePacket& p, MutablePacket& packet) {
    store16(net(p, packet) + 8, 0xFE80);
}

Verdict check_router_source(const RulePacket& p) {
    constexpr std::uint8_t advertisement = 134, redirect = 137;
    if (type(p) != advertisement && type(p) != redirect) return Verdict::not_applicable;
    return pass_if(is_link_local(p.net() + 8));
}

Verdict check_solicited(const RulePacket& p) {
    constexpr std::uint8_t neighbour_advertisement = 136;
    if (type(p) != neighbour_advertisement || p.net()[24] != 0xFF) return Verdict::not_applicable;
    return pass_if((p.segment()[4] & 0x40) == 0);
}
void repair_solicited(const RulePacket& p, MutablePacket& packet) {
    segment(p, packet)[4] &= 0xBF;
}

/// The unspecified address while there is no other yet, but not in queries.
Verdict check_listener_source(const RulePacket& p) {
    constexpr std::uint8_t query = 130;
    if (!is_listener_message(type(p))) return Verdict::not_applicable;
    const std::uint8_t* const source = p.net() + 8;
    const bool unspecified =
        type(p) != query && std::all_of(source, source + 16, [](std::uint8_t byte) { return byte == 0; });
    return pass_if(unspecified || is_link_local(source));
}

constexpr RuleLayer layer = RuleLayer::icmpv6;

constexpr Rule rules[] = {
    {"icmpv6.header", "the IP packet holds the first 8 bytes", "RFC 4443 section 2.1", "completed with zeros",
     layer, check_header, repair_header, nullptr, nullptr, true},
    {"icmpv6.type", "the type is assigned", "IANA ICMPv6 parameters", "made an echo request", layer,
     check_type, make_echo_request},
    {"icmpv6.code", "the code is one of the type's", "IANA ICMPv6 parameters", "set to 0", layer, check_code,
     repair_code},
    {"icmpv6.error_quote", "an error quotes the IPv6 packet it is about", "RFC 4443 section 3",
     "made an echo request", layer, check_quote, make_echo_request},
    {"icmpv6.error_about_error", "no error is sent about an error", "RFC 4443 section 2.4",
     "made an echo request", layer, check_about_error, make_echo_request},
    {"icmpv6.error_destination", "an error goes to who sent what it quotes", "RFC 4443 section 2.2",
     "quoted source set to the destination", layer, check_error_destination, repair_error_destination},
    {"icmpv6.discovery_hop_limit", "neighbour discovery has a hop limit of 255",
     "RFC 4861 sections 6.1 and 7.1", "set to 255", layer, check_discovery_hop_limit,
     repair_discovery_hop_limit},
    {"icmpv6.discovery_length", "neighbour discovery messages have their whole fixed part",
     "RFC 4861 sections 4.1 to 4.5", "made an echo request", layer, check_discovery_length,
     make_echo_request},
    {"icmpv6.discovery_options", "neighbour discovery options are not empty and lie within the message",
     "RFC 4861 section 4.6", "made an echo request", layer, check_discovery_options, make_echo_request},
    {"icmpv6.discovery_target", "the target of neighbour discovery is not a multicast address",
     "RFC 4861 sections 4.3 to 4.5", "first byte set to FE", layer, check_target, repair_target},
    {"icmpv6.listener_hop_limit", "multicast listener messages have a hop limit of 1",
     "RFC 2710 section 3; RFC 3810 section 5", "set to 1", layer, check_listener_hop_limit,
     repair_listener_hop_limit},
    {"icmpv6.too_big_mtu", "the MTU of Packet Too Big is at least 1280",
     "RFC 8200 section 5; RFC 8201 section 4", "set to 1280", layer, check_too_big, repair_too_big},
    {"icmpv6.router_source", "router advertisements and redirects have a link-local source",
     "RFC 4861 sections 6.1.2 and 8.1", "source prefix set to fe80::/16", layer, check_router_source,
     make_source_link_local},
    {"icmpv6.advertisement_solicited", "a neighbour advertisement to a group does not claim to be solicited",
     "RFC 4861 section 7.1.2", "cleared", layer, check_solicited, repair_solicited},
    {"icmpv6.listener_source", "multicast listener messages have a link-local source, reports perhaps none",
     "RFC 2710 section 3; RFC 3590 section 4; RFC 3810 section 5", "source prefix set to fe80::/16", layer,
     check_listener_source, make_source_link_local},
};

}  // namespace

std::span<const Rule> icmpv6_rules() {
    return rules;
}

}  // namespace tracebench
