#pragma once
/// The Internet checksum (RFC 1071) and where it stands in IPv4, TCP, UDP, ICMP and ICMPv6.

#include <cstdint>
#include <span>

#include "traffic/headers.h"

namespace tracebench {

/// One's-complement sum, folded, not inverted; `initial` continues an earlier sum (of an even length).
std::uint16_t ones_complement_sum(std::span<const std::uint8_t> bytes, std::uint32_t initial = 0);

/// What the IPv4 header's checksum field should hold. `header` is the whole header with options; the field
/// counts as zero.
std::uint16_t ipv4_header_checksum(std::span<const std::uint8_t> header);

/// What the transport checksum field should hold for the segment [transport_offset, ip_end), pseudo-header
/// included where the protocol has one; a UDP result of 0 is given as 0xFFFF (RFC 768). Requires the whole
/// segment captured and not a fragment: see can_check_transport().
std::uint16_t transport_checksum(const Headers& headers);
bool can_check_transport(const Headers& headers);

}  // namespace tracebench
