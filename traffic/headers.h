#pragma once
/// Where the headers of a packet are: the hot pass over a capture. No allocation, no copy, no exception.
///
///     Headers h = dissect(packet);
///     if (h.has_tcp()) flags = h.tcp()[13];

#include <cstdint>
#include <span>

#include "traffic/packet.h"

namespace tracebench {

/// IANA protocol numbers.
namespace ip_protocol {
inline constexpr std::uint8_t icmp = 1, ipv4 = 4, tcp = 6, udp = 17, ipv6 = 41, gre = 47, esp = 50, ah = 51,
                              icmpv6 = 58, sctp = 132;
}

namespace tcp_flag {
inline constexpr std::uint8_t fin = 0x01, syn = 0x02, rst = 0x04, psh = 0x08, ack = 0x10, urg = 0x20,
                              ece = 0x40, cwr = 0x80;
}

/// Offsets are into PacketView::bytes; `none` where the header is absent or none of it was captured.
struct Headers {
    static constexpr std::uint32_t none = UINT32_MAX;
    static constexpr std::uint16_t no_vlan = 0xFFFF;

    const std::uint8_t* data = nullptr;
    std::uint32_t captured = 0;  ///< bytes captured

    std::uint16_t ethertype = 0;         ///< of what follows the link header; 0 where it is unknown
    std::uint16_t vlan = no_vlan;        ///< outermost VLAN id
    std::uint16_t inner_vlan = no_vlan;  ///< second VLAN id (QinQ)
    std::uint32_t ip_offset = none;      ///< outermost IP header (or the innermost, see Tunnels)
    std::uint8_t ip_version = 0;         ///< 4, 6, or 0: no IP packet
    std::uint8_t protocol = 0;           ///< of the transport header: IPv6 extension headers are skipped
    std::uint16_t ip_header_length = 0;  ///< in bytes, IPv6 extension headers included
    std::uint32_t ip_end = 0;            ///< offset where the IP packet ends by its own length field; may lie
                                         ///< beyond `captured`, never includes link-layer padding
    std::uint16_t fragment_offset = 0;   ///< in bytes
    bool more_fragments = false;
    std::uint32_t transport_offset = none;  ///< none for fragments after the first
    std::uint32_t payload_offset = none;    ///< first byte after the transport header, by its own length
                                            ///< field; none where that field is cut off or illegal
    bool transport_complete = false;        ///< the whole TCP (with options), UDP or ICMP header was captured

    /// The fixed IPv4 or IPv6 header (20, 40 bytes) was captured. Where it was cut, or its version is
    /// neither 4 nor 6, ip_offset alone tells where it begins.
    bool has_ip() const { return ip_version != 0; }
    bool is_fragment() const { return more_fragments || fragment_offset != 0; }
    /// At least the fixed header (20, 8, 8 bytes) was captured.
    bool has_tcp() const { return fixed_header(ip_protocol::tcp, 20); }
    bool has_udp() const { return fixed_header(ip_protocol::udp, 8); }
    bool has_icmp() const { return ip_version == 4 && fixed_header(ip_protocol::icmp, 8); }
    bool has_icmpv6() const { return ip_version == 6 && fixed_header(ip_protocol::icmpv6, 4); }
    /// The two ports were captured (TCP, UDP, SCTP, DCCP, UDP-Lite).
    bool has_ports() const {
        const bool ported = protocol == ip_protocol::tcp || protocol == ip_protocol::udp ||
                            protocol == ip_protocol::sctp || protocol == 33 || protocol == 136;
        return ported && transport_offset != none && captured - transport_offset >= 4;
    }

    const std::uint8_t* ip() const { return data + ip_offset; }
    const std::uint8_t* transport() const { return data + transport_offset; }
    const std::uint8_t* tcp() const { return transport(); }
    const std::uint8_t* udp() const { return transport(); }
    /// Payload bytes on the wire by the headers' own lengths (captured or not); 0 where unknown.
    std::uint32_t payload_length() const {
        return payload_offset != none && ip_end > payload_offset ? ip_end - payload_offset : 0;
    }

  private:
    bool fixed_header(std::uint8_t wanted, std::uint32_t size) const {
        return protocol == wanted && transport_offset != none && captured - transport_offset >= size;
    }
};

/// Which IP header is reported when one IP packet carries another (GRE, IP-in-IP, 6in4).
enum class Tunnels { outermost, innermost };

/// Never fails: what cannot be reached (unknown link type, damage, truncation) is absent in the result.
/// Understands Ethernet, VLAN/QinQ, MPLS, PPPoE, Linux cooked v1/v2, raw IP, loopback, PPP, 802.11 with or
/// without radiotap; IPv4 options and fragments, IPv6 extension headers.
Headers dissect(const PacketView& packet, Tunnels tunnels = Tunnels::outermost);

}  // namespace tracebench
