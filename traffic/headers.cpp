// RFC 791 (IPv4), RFC 8200 (IPv6), RFC 2675 (jumbograms), RFC 4302 (AH), RFC 9293 (TCP), RFC 768 (UDP),
// RFC 2784 and 2890 (GRE).

#include "traffic/headers.h"

#include <algorithm>

#include "traffic/bytes.h"
#include "traffic/link_layer.h"

namespace tracebench {
namespace {

constexpr std::uint32_t none = Headers::none;
constexpr int max_extension_headers = 16, max_tunnels = 8;

/// Names of next-header values that are skipped on the way to the transport header.
namespace extension {
constexpr std::uint8_t hop_by_hop = 0, routing = 43, fragment = 44, destination = 60, mobility = 135,
                       hip = 139, shim6 = 140;
}

/// Forgets what an outer IP header said before an inner one is read.
void reset_ip(Headers& h) {
    h.ip_offset = h.transport_offset = h.payload_offset = none;
    h.ip_version = h.protocol = 0;
    h.ip_header_length = h.fragment_offset = 0;
    h.ip_end = 0;
    h.more_fragments = h.transport_complete = false;
}

bool captured(const Headers& h, std::uint32_t offset, std::uint32_t size) {
    return offset <= h.captured && h.captured - offset >= size;
}

/// Authentication headers may stand before the transport header in IPv4 as well (RFC 4302 section 3.1).
bool skip_authentication(Headers& h, std::uint32_t& offset) {
    if (!captured(h, offset, 2)) return false;
    h.protocol = h.data[offset];
    offset += (h.data[offset + 1] + 2U) * 4;
    return true;
}

/// Offset of the transport header, or none.
std::uint32_t read_ipv4(Headers& h, std::uint32_t frame_end) {
    if (!captured(h, h.ip_offset, 20)) return none;
    const std::uint8_t* const ip = h.ip();
    h.ip_version = 4;
    h.protocol = ip[9];
    h.ip_header_length = static_cast<std::uint16_t>((ip[0] & 0x0F) * 4);
    const std::uint16_t total_length = load16(ip + 2), fragment = load16(ip + 6);
    // A capture before segmentation offload shows 0: the frame's own length is the best that is known.
    h.ip_end = total_length != 0 ? h.ip_offset + total_length : frame_end;
    h.more_fragments = (fragment & 0x2000) != 0;
    h.fragment_offset = static_cast<std::uint16_t>((fragment & 0x1FFF) * 8);
    if (h.ip_header_length < 20 || h.fragment_offset != 0) return none;
    std::uint32_t offset = h.ip_offset + h.ip_header_length;
    if (h.protocol == ip_protocol::ah && !skip_authentication(h, offset)) return none;
    return offset;
}

/// RFC 2675: the real payload length where the header's field is 0; 0 where there is none.
std::uint32_t jumbo_length(const Headers& h) {
    const std::uint32_t options = h.ip_offset + 40;
    if (h.ip()[6] != extension::hop_by_hop || !captured(h, options, 8)) return 0;
    const std::uint32_t end = std::min(h.captured, options + (h.data[options + 1] + 1U) * 8);
    for (std::uint32_t at = options + 2; at + 2 <= end;) {
        if (h.data[at] == 0) {
            ++at;
            continue;
        }
        if (h.data[at] == 0xC2 && h.data[at + 1] == 4 && at + 6 <= end) return load32(h.data + at + 2);
        at += 2U + h.data[at + 1];
    }
    return 0;
}

std::uint32_t read_ipv6(Headers& h, std::uint32_t frame_end) {
    if (!captured(h, h.ip_offset, 40)) return none;
    const std::uint8_t* const ip = h.ip();
    h.ip_version = 6;
    h.protocol = ip[6];
    h.ip_header_length = 40;
    std::uint32_t length = load16(ip + 4);
    if (length == 0) length = jumbo_length(h);
    constexpr std::uint8_t no_next_header = 59;
    const bool unknown = length == 0 && h.protocol != no_next_header;
    h.ip_end = unknown ? frame_end : h.ip_offset + 40 + std::min(length, none / 2);

    std::uint32_t offset = h.ip_offset + 40;
    for (int count = 0; count < max_extension_headers; ++count) {
        switch (h.protocol) {
            case extension::hop_by_hop:
            case extension::routing:
            case extension::destination:
            case extension::mobility:
            case extension::hip:
            case extension::shim6:
                if (!captured(h, offset, 2)) return none;
                h.protocol = h.data[offset];
                offset += (h.data[offset + 1] + 1U) * 8;
                break;
            case ip_protocol::ah:
                if (!skip_authentication(h, offset)) return none;
                break;
            case extension::fragment: {
                if (!captured(h, offset, 8)) return none;
                const std::uint16_t field = load16(h.data + offset + 2);
                h.protocol = h.data[offset];
                h.fragment_offset = field & 0xFFF8;
                h.more_fragments = (field & 1) != 0;
                offset += 8;
                break;
            }
            default:
                h.ip_header_length = static_cast<std::uint16_t>(offset - h.ip_offset);
                return h.fragment_offset == 0 ? offset : none;
        }
        h.ip_header_length = static_cast<std::uint16_t>(offset - h.ip_offset);
        if (h.fragment_offset != 0) return none;  // what follows belongs to the middle of a datagram
    }
    return none;
}

void read_transport(Headers& h) {
    const std::uint32_t at = h.transport_offset;
    const std::uint32_t left = h.captured - at;
    std::uint32_t length = 0;
    switch (h.protocol) {
        case ip_protocol::tcp:
            if (left < 13) return;
            length = (h.data[at + 12] >> 4) * 4U;
            if (length < 20) return;
            break;
        case ip_protocol::udp:
            length = 8;
            break;
        case ip_protocol::icmp:
            length = 8;
            break;
        case ip_protocol::icmpv6:
            length = 4;
            break;
        case ip_protocol::sctp:
            length = 12;
            break;
        default:
            return;
    }
    if (at + length > h.ip_end) return;  // longer than the datagram
    h.payload_offset = at + length;
    h.transport_complete = left >= length;
}

/// Reads the IP header at h.ip_offset and the transport header behind it.
void read_ip(Headers& h, std::uint32_t frame_end) {
    if (!captured(h, h.ip_offset, 1)) {
        h.ip_offset = none;
        return;
    }
    std::uint32_t transport = none;
    switch (h.data[h.ip_offset] >> 4) {
        case 4:
            transport = read_ipv4(h, frame_end);
            break;
        case 6:
            transport = read_ipv6(h, frame_end);
            break;
        default:
            return;
    }
    if (transport >= h.captured || transport >= h.ip_end) return;
    h.transport_offset = transport;
    read_transport(h);
}

/// Offset of the IP header that the current one carries, or none.
std::uint32_t inner_ip(const Headers& h) {
    if (h.transport_offset == none) return none;
    std::uint32_t at = h.transport_offset;
    if (h.protocol == ip_protocol::ipv4 || h.protocol == ip_protocol::ipv6) return at;
    if (h.protocol != ip_protocol::gre || !captured(h, at, 4)) return none;
    const std::uint16_t flags = load16(h.data + at), type = load16(h.data + at + 2);
    if ((flags & 0x4000) != 0) return none;  // source routing (RFC 1701): nobody uses it
    constexpr std::uint16_t erspan = 0x88BE;
    at += 4 + ((flags & 0x8000) ? 4U : 0U) + ((flags & 0x2000) ? 4U : 0U) + ((flags & 0x1000) ? 4U : 0U);
    if ((flags & 7) == 1 && (flags & 0x0080)) at += 4;  // acknowledgement of PPTP's GRE (RFC 2637)
    Headers inner = h;  // the tunnel's VLAN ids and EtherType must not replace the outer ones
    std::uint32_t found = none;
    if (type == ether_type::transparent_ethernet) {
        found = skip_ethernet(at, inner);
    } else if (type == erspan) {
        found = skip_ethernet(at + ((flags & 0x1000) ? 8U : 0U), inner);
    } else {
        found = skip_ethertype(type, at, inner);
    }
    const bool ip = inner.ethertype == ether_type::ipv4 || inner.ethertype == ether_type::ipv6;
    return ip ? found : none;
}

}  // namespace

Headers dissect(const PacketView& packet, Tunnels tunnels) {
    Headers h;
    h.data = packet.bytes.data();
    h.captured = static_cast<std::uint32_t>(std::min<std::size_t>(packet.bytes.size(), none / 2));
    std::uint32_t network = 14;
    if (packet.link == link_type::ethernet && h.captured >= 34 && load16(h.data + 12) == ether_type::ipv4) {
        h.ethertype = ether_type::ipv4;  // nearly every packet: worth its own way
    } else {
        network = find_network_header(packet.link, h);
        if (network == none) return h;
        if (h.ethertype != ether_type::ipv4 && h.ethertype != ether_type::ipv6) return h;
    }

    const std::uint32_t frame_end = std::clamp(packet.original_length, h.captured, none / 2);
    h.ip_offset = network;
    read_ip(h, frame_end);
    if (tunnels == Tunnels::outermost) return h;
    for (int depth = 0; depth < max_tunnels; ++depth) {
        const std::uint32_t at = inner_ip(h);
        if (at == none) break;
        Headers inner = h;
        reset_ip(inner);
        inner.ip_offset = at;
        read_ip(inner, std::min(frame_end, h.ip_end));
        if (!inner.has_ip()) break;
        h = inner;
    }
    return h;
}

}  // namespace tracebench
