#include "traffic/packet_builder.h"

#include <tins/ethernetII.h>
#include <tins/ip.h>
#include <tins/ipv6.h>
#include <tins/rawpdu.h>
#include <tins/udp.h>

#include <algorithm>
#include <memory>
#include <stdexcept>

#include "traffic/bytes.h"
#include "traffic/checksum.h"
#include "traffic/rules/tcp_options.h"

namespace tracebench {
namespace {

constexpr std::size_t ethernet_header = 14;
constexpr std::size_t max_ip_packet = 65535;

Tins::IPv4Address ipv4(const IpAddress& address) {
    // libtins takes the address as it lies in memory.
    std::uint32_t raw = 0;
    std::copy_n(address.bytes.begin(), 4, reinterpret_cast<std::uint8_t*>(&raw));
    return Tins::IPv4Address(raw);
}

/// Where the options that are well formed end: before the first that is not, or at the end of a list whose
/// rest is zeros.
std::size_t options_end(std::span<const std::uint8_t> bytes) {
    std::size_t at = 0;
    while (at < bytes.size()) {
        if (bytes[at] == tcp_option::end) {
            const auto rest = bytes.subspan(at);
            return std::all_of(rest.begin(), rest.end(), [](std::uint8_t byte) { return byte == 0; })
                       ? bytes.size()
                       : at;
        }
        if (bytes[at] == tcp_option::nop) {
            ++at;
            continue;
        }
        if (bytes.size() - at < 2 || bytes[at + 1] < 2 || bytes[at + 1] > bytes.size() - at) return at;
        at += bytes[at + 1];
    }
    return at;
}

/// The sum of the pseudo-header (RFC 9293 section 3.1, RFC 8200 section 8.1).
std::uint16_t pseudo_header_sum(const PacketFields& fields, std::size_t length) {
    std::array<std::uint8_t, 40> pseudo{};
    const std::size_t size = fields.src.address.version == 4 ? 4 : 16;
    std::copy_n(fields.src.address.bytes.begin(), size, pseudo.begin());
    std::copy_n(fields.dst.address.bytes.begin(), size, pseudo.begin() + 16);
    store32(&pseudo[32], static_cast<std::uint32_t>(length));
    pseudo[39] = fields.protocol;
    return ones_complement_sum(pseudo);
}

/// TCP as bytes: libtins takes no option without a value but SACK-permitted (an empty Fast Open cookie is
/// one).
std::vector<std::uint8_t> tcp_segment_bytes(const PacketFields& fields,
                                            std::span<const std::uint8_t> payload) {
    const std::size_t options = options_end(fields.tcp_options), padded = (options + 3) / 4 * 4;
    std::vector<std::uint8_t> segment(20 + padded, tcp_option::nop);
    store16(&segment[0], fields.src.port);
    store16(&segment[2], fields.dst.port);
    store32(&segment[4], fields.sequence);
    store32(&segment[8], fields.acknowledgement);
    segment[12] = static_cast<std::uint8_t>((segment.size() / 4) << 4 | (fields.tcp_reserved & 0x0F));
    segment[13] = fields.tcp_flags;
    store16(&segment[14], fields.window);
    store16(&segment[16], 0);
    store16(&segment[18], fields.urgent_pointer);
    std::copy_n(fields.tcp_options.begin(), options, segment.begin() + 20);
    segment.insert(segment.end(), payload.begin(), payload.end());
    const std::uint16_t sum = ones_complement_sum(segment, pseudo_header_sum(fields, segment.size()));
    store16(&segment[16], static_cast<std::uint16_t>(~sum));
    return segment;
}

/// ICMP and ICMPv6 as bytes: libtins' own classes move payload into fields for some types (timestamps,
/// redirects, extensions), which would change what the caller asked for.
std::vector<std::uint8_t> icmp_message(const PacketFields& fields, std::span<const std::uint8_t> payload) {
    std::vector<std::uint8_t> message(8);
    message[0] = fields.icmp_type;
    message[1] = fields.icmp_code;
    store32(&message[4], fields.icmp_rest);
    message.insert(message.end(), payload.begin(), payload.end());
    const std::uint16_t sum =
        fields.protocol == ip_protocol::icmpv6 ? pseudo_header_sum(fields, message.size()) : std::uint16_t{0};
    store16(&message[2], static_cast<std::uint16_t>(~ones_complement_sum(message, sum)));
    return message;
}

/// Transport header and payload.
std::unique_ptr<Tins::PDU> transport(const PacketFields& fields) {
    std::vector<std::uint8_t> payload(fields.payload_length);
    std::copy_n(fields.payload.begin(), std::min(fields.payload.size(), payload.size()), payload.begin());
    std::unique_ptr<Tins::PDU> header;
    switch (fields.protocol) {
        case ip_protocol::tcp:
            return std::make_unique<Tins::RawPDU>(tcp_segment_bytes(fields, payload));
        case ip_protocol::udp:
            header = std::make_unique<Tins::UDP>(fields.dst.port, fields.src.port);
            break;
        case ip_protocol::icmp:
        case ip_protocol::icmpv6:
            return std::make_unique<Tins::RawPDU>(icmp_message(fields, payload));
        default:
            throw std::invalid_argument("build_packet: the protocol is not TCP, UDP, ICMP or ICMPv6");
    }
    if (!payload.empty()) header->inner_pdu(Tins::RawPDU(std::move(payload)));
    return header;
}

std::unique_ptr<Tins::PDU> ip_header(const PacketFields& fields) {
    if (fields.src.address.version == 4) {
        auto ip = std::make_unique<Tins::IP>(ipv4(fields.dst.address), ipv4(fields.src.address));
        ip->ttl(fields.ttl);
        ip->tos(fields.tos);
        ip->id(fields.ip_id);
        if (fields.dont_fragment) ip->flags(Tins::IP::DONT_FRAGMENT);
        ip->protocol(fields.protocol);
        return ip;
    }
    auto ip = std::make_unique<Tins::IPv6>(Tins::IPv6Address(fields.dst.address.bytes.data()),
                                           Tins::IPv6Address(fields.src.address.bytes.data()));
    ip->hop_limit(fields.ttl);
    ip->traffic_class(fields.tos);
    ip->flow_label(fields.flow_label & 0xFFFFF);
    ip->next_header(fields.protocol);
    return ip;
}

std::vector<std::uint8_t> tail(const std::uint8_t* data, std::uint32_t begin, std::uint32_t end) {
    return begin < end ? std::vector<std::uint8_t>(data + begin, data + end) : std::vector<std::uint8_t>();
}

}  // namespace

std::vector<std::uint8_t> build_packet(const PacketFields& fields) {
    const std::uint8_t version = fields.src.address.version;
    if (version != fields.dst.address.version || (version != 4 && version != 6))
        throw std::invalid_argument("build_packet: source and destination must both be IPv4 or both be IPv6");
    if (fields.tcp_options.size() > 40)
        throw std::invalid_argument("build_packet: over 40 bytes of TCP options");
    const std::size_t headers = (version == 4 ? 20 : 40) + (fields.protocol == ip_protocol::tcp ? 60 : 8);
    if (fields.payload_length > max_ip_packet - headers)
        throw std::invalid_argument("build_packet: the payload does not fit an IP packet");

    Tins::EthernetII frame(Tins::HWAddress<6>(fields.dst_mac.data()),
                           Tins::HWAddress<6>(fields.src_mac.data()));
    auto ip = ip_header(fields);
    ip->inner_pdu(transport(fields).release());
    const std::size_t length = ethernet_header + ip->size();
    frame.inner_pdu(ip.release());
    std::vector<std::uint8_t> bytes = frame.serialize();
    bytes.resize(length);  // libtins pads to Ethernet's minimum of 60 bytes
    return bytes;
}

std::optional<PacketFields> packet_fields(const PacketView& packet, const Headers& headers) {
    const bool tcp = headers.has_tcp(), udp = headers.has_udp();
    const bool icmp =
        headers.has_icmp() || (headers.has_icmpv6() && headers.captured - headers.transport_offset >= 8);
    if (!tcp && !udp && !icmp) return std::nullopt;

    PacketFields fields;
    const PacketFlow flow = flow_of(headers);
    fields.src = flow.from_high ? flow.key.high : flow.key.low;
    fields.dst = flow.from_high ? flow.key.low : flow.key.high;
    fields.protocol = headers.protocol;
    const std::uint8_t* ip = headers.ip();
    if (headers.ip_version == 4) {
        fields.tos = ip[1];
        fields.ip_id = load16(ip + 4);
        fields.dont_fragment = (ip[6] & 0x40) != 0;
        fields.ttl = ip[8];
    } else {
        fields.tos = static_cast<std::uint8_t>(load16(ip) >> 4);
        fields.flow_label = load32(ip) & 0xFFFFF;
        fields.ttl = ip[7];
    }
    const std::uint8_t* header = headers.transport();
    if (tcp) {
        fields.sequence = load32(header + 4);
        fields.acknowledgement = load32(header + 8);
        fields.tcp_flags = header[13];
        fields.tcp_reserved = header[12] & 0x0F;
        fields.window = load16(header + 14);
        fields.urgent_pointer = load16(header + 18);
        if (headers.payload_offset != Headers::none)
            fields.tcp_options = tail(headers.data, headers.transport_offset + 20,
                                      std::min(headers.payload_offset, headers.captured));
    } else if (icmp) {
        fields.icmp_type = header[0];
        fields.icmp_code = header[1];
        fields.icmp_rest = load32(header + 4);
    }
    if (headers.payload_offset != Headers::none) {
        // ICMPv6's own header ends before the four bytes that are icmp_rest here (RFC 4443 section 2.1).
        const std::uint32_t payload =
            headers.payload_offset + (headers.protocol == ip_protocol::icmpv6 ? 4 : 0);
        fields.payload_length = headers.ip_end > payload ? headers.ip_end - payload : 0;
        fields.payload = tail(headers.data, payload, std::min(headers.ip_end, headers.captured));
    }
    if (packet.link == link_type::ethernet && packet.bytes.size() >= ethernet_header) {
        std::copy_n(packet.bytes.begin(), 6, fields.dst_mac.begin());
        std::copy_n(packet.bytes.begin() + 6, 6, fields.src_mac.begin());
    }
    return fields;
}

}  // namespace tracebench
