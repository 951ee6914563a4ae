#include "generators/histogram.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/error.h"

namespace tracebench {
namespace {

TEST(Histogram, DrawsInProportion) {
    Histogram histogram;
    histogram.add(10, 1);
    histogram.add(20, 3);
    Random random(7);
    int twenties = 0;
    for (int i = 0; i < 10000; ++i) {
        const std::uint64_t value = histogram.draw(random);
        ASSERT_TRUE(value == 10 || value == 20);
        twenties += value == 20 ? 1 : 0;
    }
    EXPECT_NEAR(twenties, 7500, 200);  // 4.6 standard deviations
}

TEST(Histogram, KeepsLeadingBits) {
    Histogram histogram(3);   // four significant bits
    histogram.add(15);        // exact
    histogram.add(0b110101);  // 53: bucket 52..55
    EXPECT_EQ(histogram.counts(), (std::map<std::uint64_t, std::uint64_t>{{15, 1}, {52, 1}}));
    Random random(1);
    bool above = false;
    for (int i = 0; i < 200; ++i) {
        const std::uint64_t value = histogram.draw(random);
        ASSERT_TRUE(value == 15 || (value >= 52 && value <= 55)) << value;
        above |= value == 55;
    }
    EXPECT_TRUE(above);
}

TEST(Histogram, DrawsZeroWhereEmpty) {
    Histogram histogram;
    Random random(1);
    EXPECT_EQ(histogram.draw(random), 0U);
    ByteHistogram bytes;
    EXPECT_EQ(bytes.draw(random), "");
}

TEST(Histogram, SurvivesJson) {
    Histogram histogram(5);
    for (std::uint64_t value : {0ULL, 3ULL, 70'000ULL, 1ULL << 40}) histogram.add(value, value % 7 + 1);
    const nlohmann::json json = histogram.to_json();
    EXPECT_EQ(Histogram::from_json(CheckedJson(json, "test"), 1ULL << 41, 5).counts(), histogram.counts());

    ByteHistogram bytes;
    bytes.add(std::string("\x00\xFF", 2), 3);
    const nlohmann::json byte_json = bytes.to_json();
    EXPECT_EQ(ByteHistogram::from_json(CheckedJson(byte_json, "test"), 2).counts(), bytes.counts());
}

TEST(Histogram, RejectsHostileJson) {
    for (const char* text : {"{}", "[1]", "[[1]]", "[[1,2,3]]", "[[1,0]]", "[[-1,1]]", "[[300,1]]",
                             "[[1.5,1]]", "[[18446744073709551615,1]]", "[[1,1e300]]"}) {
        const nlohmann::json json = nlohmann::json::parse(text);
        EXPECT_THROW(Histogram::from_json(CheckedJson(json, "test"), 255), InputError) << text;
    }
    for (const char* text : {R"([["0",1]])", R"([["zz",1]])", R"([["aabbcc",1]])", R"([[5,1]])"}) {
        const nlohmann::json json = nlohmann::json::parse(text);
        EXPECT_THROW(ByteHistogram::from_json(CheckedJson(json, "test"), 2), InputError) << text;
    }
}

}  // namespace
}  // namespace tracebench
