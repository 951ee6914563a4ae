#pragma once
/// Signed differences of numbers modulo 2^32 in as few bytes as they need: values 0..3 of an item are -1 to
/// -4 bytes, 4..7 are +1 to +4.

#include <cstdint>
#include <span>
#include <vector>

namespace tracebench::ssm {

struct Distance {
    int value = 0;  ///< to be added to the item's first distance value
    std::vector<std::uint8_t> bytes{};
};

inline Distance write_distance(std::int32_t difference) {
    Distance distance;
    auto magnitude = static_cast<std::uint32_t>(difference < 0 ? -std::int64_t{difference} : difference);
    do {
        distance.bytes.insert(distance.bytes.begin(), static_cast<std::uint8_t>(magnitude));
        magnitude >>= 8;
    } while (magnitude != 0);
    distance.value = (difference < 0 ? 0 : 4) + static_cast<int>(distance.bytes.size()) - 1;
    return distance;
}

/// `bytes` are value % 4 + 1 of them.
inline std::int64_t read_distance(int value, std::span<const std::uint8_t> bytes) {
    std::int64_t magnitude = 0;
    for (const std::uint8_t byte : bytes) magnitude = magnitude << 8 | byte;
    return value < 4 ? -magnitude : magnitude;
}

}  // namespace tracebench::ssm
