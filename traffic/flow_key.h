#pragma once
/// Who talks to whom: addresses, endpoints, and the canonical bidirectional 5-tuple.

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <string>

#include "traffic/headers.h"

namespace tracebench {

/// An IPv4 (first four bytes used, rest zero) or IPv6 address. Ordered by version, then numerically.
struct IpAddress {
    std::uint8_t version = 0;
    std::array<std::uint8_t, 16> bytes{};

    auto operator<=>(const IpAddress&) const = default;
    /// Dotted quad, or compressed IPv6 text (RFC 5952).
    std::string text() const;
};

/// The second octet of an IPv6 multicast address: a scope that is not reserved (0 and 15 are, RFC 4291
/// section 2.7), and flags that are none, T, PT or RPT, as each needs the one before (RFC 3306 section 4, RFC
/// 3956 section 3).
constexpr bool has_multicast6_scope(std::uint8_t octet) {
    return (octet & 0x0F) != 0 && (octet & 0x0F) != 0x0F;
}
constexpr bool has_multicast6_flags(std::uint8_t octet) {
    return octet < 0x80 && ((octet >> 4) & ((octet >> 4) + 1)) == 0;
}

struct Endpoint {
    IpAddress address;
    std::uint16_t port = 0;  ///< 0 for protocols without ports and for fragments after the first

    auto operator<=>(const Endpoint&) const = default;
    /// `192.0.2.1:443`, `[2001:db8::1]:443`.
    std::string text() const;
};

/// Bidirectional: `low` is the lower endpoint by (IP version, numeric address, port).
struct FlowKey {
    Endpoint low, high;
    std::uint8_t protocol = 0;
    std::uint16_t vlan = Headers::no_vlan;

    auto operator<=>(const FlowKey&) const = default;
    /// `TCP|192.0.2.1|443|198.51.100.7|50112`, as in labels.csv; the VLAN is not part of it.
    std::string flow_id() const;
};

struct FlowKeyHash {
    std::size_t operator()(const FlowKey& key) const;
};

/// `TCP`, `UDP`, `ICMP`, `ICMPV6`, `GRE`, ...; the number where there is no well-known name.
std::string protocol_name(std::uint8_t protocol);

/// Key, and whether the packet goes from `high` to `low`. False in `ok` where there is no IP packet.
struct PacketFlow {
    FlowKey key;
    bool from_high = false;
    bool ok = false;
};
PacketFlow flow_of(const Headers& headers);

}  // namespace tracebench
