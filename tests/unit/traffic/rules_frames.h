#pragma once
/// Frames for the tests of protocol rules: legal ones, to be spoilt byte by byte.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "traffic/bytes.h"
#include "traffic/packet_builder.h"
#include "traffic/rules/repair.h"
#include "traffic/rules/rule.h"

namespace tracebench::rules_test {

using Bytes = std::vector<std::uint8_t>;

/// Offsets in Ethernet frames without VLAN tags or IP options.
constexpr std::size_t ip_at = 14, ipv4_transport = 34, ipv6_transport = 54;

inline PacketFields fields(std::uint8_t protocol, int version = 4) {
    PacketFields f;
    f.protocol = protocol;
    if (version == 4) {
        f.src.address = {4, {192, 0, 2, 1}};
        f.dst.address = {4, {198, 51, 100, 7}};
    } else {
        f.src.address = {6, {0x20, 0x01, 0x0D, 0xB8, 0, 1}};
        f.dst.address = {6, {0x20, 0x01, 0x0D, 0xB8, 0, 2}};
    }
    f.src.port = 50'000;
    f.dst.port = 443;
    f.sequence = 1000;
    f.acknowledgement = 2000;
    f.tcp_flags = tcp_flag::ack;
    if (protocol == ip_protocol::icmpv6) f.icmp_type = 128;
    f.payload = {'d', 'a', 't', 'a', '!', '!', '!', '!'};
    f.payload_length = 8;
    return f;
}
inline Bytes frame(std::uint8_t protocol, int version = 4) {
    return build_packet(fields(protocol, version));
}

/// A segment with these option bytes as they are (a multiple of four bytes); the checksum is not right.
inline Bytes tcp_with_options(std::uint8_t flags, const Bytes& options) {
    PacketFields f = fields(ip_protocol::tcp);
    f.tcp_flags = flags;
    if (!(flags & tcp_flag::ack)) f.acknowledgement = 0;
    if (flags & tcp_flag::syn) f.payload.clear(), f.payload_length = 0;
    Bytes bytes = build_packet(f);
    bytes.insert(bytes.begin() + ipv4_transport + 20, options.begin(), options.end());
    bytes[ipv4_transport + 12] = static_cast<std::uint8_t>((5 + options.size() / 4) << 4);
    store16(&bytes[ip_at + 2], static_cast<std::uint16_t>(bytes.size() - ip_at));
    return bytes;
}

/// An IPv4 header with options (a multiple of four bytes) before 8 bytes of UDP.
inline Bytes ipv4_with_options(const Bytes& options) {
    PacketFields f = fields(ip_protocol::udp);
    f.payload.clear();
    f.payload_length = 0;
    Bytes bytes = build_packet(f);
    bytes.insert(bytes.begin() + ip_at + 20, options.begin(), options.end());
    bytes[ip_at] = static_cast<std::uint8_t>(0x45 + options.size() / 4);
    store16(&bytes[ip_at + 2], static_cast<std::uint16_t>(28 + options.size()));
    return bytes;
}

/// Ethernet, an IPv6 header that names `next`, and what follows it.
inline Bytes ipv6(std::uint8_t next, const Bytes& payload) {
    PacketFields f = fields(ip_protocol::udp, 6);
    f.payload.clear();
    f.payload_length = 0;
    Bytes bytes = build_packet(f);
    bytes.resize(ipv6_transport);
    bytes[ip_at + 6] = next;
    store16(&bytes[ip_at + 4], static_cast<std::uint16_t>(payload.size()));
    bytes.insert(bytes.end(), payload.begin(), payload.end());
    return bytes;
}

/// An ICMPv6 message of this type whose other bytes are `rest` (after type, code and checksum).
inline Bytes icmpv6(std::uint8_t type, const Bytes& rest) {
    Bytes message{type, 0, 0, 0};
    message.insert(message.end(), rest.begin(), rest.end());
    return ipv6(ip_protocol::icmpv6, message);
}

/// An ICMP error to the first host that quotes the start of `quoted`, a frame.
inline Bytes icmp_error(std::uint8_t type, const Bytes& quoted) {
    PacketFields f = fields(ip_protocol::icmp);
    std::swap(f.src, f.dst);
    f.icmp_type = type;
    f.payload.assign(quoted.begin() + ip_at, quoted.begin() + ip_at + 28);
    f.payload_length = 28;
    return build_packet(f);
}

inline Bytes arp() {
    Bytes bytes{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 2, 0, 0, 0, 0, 1, 0x08, 0x06,  // Ethernet
                0,    1,    8,    0,    6,    4,    0, 1};                         // Ethernet, IPv4, request
    const Bytes addresses{2, 0, 0, 0, 0, 1, 192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 192, 0, 2, 2};
    bytes.insert(bytes.end(), addresses.begin(), addresses.end());
    return bytes;
}

inline Bytes changed(Bytes bytes, const std::function<void(Bytes&)>& change) {
    change(bytes);
    return bytes;
}
inline Bytes set(Bytes bytes, std::size_t at, std::initializer_list<std::uint8_t> values) {
    std::size_t i = at;
    for (const std::uint8_t value : values) bytes.at(i++) = value;
    return bytes;
}

inline MutablePacket whole(const Bytes& bytes, std::uint16_t link = link_type::ethernet) {
    return {0, static_cast<std::uint32_t>(bytes.size()), link, bytes};
}

/// The packet rules that a packet fails, joined; empty where it is legal.
inline std::string failing_rules(const MutablePacket& packet) {
    std::string failing;
    const RulePacket p = read_rule_packet(packet.view());
    for (const Rule& rule : rule_table())
        if (rule.check_packet && check_rule(rule, p) == Verdict::failed)
            failing += std::string(rule.id) + " ";
    return failing;
}

}  // namespace tracebench::rules_test
