#pragma once
/// The bytes of an item whose value is a number: big-endian, as on the wire.

#include <cstdint>
#include <vector>

namespace tracebench::ssm {

inline std::vector<std::uint8_t> bytes16(std::uint32_t value) {
    return {static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)};
}
inline std::vector<std::uint8_t> bytes32(std::uint32_t value) {
    return {static_cast<std::uint8_t>(value >> 24), static_cast<std::uint8_t>(value >> 16),
            static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)};
}

}  // namespace tracebench::ssm
