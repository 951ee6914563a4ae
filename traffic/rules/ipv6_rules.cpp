/// IPv6 header and extension header rules. RFC 8200, RFC 4291.

#include <algorithm>
#include <array>

#include "traffic/flow_key.h"
#include "traffic/rules/ipv6_chain.h"
#include "traffic/rules/packet_edit.h"
#include "traffic/rules/rule_groups.h"

namespace tracebench {
namespace {

std::uint32_t left_in_frame(const RulePacket& p) {
    return p.wire_end - p.network;
}

// --- version, presence, payload length

Verdict check_version(const RulePacket& p) {
    if (p.network == Headers::none) return p.packet.truncated() ? Verdict::not_checkable : Verdict::failed;
    return pass_if(p.net()[0] >> 4 == 6);
}
void repair_version(const RulePacket& p, MutablePacket& packet) {
    if (p.network == Headers::none) {
        packet.bytes.push_back(0x60);
        packet.original_length = static_cast<std::uint32_t>(packet.bytes.size());
        return;
    }
    std::uint8_t& first = *net(p, packet);
    first = static_cast<std::uint8_t>(0x60 | (first & 0x0F));
}

Verdict check_header(const RulePacket& p) {
    if (p.network == Headers::none || p.net()[0] >> 4 != 6) return Verdict::not_checkable;
    return pass_if(left_in_frame(p) >= 40);
}
void repair_header(const RulePacket& p, MutablePacket& packet) {
    packet.original_length = p.network + 40;
    packet.bytes.resize(p.network + 40);
}

constexpr std::uint32_t ordinary_mtu = 1500;
constexpr std::uint8_t hop_by_hop = 0, no_next_header = 59, destination_options = 60;

Verdict check_payload_length(const RulePacket& p) {
    const std::uint32_t length = load16(p.net() + 4), left = left_in_frame(p) - 40;
    const std::uint8_t next = p.net()[6];
    if (length == 0 && next == hop_by_hop) return Verdict::not_checkable;  // a jumbogram (RFC 2675)
    if (length == 0 && next == ip_protocol::tcp && left > ordinary_mtu) return Verdict::offloaded;
    if (length == 0) return pass_if(next == no_next_header || left == 0);
    return pass_if(length <= left);
}
void repair_payload_length(const RulePacket& p, MutablePacket& packet) {
    store16(net(p, packet) + 4, static_cast<std::uint16_t>(std::min(left_in_frame(p) - 40, 65535U)));
}

Verdict check_hop_limit(const RulePacket& p) {
    return pass_if(p.net()[7] != 0);
}
void repair_hop_limit(const RulePacket& p, MutablePacket& packet) {
    net(p, packet)[7] = 64;
}

// --- addresses

/// Network 2001:db8::/32 (RFC 3849): documentation, so nothing real is named by accident.
void make_documentation_prefix(std::uint8_t* address) {
    store32(address, 0x20010DB8);
}
bool is_zero_but_last(const std::uint8_t* address, std::uint8_t last) {
    return std::all_of(address, address + 15, [](std::uint8_t byte) { return byte == 0; }) &&
           address[15] == last;
}
bool is_multicast(const std::uint8_t* address) {
    return address[0] == 0xFF;
}

Verdict check_source(const RulePacket& p) {
    return pass_if(!is_multicast(p.net() + 8));
}
void repair_source(const RulePacket& p, MutablePacket& packet) {
    make_documentation_prefix(net(p, packet) + 8);
}

Verdict check_destination(const RulePacket& p) {
    return pass_if(!is_zero_but_last(p.net() + 24, 0));
}
void repair_destination(const RulePacket& p, MutablePacket& packet) {
    make_documentation_prefix(net(p, packet) + 24);
}

bool may_be_loopback_interface(const RulePacket& p) {
    if (p.packet.link != link_type::ethernet) return true;
    return std::all_of(p.headers.data, p.headers.data + 12, [](std::uint8_t byte) { return byte == 0; });
}
Verdict check_loopback(const RulePacket& p) {
    if (!is_zero_but_last(p.net() + 8, 1) && !is_zero_but_last(p.net() + 24, 1)) return Verdict::passed;
    return may_be_loopback_interface(p) ? Verdict::not_checkable : Verdict::failed;
}
void repair_loopback(const RulePacket& p, MutablePacket& packet) {
    for (const std::uint32_t at : {8U, 24U})
        if (is_zero_but_last(p.net() + at, 1)) make_documentation_prefix(net(p, packet) + at);
}

Verdict check_multicast_scope(const RulePacket& p) {
    const std::uint8_t* const destination = p.net() + 24;
    if (!is_multicast(destination)) return Verdict::not_applicable;
    return pass_if(has_multicast6_scope(destination[1]));
}
void repair_multicast_scope(const RulePacket& p, MutablePacket& packet) {
    constexpr unsigned link_local = 2;
    std::uint8_t& second = net(p, packet)[25];
    second = static_cast<std::uint8_t>((second & 0xF0) | link_local);
}

Verdict check_multicast_flags(const RulePacket& p) {
    const std::uint8_t* const destination = p.net() + 24;
    if (!is_multicast(destination)) return Verdict::not_applicable;
    return pass_if(has_multicast6_flags(destination[1]));
}
void repair_multicast_flags(const RulePacket& p, MutablePacket& packet) {
    net(p, packet)[25] &= 0x1F;
}

bool is_mapped(const std::uint8_t* address) {
    return load32(address) == 0 && load32(address + 4) == 0 && load32(address + 8) == 0xFFFF;
}
Verdict check_mapped(const RulePacket& p) {
    return pass_if(!is_mapped(p.net() + 8) && !is_mapped(p.net() + 24));
}
void repair_mapped(const RulePacket& p, MutablePacket& packet) {
    for (const std::uint32_t at : {8U, 24U})
        if (is_mapped(p.net() + at)) make_documentation_prefix(net(p, packet) + at);
}

// --- extension headers

Verdict chain_state(const Ipv6Chain& chain) {
    if (chain.cut) return Verdict::not_checkable;
    return chain.headers.empty() ? Verdict::not_applicable : Verdict::passed;
}
bool has_extensions(const RulePacket& p) {
    return Ipv6Chain::is_extension(p.net()[6]);
}

Verdict check_chain(const RulePacket& p) {
    if (!has_extensions(p)) return Verdict::not_applicable;
    const Ipv6Chain chain(p);
    if (chain.overruns) return Verdict::failed;
    return chain_state(chain);
}
void repair_chain(const RulePacket& p, MutablePacket& packet) {
    packet.bytes[Ipv6Chain(p).next_header_field] = no_next_header;
}

Verdict check_hop_by_hop(const RulePacket& p) {
    if (!has_extensions(p)) return Verdict::not_applicable;
    const Ipv6Chain chain(p);
    for (std::size_t i = 1; i < chain.headers.size(); ++i)
        if (chain.headers[i].type == hop_by_hop) return Verdict::failed;
    return chain_state(chain);
}
void repair_hop_by_hop(const RulePacket& p, MutablePacket& packet) {
    const Ipv6Chain chain(p);
    for (std::size_t i = 1; i < chain.headers.size(); ++i)
        if (chain.headers[i].type == hop_by_hop)
            packet.bytes[chain.headers[i].named_at] = destination_options;
}

/// Index of the first header that occurs too often, or the number of headers.
std::size_t first_repeated(const Ipv6Chain& chain) {
    std::array<int, 256> count{};
    for (std::size_t i = 0; i < chain.headers.size(); ++i) {
        const std::uint8_t type = chain.headers[i].type;
        if (++count[type] > (type == destination_options ? 2 : 1)) return i;
    }
    return chain.headers.size();
}
Verdict check_repeated(const RulePacket& p) {
    if (!has_extensions(p)) return Verdict::not_applicable;
    const Ipv6Chain chain(p);
    return first_repeated(chain) < chain.headers.size() ? Verdict::failed : chain_state(chain);
}
void repair_repeated(const RulePacket& p, MutablePacket& packet) {
    const Ipv6Chain chain(p);
    packet.bytes[chain.headers[first_repeated(chain)].named_at] = no_next_header;
}

/// Offset of the first option of an options header that does not fit, or 0.
std::uint32_t first_bad_option(const RulePacket& p, const Ipv6Chain::Header& header) {
    const std::uint32_t end = header.offset + header.length;
    for (std::uint32_t at = header.offset + 2; at < end;) {
        if (p.at(at)[0] == 0) {
            ++at;
            continue;
        }
        if (end - at < 2 || p.at(at)[1] > end - at - 2) return at;
        at += 2U + p.at(at)[1];
    }
    return 0;
}
bool holds_options(const Ipv6Chain::Header& header) {
    return header.type == hop_by_hop || header.type == destination_options;
}
Verdict check_options(const RulePacket& p) {
    if (!has_extensions(p)) return Verdict::not_applicable;
    const Ipv6Chain chain(p);
    bool any = false;
    for (const Ipv6Chain::Header& header : chain.headers) {
        if (!holds_options(header)) continue;
        any = true;
        if (!p.captured(header.offset, header.length)) return Verdict::not_checkable;
        if (first_bad_option(p, header) != 0) return Verdict::failed;
    }
    if (any) return Verdict::passed;
    return chain.cut ? Verdict::not_checkable : Verdict::not_applicable;
}
void repair_options(const RulePacket& p, MutablePacket& packet) {
    for (const Ipv6Chain::Header& header : Ipv6Chain(p).headers) {
        if (!holds_options(header)) continue;
        const std::uint32_t bad = first_bad_option(p, header);
        if (bad == 0) continue;
        std::fill(packet.bytes.begin() + bad, packet.bytes.begin() + header.offset + header.length,
                  std::uint8_t{0});
    }
}

/// Of the first routing header; there is at most one (ipv6.extension_repeated).
const Ipv6Chain::Header* find_routing(const Ipv6Chain& chain) {
    constexpr std::uint8_t routing = 43;
    for (const Ipv6Chain::Header& header : chain.headers)
        if (header.type == routing) return &header;
    return nullptr;
}
Verdict check_routing_type(const RulePacket& p) {
    if (!has_extensions(p)) return Verdict::not_applicable;
    const Ipv6Chain chain(p);
    const Ipv6Chain::Header* const routing = find_routing(chain);
    if (!routing) return chain.cut ? Verdict::not_checkable : Verdict::not_applicable;
    return pass_if(p.at(routing->offset)[2] != 0);
}
void repair_routing_type(const RulePacket& p, MutablePacket& packet) {
    constexpr std::uint8_t experimental = 253;  // RFC 4727 section 3.4
    const Ipv6Chain chain(p);
    packet.bytes[find_routing(chain)->offset + 2] = experimental;
}

// --- fragments

/// The fragment header, or nullptr.
const std::uint8_t* find_fragment(const RulePacket& p) {
    const auto header = find_fragment_header(p);
    return header ? p.at(*header) : nullptr;
}
std::uint8_t* fragment_in(const RulePacket& p, MutablePacket& packet) {
    return packet.bytes.data() + (find_fragment(p) - p.headers.data);
}

Verdict check_fragment_reserved(const RulePacket& p) {
    const std::uint8_t* const fragment = find_fragment(p);
    if (!fragment) return Verdict::not_applicable;
    return pass_if(fragment[1] == 0 && (fragment[3] & 0x06) == 0);
}
void repair_fragment_reserved(const RulePacket& p, MutablePacket& packet) {
    std::uint8_t* const fragment = fragment_in(p, packet);
    fragment[1] = 0;
    fragment[3] = static_cast<std::uint8_t>(fragment[3] & ~0x06U);
}

/// Bytes after the fragment header, by the IPv6 header's length.
std::uint32_t fragment_size(const RulePacket& p, const std::uint8_t* fragment) {
    const auto after = static_cast<std::uint32_t>(fragment - p.headers.data) + 8;
    return p.headers.ip_end > after ? p.headers.ip_end - after : 0;
}
Verdict check_fragment_size(const RulePacket& p) {
    const std::uint8_t* const fragment = find_fragment(p);
    if (!fragment || (fragment[3] & 1) == 0) return Verdict::not_applicable;
    return pass_if(fragment_size(p, fragment) > 0 && fragment_size(p, fragment) % 8 == 0);
}
void repair_fragment_size(const RulePacket& p, MutablePacket& packet) {
    std::uint8_t* const fragment = fragment_in(p, packet);
    fragment[3] = static_cast<std::uint8_t>(fragment[3] & ~1U);
}
Verdict check_fragment_end(const RulePacket& p) {
    const std::uint8_t* const fragment = find_fragment(p);
    if (!fragment) return Verdict::not_applicable;
    return pass_if((load16(fragment + 2) & 0xFFF8U) + fragment_size(p, fragment) <= 65535);
}
void repair_fragment_end(const RulePacket& p, MutablePacket& packet) {
    std::uint8_t* const fragment = fragment_in(p, packet);
    store16(fragment + 2, load16(fragment + 2) & 7);
}

/// The first fragment holds every header, the upper layer's included.
Verdict check_fragment_chain(const RulePacket& p) {
    const std::uint8_t* const fragment = find_fragment(p);
    if (!fragment || (load16(fragment + 2) & 0xFFF8) != 0 || (fragment[3] & 1) == 0)
        return Verdict::not_applicable;
    const Ipv6Chain chain(p);
    if (chain.overruns) return Verdict::failed;
    if (chain.cut) return Verdict::not_checkable;
    const Ipv6Chain::Header& last = chain.headers.back();
    const std::uint32_t left = p.end - last.offset - last.length;
    switch (chain.protocol) {
        case ip_protocol::tcp:
            return pass_if(left >= 20);
        case ip_protocol::udp:
            return pass_if(left >= 8);
        case ip_protocol::icmpv6:
            return pass_if(left >= 4);
        default:
            return Verdict::passed;
    }
}

// --- upper layer

Verdict check_protocol(const RulePacket& p) {
    std::uint8_t protocol = p.net()[6];
    if (Ipv6Chain::is_extension(protocol)) {
        const Ipv6Chain chain(p);
        if (chain.cut || chain.overruns) return Verdict::not_checkable;
        protocol = chain.protocol;
        if (p.headers.fragment_offset != 0) return Verdict::not_checkable;
    }
    constexpr std::uint8_t igmp = 2;
    const bool assigned = protocol <= 145 || protocol == 253 || protocol == 254;
    return pass_if(assigned && protocol != ip_protocol::icmp && protocol != igmp);
}
void repair_protocol(const RulePacket& p, MutablePacket& packet) {
    packet.bytes[Ipv6Chain(p).next_header_field] = no_next_header;
}

constexpr RuleLayer layer = RuleLayer::ipv6;

constexpr Rule rules[] = {
    {"ipv6.version", "the version field is 6", "RFC 8200 section 3", "set to 6", layer, check_version,
     repair_version, nullptr, nullptr, true},
    {"ipv6.header", "the frame holds the whole header of 40 bytes", "RFC 8200 section 3",
     "completed with zeros", layer, check_header, repair_header, nullptr, nullptr, true},
    {"ipv6.payload_length", "the payload length fits the frame", "RFC 8200 section 3",
     "set to what the frame holds", layer, check_payload_length, repair_payload_length},
    {"ipv6.hop_limit", "the hop limit is not 0", "RFC 8200 section 3", "set to 64", layer, check_hop_limit,
     repair_hop_limit},
    {"ipv6.source", "the source is not a multicast address", "RFC 4291 section 2.7",
     "prefix set to 2001:db8::/32", layer, check_source, repair_source},
    {"ipv6.destination", "the destination is not the unspecified address", "RFC 4291 section 2.5.2",
     "prefix set to 2001:db8::/32", layer, check_destination, repair_destination},
    {"ipv6.loopback", "::1 does not appear outside a host", "RFC 4291 section 2.5.3",
     "prefix set to 2001:db8::/32", layer, check_loopback, repair_loopback},
    {"ipv6.multicast_scope", "a multicast destination has a scope that is not reserved",
     "RFC 4291 section 2.7", "set to link-local", layer, check_multicast_scope, repair_multicast_scope},
    {"ipv6.multicast_flags", "the flags of a multicast destination are 0, T, PT or RPT",
     "RFC 4291 section 2.7; RFC 3306 section 4; RFC 3956 section 3", "set to 0 or T", layer,
     check_multicast_flags, repair_multicast_flags},
    {"ipv6.mapped_address", "IPv4-mapped addresses (::ffff:0:0/96) do not appear in packets",
     "RFC 6890 section 2.2.3", "prefix set to 2001:db8::/32", layer, check_mapped, repair_mapped},
    {"ipv6.extension_chain", "every extension header lies within the packet", "RFC 8200 section 4",
     "ended before the first that does not", layer, check_chain, repair_chain},
    {"ipv6.hop_by_hop_first", "Hop-by-Hop Options come first or not at all", "RFC 8200 section 4.3",
     "renamed to Destination Options", layer, check_hop_by_hop, repair_hop_by_hop},
    {"ipv6.extension_repeated", "no extension header occurs twice (Destination Options three times)",
     "RFC 8200 section 4.1", "ended before the repeated one", layer, check_repeated, repair_repeated},
    {"ipv6.options_format", "each option lies within its options header", "RFC 8200 section 4.2",
     "padding from the first that does not", layer, check_options, repair_options},
    {"ipv6.fragment_reserved", "the reserved bits of a fragment header are 0", "RFC 8200 section 4.5",
     "cleared", layer, check_fragment_reserved, repair_fragment_reserved},
    {"ipv6.fragment_size", "fragments but the last hold a multiple of 8 bytes", "RFC 8200 section 4.5",
     "More Fragments cleared", layer, check_fragment_size, repair_fragment_size},
    {"ipv6.fragment_end", "a fragment ends within the largest packet of 65535 bytes", "RFC 8200 section 4.5",
     "fragment offset set to 0", layer, check_fragment_end, repair_fragment_end},
    {"ipv6.fragment_chain", "the first fragment holds the whole header chain", "RFC 7112 section 5",
     "More Fragments cleared", layer, check_fragment_chain, repair_fragment_size},
    {"ipv6.routing_type", "no routing header is of type 0", "RFC 5095 section 3", "set to 253 (experimental)",
     layer, check_routing_type, repair_routing_type},
    {"ipv6.protocol", "the upper layer's protocol is assigned, and not ICMP or IGMP of IPv4",
     "IANA protocol numbers", "set to No Next Header", layer, check_protocol, repair_protocol},
};

}  // namespace

std::span<const Rule> ipv6_rules() {
    return rules;
}

}  // namespace tracebench
