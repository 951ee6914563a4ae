#pragma once
/// How many packets a flow has and how many flows a session: said ahead, so that a model plans instead of
/// stopping by chance. Exact up to 16, then 4 buckets an octave.

#include <algorithm>
#include <bit>
#include <cstdint>
#include <utility>

namespace tracebench::ssm {

inline constexpr int exact_extents = 17, extent_buckets = exact_extents + 4 * 20, left_octaves = 25;
inline constexpr std::uint64_t largest_extent = (std::uint64_t{16} << 20) - 1;

/// Larger numbers are taken for largest_extent.
inline int extent_bucket(std::uint64_t number) {
    if (number < exact_extents) return static_cast<int>(number);
    if (number > largest_extent) number = largest_extent;
    const int octave = std::bit_width(number) - 5;  // 0: 16 to 31
    return exact_extents + 4 * octave + static_cast<int>((number >> (octave + 2)) & 3);
}
/// First number and width. The bucket from 16 on shares its first number with the exact ones.
inline std::pair<std::uint64_t, std::uint64_t> extent_range(int bucket) {
    if (bucket < exact_extents) return {static_cast<std::uint64_t>(bucket), 1};
    const int octave = (bucket - exact_extents) / 4;
    const std::uint64_t width = std::uint64_t{4} << octave;
    return {(std::uint64_t{16} << octave) + width * static_cast<std::uint64_t>((bucket - exact_extents) % 4),
            width};
}
/// What is told of packets that are left: the power of two at or below their number; of none as of
/// one: a connection that announced to close does so even if that takes more packets.
inline int left_octave(std::uint64_t left) {
    const int octave = std::bit_width(left) - 1;
    return std::clamp(octave, 0, left_octaves - 1);
}

}  // namespace tracebench::ssm
