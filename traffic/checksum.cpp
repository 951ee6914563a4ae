#include "traffic/checksum.h"

#include "traffic/bytes.h"

namespace tracebench {
namespace {

std::uint16_t fold(std::uint64_t sum) {
    while (sum >> 16) sum = (sum & 0xFFFF) + (sum >> 16);
    return static_cast<std::uint16_t>(sum);
}

/// Where the checksum stands in the transport header, or -1 where the protocol has none of this kind.
int checksum_offset(const Headers& h) {
    if (h.has_tcp()) return 16;
    if (h.has_udp()) return 6;
    if (h.has_icmp() || h.has_icmpv6()) return 2;
    return -1;
}

/// Bytes of the segment. UDP carries its own length, which may be shorter than what IP delivers.
std::uint32_t segment_length(const Headers& h) {
    const std::uint32_t delivered = h.ip_end - h.transport_offset;
    if (!h.has_udp()) return delivered;
    const std::uint16_t own = load16(h.udp() + 4);
    return own >= 8 && own < delivered ? own : delivered;
}

}  // namespace

std::uint16_t ones_complement_sum(std::span<const std::uint8_t> bytes, std::uint32_t initial) {
    std::uint64_t sum = initial;
    std::size_t i = 0;
    for (; i + 4 <= bytes.size(); i += 4) sum += load32(&bytes[i]);  // 2^32 is 1 modulo 2^16 - 1
    if (i + 2 <= bytes.size()) {
        sum += load16(&bytes[i]);
        i += 2;
    }
    if (i < bytes.size()) sum += static_cast<std::uint32_t>(bytes[i]) << 8;
    return fold(sum);
}

std::uint16_t ipv4_header_checksum(std::span<const std::uint8_t> header) {
    if (header.size() < 12) return static_cast<std::uint16_t>(~ones_complement_sum(header));
    const std::uint16_t before = ones_complement_sum(header.first(10));
    return static_cast<std::uint16_t>(~ones_complement_sum(header.subspan(12), before));
}

bool can_check_transport(const Headers& h) {
    if (!h.has_ip() || h.is_fragment() || checksum_offset(h) < 0 || h.ip_end > h.captured) return false;
    if (h.ip_end < h.transport_offset + static_cast<std::uint32_t>(checksum_offset(h)) + 2) return false;
    return true;
}

std::uint16_t transport_checksum(const Headers& h) {
    const std::uint32_t length = segment_length(h);
    const auto field = static_cast<std::size_t>(checksum_offset(h));
    std::uint32_t sum = 0;
    if (!h.has_icmp()) {  // RFC 9293 section 3.1, RFC 768, RFC 8200 section 8.1
        const std::span<const std::uint8_t> addresses =
            h.ip_version == 4 ? std::span(h.ip() + 12, 8) : std::span(h.ip() + 8, 32);
        sum = ones_complement_sum(addresses) + (length & 0xFFFF) + (length >> 16) + h.protocol;
    }
    const std::span<const std::uint8_t> segment(h.transport(), length);
    sum = ones_complement_sum(segment.first(field), sum);
    sum = ones_complement_sum(segment.subspan(field + 2), sum);
    const auto result = static_cast<std::uint16_t>(~sum);
    return result == 0 && h.has_udp() ? 0xFFFF : result;
}

}  // namespace tracebench
