#include "traffic/nprint_parts.h"

#include <algorithm>

#include "traffic/bytes.h"
#include "traffic/nprint.h"

namespace tracebench {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::uint16_t ethertype_ipv4 = 0x0800, ethertype_ipv6 = 0x86DD;

Bytes first(Bytes bytes, std::size_t count) {
    return bytes.first(std::min(count, bytes.size()));
}
Bytes after(Bytes bytes, std::size_t count) {
    return bytes.subspan(std::min(count, bytes.size()));
}
Bytes whole(Bytes bytes, std::size_t offset, std::size_t count) {
    return bytes.size() >= offset + count ? bytes.subspan(offset, count) : Bytes();
}

/// By the header's own data offset, or the fixed header where that was not captured.
Bytes tcp_part(Bytes transport) {
    return first(transport, transport.size() > 12 ? std::size_t{4} * (transport[12] >> 4) : 20);
}

/// False where the protocol is none of the three.
bool add_transport(NprintParts& parts, std::uint8_t protocol, Bytes transport) {
    switch (protocol) {
        case ip_protocol::tcp:
            parts.tcp = tcp_part(transport);
            return true;
        case ip_protocol::udp:
            parts.udp = first(transport, kNprintUdpBytes);
            return true;
        case ip_protocol::icmp:
            parts.icmp = first(transport, kNprintIcmpBytes);
            return true;
        default:
            return false;
    }
}

}  // namespace

NprintParts nprint_parts(const PacketView& packet) {
    NprintParts parts;
    Bytes ip = packet.bytes;
    if (packet.link == link_type::radiotap) {
        parts.has_row = true;
        return parts;
    }
    if (packet.link == link_type::linux_sll) ip = after(ip, 16);
    if (ip.size() >= 14) {
        const std::uint16_t ethertype = load16(&ip[12]);
        if (ethertype == ethertype_ipv4 || ethertype == ethertype_ipv6) ip = ip.subspan(14);
    }
    if (ip.size() < 10) return parts;
    if (ip[0] >> 4 == 4) {
        const std::size_t length = std::size_t{4} * (ip[0] & 0x0F);
        parts.has_row = add_transport(parts, ip[9], after(ip, length));
        parts.ipv4 = first(ip, length);
        parts.source = whole(ip, 12, 4);
    } else if (ip[0] >> 4 == 6) {
        parts.has_row = add_transport(parts, ip[6], after(ip, 40));
        parts.source = whole(ip, 8, 16);
    }
    return parts;
}

NprintParts nprint_parts(const PacketView& packet, const Headers& headers) {
    NprintParts parts;
    if (!headers.has_ip()) return parts;
    const Bytes ip = after(packet.bytes, headers.ip_offset);
    if (headers.ip_version == 4) {
        parts.ipv4 = first(ip, std::min<std::size_t>(headers.ip_header_length, kNprintIpv4Bytes));
        parts.source = whole(ip, 12, 4);
    } else {
        parts.source = whole(ip, 8, 16);
    }
    // nPrint has columns for ICMP but none for ICMPv6, which looks the same and means something else.
    if (headers.transport_offset != Headers::none)
        add_transport(parts, headers.protocol, after(packet.bytes, headers.transport_offset));
    parts.has_row = !parts.ipv4.empty() || !parts.tcp.empty() || !parts.udp.empty() || !parts.icmp.empty();
    return parts;
}

}  // namespace tracebench
