#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "generators/weights/float_formats.h"

namespace tracebench {
namespace {

template <typename Stored>
std::vector<float> converted(FloatFormat format, const std::vector<Stored>& stored,
                             std::uint64_t stride = 1) {
    std::vector<std::uint8_t> bytes(stored.size() * sizeof(Stored));
    std::memcpy(bytes.data(), stored.data(), bytes.size());
    std::vector<float> values((stored.size() + stride - 1) / stride);
    read_floats(format, bytes, stride, values);
    return values;
}

TEST(FloatFormats, ReadsEveryHalfByItsDefinition) {
    // IEEE 754-2019, 3.4: (-1)^s 2^(e - 15) (1 + f / 1024), subnormals (-1)^s 2^-14 f / 1024.
    std::vector<std::uint16_t> halves(1 << 16);
    for (std::size_t i = 0; i < halves.size(); ++i) halves[i] = static_cast<std::uint16_t>(i);
    const std::vector<float> values = converted(FloatFormat::float16, halves);
    for (std::uint32_t i = 0; i < values.size(); ++i) {
        const int exponent = static_cast<int>(i >> 10 & 31);
        const double fraction = (i & 1023) / 1024.0;
        ASSERT_EQ(std::signbit(values[i]), i >= 0x8000) << i;
        if (exponent == 31 && fraction > 0)
            ASSERT_TRUE(std::isnan(values[i])) << i;
        else if (exponent == 31)
            ASSERT_TRUE(std::isinf(values[i])) << i;
        else
            ASSERT_EQ(std::fabs(values[i]),
                      exponent == 0 ? std::ldexp(fraction, -14) : std::ldexp(1 + fraction, exponent - 15))
                << i;
    }
}

TEST(FloatFormats, ReadsBfloat16AsTheUpperHalf) {
    EXPECT_THAT(converted<std::uint16_t>(FloatFormat::bfloat16, {0x3F80, 0xC040, 0x0000, 0x7F80}),
                ::testing::ElementsAre(1.0F, -3.0F, 0.0F, std::numeric_limits<float>::infinity()));
}

TEST(FloatFormats, RoundsDoublesToNearest) {
    EXPECT_THAT(converted<double>(FloatFormat::float64, {0.1, 1 + 0x1p-25, -2.5, 1e300}),
                ::testing::ElementsAre(0.1F, 1.0F, -2.5F, std::numeric_limits<float>::infinity()));
}

TEST(FloatFormats, SkipsByStride) {
    EXPECT_THAT(converted<float>(FloatFormat::float32, {1, 2, 3, 4, 5}, 2), ::testing::ElementsAre(1, 3, 5));
    EXPECT_THAT(converted<double>(FloatFormat::float64, {1, 2, 3, 4}, 3), ::testing::ElementsAre(1, 4));
}

TEST(ElementCount, MultipliesWithinBounds) {
    const auto count = [](std::vector<std::int64_t> shape) { return element_count(shape); };
    EXPECT_EQ(count({}), 1U);
    EXPECT_EQ(count({3, 4}), 12U);
    EXPECT_EQ(count({3, 0, 4}), 0U);
    EXPECT_EQ(count({-1}), std::nullopt);
    EXPECT_EQ(count({0, -1}), std::nullopt);
    EXPECT_EQ(count({std::int64_t{1} << 31, std::int64_t{1} << 31}), std::uint64_t{1} << 62);
    EXPECT_EQ(count({std::int64_t{1} << 32, std::int64_t{1} << 32}), std::nullopt);
    EXPECT_EQ(count({INT64_MAX, 2, 0}), std::nullopt);
}

}  // namespace
}  // namespace tracebench
