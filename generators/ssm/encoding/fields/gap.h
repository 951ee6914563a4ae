#pragma once
/// Inter-arrival times on a logarithmic scale: 4 buckets an octave, each at most a quarter of its value wide.
/// Finer ones made most of what a model had to learn chance: half of a packet's bits at 8 an octave.

#include <cstdint>

namespace tracebench::ssm {

inline constexpr int gap_octaves = 38, gap_buckets = 4 * gap_octaves + 1;
/// Longer gaps (over 78 hours) are taken for this one.
inline constexpr std::int64_t longest_gap_ns = (std::int64_t{1024} << gap_octaves) - 1;

/// The first bucket holds everything below 1024 ns.
inline int gap_bucket(std::int64_t gap_ns) {
    if (gap_ns < 1024) return 0;
    if (gap_ns > longest_gap_ns) gap_ns = longest_gap_ns;
    const int octave = 63 - __builtin_clzll(static_cast<unsigned long long>(gap_ns));  // 10 or more
    return 1 + 4 * (octave - 10) + static_cast<int>((gap_ns >> (octave - 2)) & 3);
}
inline std::int64_t gap_start_ns(int bucket) {
    if (bucket == 0) return 0;
    const int octave = 10 + (bucket - 1) / 4;
    return (std::int64_t{4} + (bucket - 1) % 4) << (octave - 2);
}
inline std::int64_t gap_width_ns(int bucket) {
    return bucket == 0 ? 1024 : std::int64_t{1} << (8 + (bucket - 1) / 4);
}

}  // namespace tracebench::ssm
