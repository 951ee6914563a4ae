#pragma once
/// One captured frame, seen without copying it.

#include <cstdint>
#include <span>

namespace tracebench {

/// Link types as registered by tcpdump.org (LINKTYPE_ values as they stand in capture files).
namespace link_type {
inline constexpr std::uint16_t null_loopback = 0, ethernet = 1, ppp = 9, raw_ip = 101, ieee80211 = 105,
                               openbsd_loop = 108, linux_sll = 113, radiotap = 127, ipv4 = 228, ipv6 = 229,
                               linux_sll2 = 276;
}

/// Points into memory it does not own: a mapped capture or a Trace's storage.
struct PacketView {
    std::int64_t time_ns = 0;           ///< since 1970-01-01 00:00 UTC
    std::uint32_t original_length = 0;  ///< bytes on the wire; `bytes` may be cut shorter (snap length)
    std::uint16_t link = link_type::ethernet;
    std::uint64_t frame = 0;  ///< number in its capture, from 1, as Wireshark counts
    std::span<const std::uint8_t> bytes;

    bool truncated() const { return bytes.size() < original_length; }
};

}  // namespace tracebench
