#pragma once
/// The chain of IPv6 extension headers (RFC 8200 section 4), read without trusting their lengths.

#include <cstdint>
#include <optional>
#include <span>

#include "traffic/rules/rule_packet.h"

namespace tracebench {

class Ipv6Chain {
  public:
    struct Header {
        std::uint8_t type = 0;
        std::uint32_t offset = 0;    ///< in the frame
        std::uint32_t length = 0;    ///< in bytes
        std::uint32_t named_at = 0;  ///< offset of the next-header field that names it
    };

    /// Requires a readable IPv6 header. Stops after a fragment header of a later fragment: what follows is in
    /// the middle of a datagram.
    explicit Ipv6Chain(const RulePacket& packet);

    /// Hop-by-hop, routing, fragment, destination options, authentication, mobility, HIP, shim6.
    static bool is_extension(std::uint8_t type);

    std::span<const Header> headers;      ///< those that lie within the packet, at most 16
    bool cut = false;                     ///< the rest was not captured (or there are more than 16)
    bool overruns = false;                ///< the next header would end past the packet
    std::uint8_t protocol = 0;            ///< what the last next-header field names
    std::uint32_t next_header_field = 0;  ///< offset of that field in the frame

    Ipv6Chain(const Ipv6Chain&) = delete;
    Ipv6Chain& operator=(const Ipv6Chain&) = delete;

  private:
    Header storage_[16];
};

/// Offset in the frame of the fragment header, 8 bytes of which were captured. Requires a readable IPv6
/// header.
std::optional<std::uint32_t> find_fragment_header(const RulePacket& packet);

}  // namespace tracebench
