#include "generators/weights/float_formats.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace tracebench {
namespace {

static_assert(std::endian::native == std::endian::little, "weights are little-endian and read as they are");
static_assert(std::numeric_limits<float>::is_iec559 && std::numeric_limits<double>::is_iec559);

template <typename T>
T load(const std::uint8_t* bytes) {
    T value;
    std::memcpy(&value, bytes, sizeof value);
    return value;
}

/// IEEE 754-2019, 3.6: 1 sign bit, 5 of exponent (bias 15), 10 of fraction.
float from_half(std::uint16_t half) {
    const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000U) << 16;
    const std::uint32_t exponent = (half >> 10) & 0x1FU, fraction = half & 0x3FFU;
    if (exponent == 0) {  // zero and subnormals: fraction * 2^-24
        const float magnitude = std::ldexp(static_cast<float>(fraction), -24);
        return sign != 0 ? -magnitude : magnitude;
    }
    const std::uint32_t wide = exponent == 0x1F ? 0xFF : exponent - 15 + 127;
    return std::bit_cast<float>(sign | wide << 23 | fraction << 13);
}

template <typename Stored, typename Convert>
void read_all(std::span<const std::uint8_t> bytes, std::uint64_t stride, std::span<float> out,
              Convert convert) {
    const std::uint8_t* from = bytes.data();
    for (std::size_t i = 0; i < out.size(); ++i)
        out[i] = convert(load<Stored>(from + i * stride * sizeof(Stored)));
}

}  // namespace

void read_floats(FloatFormat format, std::span<const std::uint8_t> bytes, std::uint64_t stride,
                 std::span<float> out) {
    switch (format) {
        case FloatFormat::float32:
            if (stride == 1 && !out.empty())
                std::memcpy(out.data(), bytes.data(), out.size_bytes());
            else
                read_all<float>(bytes, stride, out, [](float value) { return value; });
            break;
        case FloatFormat::float16:
            read_all<std::uint16_t>(bytes, stride, out, from_half);
            break;
        case FloatFormat::bfloat16:
            read_all<std::uint16_t>(bytes, stride, out, [](std::uint16_t upper) {
                return std::bit_cast<float>(static_cast<std::uint32_t>(upper) << 16);
            });
            break;
        case FloatFormat::float64:
            read_all<double>(bytes, stride, out, [](double value) { return static_cast<float>(value); });
            break;
    }
}

std::optional<std::uint64_t> element_count(std::span<const std::int64_t> shape) {
    // An extent of 0 makes the product 0 whatever the others are, but they still have to be sane.
    constexpr std::int64_t limit = std::int64_t{1} << 62;
    std::int64_t bounded = 1;
    bool none = false;
    for (const std::int64_t extent : shape) {
        if (extent < 0) return std::nullopt;
        if (extent == 0)
            none = true;
        else if (bounded > limit / extent)
            return std::nullopt;
        else
            bounded *= extent;
    }
    return none ? 0 : static_cast<std::uint64_t>(bounded);
}

}  // namespace tracebench
