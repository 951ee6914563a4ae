#pragma once
/// A flow as an IPFIX exporter would report it.
///
/// Information elements by their names in the IANA registry (RFC 7012); the reverse direction has the same
/// elements with the prefix `reverse` (RFC 5103, biflows). octetDeltaCount is of IP packets, header included
/// and link layer not, by their own length fields. tcpControlBits is the union of the flags seen. Elements
/// that a flow does not have (IPv6 addresses of an IPv4 flow, TTLs of a direction without packets) are empty.

#include <cstdint>
#include <string>

#include "traffic/flow_table.h"

namespace tracebench {

/// What FlowTable does not count, packet by packet in constant space.
class IpfixRecord {
  public:
    /// Requires headers.has_ip().
    void add(const Headers& headers, Direction direction);

    /// Column names, comma separated, without a line end.
    static std::string csv_header();
    /// Numbers, addresses and nothing that needs quoting.
    std::string csv_row(const Flow& flow) const;

  private:
    struct Side {
        std::uint64_t packets = 0, octets = 0;
        std::uint32_t shortest = 0, longest = 0;
        std::uint8_t least_ttl = 0, most_ttl = 0;
        std::uint8_t class_of_service = 0;  ///< of the first packet
    };
    Side sides_[2];
    std::uint16_t icmp_type_code_ = 0;  ///< of the first packet: type * 256 + code
    bool icmp_ = false;
};

}  // namespace tracebench
