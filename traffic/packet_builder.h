#pragma once
/// Builds whole frames through libtins: what generators that think in fields (not bytes) use.

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "traffic/flow_key.h"

namespace tracebench {

/// One packet in fields. Lengths and checksums are computed. TCP options are raw bytes, padded to 32 bits
/// with no-operations, which also replace everything from the first option that is not well formed. End of
/// Option List stays where only zeros follow it, as real hosts pad.
struct PacketFields {
    Endpoint src, dst;
    std::uint8_t protocol = ip_protocol::tcp;  ///< TCP, UDP, ICMP or ICMPv6
    std::uint8_t ttl = 64;                     ///< or hop limit
    std::uint8_t tos = 0;                      ///< DSCP and ECN, or traffic class
    std::uint16_t ip_id = 0;
    bool dont_fragment = true;
    std::uint32_t flow_label = 0;  ///< IPv6, 20 bits
    std::uint32_t sequence = 0, acknowledgement = 0;
    std::uint8_t tcp_flags = 0;
    std::uint8_t tcp_reserved = 0;  ///< the four bits before the flags
    std::uint16_t window = 65535;
    std::uint16_t urgent_pointer = 0;
    std::vector<std::uint8_t> tcp_options;
    std::uint8_t icmp_type = 8, icmp_code = 0;
    std::uint32_t icmp_rest = 0;        ///< the four bytes after the checksum
    std::uint32_t payload_length = 0;   ///< on the wire
    std::vector<std::uint8_t> payload;  ///< its first bytes; the rest is zeros
    std::array<std::uint8_t, 6> src_mac{0x02, 0, 0, 0, 0, 1}, dst_mac{0x02, 0, 0, 0, 0, 2};
};

/// The whole Ethernet frame, checksums over the full payload, without padding to Ethernet's minimum (as a
/// host sees the frames it sends). Throws std::invalid_argument where the addresses' versions differ, the
/// protocol is none of the four, options exceed 40 bytes or the packet would exceed IP's 65,535 bytes.
std::vector<std::uint8_t> build_packet(const PacketFields& fields);

/// The reverse for TCP/UDP/ICMP over IP; nothing where those headers cannot be reached. Payload bytes are
/// the captured ones.
std::optional<PacketFields> packet_fields(const PacketView& packet, const Headers& headers);

}  // namespace tracebench
