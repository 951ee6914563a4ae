#pragma once
/// Datagrams sent in fragments (RFC 791 section 3.2, RFC 8200 section 4.5), as far as rules ask: where
/// fragments begin and end, without what is in them.

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "traffic/rules/rule_packet.h"

namespace tracebench {

struct Fragment {
    std::uint64_t datagram = 0;        ///< hash of addresses, identification, and protocol (IPv4)
    std::uint32_t begin = 0, end = 0;  ///< in bytes of the datagram
    bool last = false;
    std::int64_t time_ns = 0;
    std::int64_t patience_ns = 0;  ///< how long a receiver waits for the rest
};
/// Nothing where the packet is none, or its fragment header was cut.
std::optional<Fragment> read_fragment(const RulePacket& packet);

/// A datagram of which some fragments have been seen, but not all.
struct OpenDatagram {
    std::uint64_t key = 0;
    std::int64_t first_ns = 0;
    std::uint32_t end = 0;            ///< of the whole, as its last fragment says; 0 before that
    std::uint32_t highest = 0;        ///< where the furthest of its fragments ends
    std::vector<Fragment> fragments;  ///< that do not overlap
};

/// The most recent ones. A receiver gives up after 15 seconds (IPv4) or 60 (IPv6).
class OpenDatagrams {
  public:
    /// That of the fragment; nullptr where it is the first one seen.
    const OpenDatagram* find(const Fragment& fragment) const;
    void add(const Fragment& fragment);

  private:
    static constexpr std::size_t most = 256, most_fragments = 128;
    std::deque<OpenDatagram> open_;  ///< oldest first
};

/// Whether it overlaps a fragment of the datagram without being the same again.
bool overlaps(const Fragment& fragment, const OpenDatagram& datagram);
/// Whether one of both says that the datagram ends where the other goes on.
bool contradicts_end(const Fragment& fragment, const OpenDatagram& datagram);

}  // namespace tracebench
