#pragma once
/// Big-endian loads and stores on packet bytes. The caller has checked the bounds.

#include <cstdint>

namespace tracebench {

inline std::uint16_t load16(const std::uint8_t* p) { return static_cast<std::uint16_t>(p[0] << 8 | p[1]); }
inline std::uint32_t load32(const std::uint8_t* p) {
    return static_cast<std::uint32_t>(p[0]) << 24 | static_cast<std::uint32_t>(p[1]) << 16 |
           static_cast<std::uint32_t>(p[2]) << 8 | p[3];
}
inline void store16(std::uint8_t* p, std::uint16_t value) {
    p[0] = static_cast<std::uint8_t>(value >> 8);
    p[1] = static_cast<std::uint8_t>(value);
}
inline void store32(std::uint8_t* p, std::uint32_t value) {
    store16(p, static_cast<std::uint16_t>(value >> 16));
    store16(p + 2, static_cast<std::uint16_t>(value));
}

}  // namespace tracebench
