#pragma once
/// Buckets of payload lengths: 8 an octave from 64 bytes on, each followed by the bytes inside it.

#include <cstdint>
#include <utility>

namespace tracebench::ssm {

/// First length and width of bucket 0..79.
inline std::pair<std::uint32_t, std::uint32_t> length_bucket(int bucket) {
    const int octave = bucket / 8;
    const std::uint32_t width = std::uint32_t{8} << octave;
    return {(std::uint32_t{64} << octave) + width * static_cast<std::uint32_t>(bucket % 8), width};
}
/// Of a length from 64 to 65535.
inline int bucket_of_length(std::uint32_t length) {
    const int octave = 31 - __builtin_clz(length) - 6;
    return 8 * octave + static_cast<int>((length >> (octave + 3)) & 7);
}

}  // namespace tracebench::ssm
