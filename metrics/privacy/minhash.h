#pragma once
/// How alike two flows are as sequences: the Jaccard index of their shingles, estimated by MinHash.

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace tracebench {

/// Packets in a row that make one shingle.
inline constexpr std::size_t shingle_packets = 3;
inline constexpr std::size_t minhash_size = 128;

/// What two copies of a packet share though numbers were changed a little: direction, size class (no payload,
/// then four classes an octave), TCP flags, gap class (time since the flow's packet before: below 16 us, then
/// a class for every factor of four).
std::uint32_t packet_class(bool reverse, std::uint32_t payload, std::uint8_t flags, std::int64_t gap_ns);

/// Hashes of all runs of shingle_packets classes; the n-th occurrence of a run is another shingle than the
/// first, so that the index is that of multisets. A shorter flow is one shingle of all its packets. Empty for
/// no packets.
std::vector<std::uint64_t> shingles(std::span<const std::uint32_t> classes);

/// |A and B| / |A or B|; 1 where both are empty.
double jaccard(std::vector<std::uint64_t> a, std::vector<std::uint64_t> b);

/// The least of each of 128 hash functions over a set of shingles. Broder, "On the resemblance and
/// containment of documents", Compression and Complexity of Sequences, 1997.
using MinHash = std::array<std::uint32_t, minhash_size>;
MinHash minhash(std::span<const std::uint64_t> shingles);
/// Share of equal places: the Jaccard index J with a standard error of sqrt(J (1 - J) / 128). 0..1.
double estimated_jaccard(const MinHash& a, const MinHash& b);

}  // namespace tracebench
