#pragma once
/// nPrint: a packet's IPv4, TCP, UDP and ICMP headers as one row of 1088 bits, each header in columns of its
/// own so that a column means the same in every row (Holland et al., "New Directions in Automated Traffic
/// Analysis", CCS 2021). 1 and 0 are bits on the wire, -1 is a bit the packet does not have.
///
///     std::array<std::int8_t, kNprintColumns> row;
///     if (nprint_row(packet, dissect(packet), row)) use(row);

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "traffic/headers.h"
#include "traffic/packet.h"

namespace tracebench {

inline constexpr std::size_t kNprintColumns = 1088;

/// Bytes of each header, options included, and the order of the headers in a row.
inline constexpr std::size_t kNprintIpv4Bytes = 60, kNprintTcpBytes = 60, kNprintUdpBytes = 8,
                             kNprintIcmpBytes = 8;
static_assert(8 * (kNprintIpv4Bytes + kNprintTcpBytes + kNprintUdpBytes + kNprintIcmpBytes) ==
              kNprintColumns);

using NprintRow = std::array<std::int8_t, kNprintColumns>;

/// A header field and its columns [first, first + width).
struct NprintField {
    std::string_view name;  ///< as nPrint writes it, such as `ipv4_ttl`; its columns are `ipv4_ttl_0`, ...
    std::uint16_t first = 0;
    std::uint16_t width = 0;
    bool identifier = false;  ///< addresses and ports: who talks, not how
    bool counter = false;     ///< IP ID, sequence and acknowledgement number: start anywhere
    bool checksum = false;    ///< depends on every other bit, payload included
};

/// In column order, without gaps.
std::span<const NprintField> nprint_fields();
/// The field named so; none where there is none.
const NprintField* find_nprint_field(std::string_view name);
/// `ipv4_ver_0` ... `icmp_roh_31`. Requires column < kNprintColumns.
std::string nprint_column_name(std::size_t column);

/// The row of a packet whose headers are known, whatever the link type and the tags before them. IPv6 packets
/// have no IPv4 bits but transport bits, as in nPrint. Bits cut off by the snap length are -1, and so is the
/// transport header of fragments after the first. False, and all -1, where there is neither an IPv4 header
/// nor a TCP, UDP or ICMP header.
///
/// nPrint's own program finds headers in another way and skips more packets: see nprint_text.h.
bool nprint_row(const PacketView& packet, const Headers& headers, std::span<std::int8_t, kNprintColumns> row);

/// An IPv4 packet rebuilt from a row: headers only, nPrint keeps no payload.
struct NprintPacket {
    std::vector<std::uint8_t> bytes;    ///< from the IPv4 header on
    std::size_t ipv4_length = 0;        ///< of these the IPv4 header's, at least 20
    std::uint8_t transport = 0;         ///< protocol number of the columns the rest is from; 0: there is none
    std::uint32_t original_length = 0;  ///< by the IPv4 total length; never less than bytes
};

/// The reverse of nprint_row. Nothing is repaired: bits that are -1 inside a header that is present count as
/// 0, options end at their last bit. Where several transport headers are present the IPv4 protocol field
/// chooses, else the first. Nothing where the row has no IPv4 header.
std::optional<NprintPacket> nprint_packet(std::span<const std::int8_t, kNprintColumns> row);

}  // namespace tracebench
