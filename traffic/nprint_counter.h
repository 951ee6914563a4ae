#pragma once
/// How often every nPrint bit is 1 and how often it is there at all, over many packets: what distances
/// between bits need, without making a row of 1,088 numbers of every packet.

#include <array>
#include <cstdint>

#include "traffic/nprint.h"

namespace tracebench {

/// Bit-sliced: each of 17 words of 64 columns has 8 planes, plane p holding bit p of 64 counters, so that one
/// packet costs a carry-save addition a word (Harley and Seal; Warren, "Hacker's Delight", 2nd edition, 2012,
/// section 5-1). The planes are added up before they overflow, every 255 packets.
class NprintBitCounter {
  public:
    using Counts = std::array<std::uint32_t, kNprintColumns>;

    /// False, and nothing is counted, where nprint_row() would say false. At most 2^32 - 1 packets.
    bool add(const PacketView& packet, const Headers& headers);
    /// Packets counted.
    std::uint64_t rows() const { return rows_; }
    /// Packets in which a column is 1.
    const Counts& ones();
    /// Packets in which a column is 1 or 0.
    Counts present() const;

  private:
    static constexpr std::size_t bytes = kNprintColumns / 8, words = kNprintColumns / 64, planes = 8;
    static_assert(words * 64 == kNprintColumns);

    void add_up();

    std::array<std::array<std::uint64_t, planes>, words> planes_{};
    unsigned pending_ = 0;  ///< packets in the planes
    Counts ones_{};
    /// Packets whose header of each of the four kinds has so many bytes.
    std::array<std::array<std::uint32_t, kNprintIpv4Bytes + 1>, 4> lengths_{};
    std::uint64_t rows_ = 0;
};

}  // namespace tracebench
