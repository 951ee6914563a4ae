#pragma once
/// The floating-point formats that weights are stored in, little-endian, and their conversion to 32 bits.

#include <cstdint>
#include <optional>
#include <span>

namespace tracebench {

enum class FloatFormat {
    float32,
    float16,   ///< IEEE 754 binary16
    bfloat16,  ///< the upper half of a float32
    float64,   ///< rounded to nearest; beyond the range of float32: infinity
};

/// Bytes of one value.
constexpr std::uint64_t width(FloatFormat format) {
    return format == FloatFormat::float64 ? 8 : format == FloatFormat::float32 ? 4 : 2;
}

/// Reads `out.size()` values, each `stride` values after the one before, from the first one of `bytes`, which
/// must hold them all. Infinities and NaN stay what they are.
void read_floats(FloatFormat format, std::span<const std::uint8_t> bytes, std::uint64_t stride,
                 std::span<float> out);

/// Elements of a tensor of this shape; nothing where an extent is negative or the product is beyond 2^62.
std::optional<std::uint64_t> element_count(std::span<const std::int64_t> shape);

}  // namespace tracebench
