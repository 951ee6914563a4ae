// The small scales and memories of the `fields` encoding, against values worked out by hand.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "generators/ssm/encoding/fields/conversation.h"
#include "generators/ssm/encoding/fields/distance.h"
#include "generators/ssm/encoding/fields/gap.h"
#include "generators/ssm/encoding/fields/length_bucket.h"

namespace tracebench::ssm {
namespace {

using ::testing::ElementsAre;

TEST(Gap, Boundaries) {
    EXPECT_EQ(gap_bucket(0), 0);
    EXPECT_EQ(gap_bucket(1023), 0);
    EXPECT_EQ(gap_bucket(1024), 1);
    EXPECT_EQ(gap_bucket(1024 + 255), 1);
    EXPECT_EQ(gap_bucket(1024 + 256), 2);
    EXPECT_EQ(gap_bucket(2047), 4);
    EXPECT_EQ(gap_bucket(2048), 5);
    EXPECT_EQ(gap_bucket(2048 + 511), 5);
    EXPECT_EQ(gap_bucket(2048 + 512), 6);
    EXPECT_EQ(gap_start_ns(5), 2048);
    EXPECT_EQ(gap_width_ns(5), 512);
    EXPECT_EQ(gap_start_ns(0), 0);
    EXPECT_EQ(gap_width_ns(0), 1024);
    EXPECT_EQ(longest_gap_ns, 281'474'976'710'655);  // 2^48 - 1
    EXPECT_EQ(gap_bucket(longest_gap_ns), gap_buckets - 1);
    EXPECT_EQ(gap_bucket(std::numeric_limits<std::int64_t>::max()), gap_buckets - 1);
}

TEST(Gap, BucketsJoinWithoutGapsOrOverlaps) {
    for (int bucket = 0; bucket < gap_buckets; ++bucket) {
        const std::int64_t start = gap_start_ns(bucket), end = start + gap_width_ns(bucket);
        EXPECT_EQ(gap_bucket(start), bucket);
        EXPECT_EQ(gap_bucket(end - 1), bucket);
        if (bucket + 1 < gap_buckets) {
            EXPECT_EQ(gap_start_ns(bucket + 1), end);
        }
        if (bucket > 0) {
            EXPECT_LE(4 * gap_width_ns(bucket), start);  // at most a fourth
        }
    }
}

TEST(LengthBucket, Boundaries) {
    EXPECT_EQ(bucket_of_length(64), 0);
    EXPECT_EQ(bucket_of_length(71), 0);
    EXPECT_EQ(bucket_of_length(72), 1);
    EXPECT_EQ(bucket_of_length(127), 7);
    EXPECT_EQ(bucket_of_length(128), 8);
    EXPECT_EQ(bucket_of_length(1460), 8 * 4 + 3);  // 1024 + 3 * 128 = 1408
    EXPECT_EQ(length_bucket(8 * 4 + 3), (std::pair<std::uint32_t, std::uint32_t>{1408, 128}));
    EXPECT_EQ(bucket_of_length(65535), code::length_buckets - 1);
    std::uint32_t next = 64;
    for (int bucket = 0; bucket < code::length_buckets; ++bucket) {
        const auto [start, width] = length_bucket(bucket);
        EXPECT_EQ(start, next);
        next = start + width;
        EXPECT_EQ(bucket_of_length(start), bucket);
        EXPECT_EQ(bucket_of_length(next - 1), bucket);
        const int bytes = Vocabulary::bytes_after({Item::length, code::length_bucket + bucket});
        EXPECT_EQ(bytes, width <= 256 ? 1 : 2);
    }
    EXPECT_EQ(next, 65536U);
}

TEST(Distance, FewestBytes) {
    const auto is = [](std::int32_t difference, int value, std::vector<std::uint8_t> bytes) {
        const Distance d = write_distance(difference);
        EXPECT_EQ(d.value, value) << difference;
        EXPECT_EQ(d.bytes, bytes) << difference;
        EXPECT_EQ(read_distance(d.value, d.bytes), difference);
    };
    is(0, 4, {0});
    is(1, 4, {1});
    is(255, 4, {255});
    is(256, 5, {1, 0});
    is(65535, 5, {255, 255});
    is(65536, 6, {1, 0, 0});
    is(16777216, 7, {1, 0, 0, 0});
    is(2147483647, 7, {0x7F, 255, 255, 255});
    is(-1, 0, {1});
    is(-255, 0, {255});
    is(-256, 1, {1, 0});
    is(-2147483647 - 1, 3, {0x80, 0, 0, 0});
}

TEST(Recent, NamesByRecency) {
    Recent<int, 3> recent;
    EXPECT_EQ(recent.count(), 0);
    EXPECT_FALSE(recent.find(0));
    recent.push(1);
    recent.push(2);
    EXPECT_EQ(recent.count(), 2);
    EXPECT_EQ(recent.at(0), 2);
    EXPECT_EQ(recent.at(1), 1);
    recent.push(3);
    recent.push(4);  // 1 is forgotten
    EXPECT_EQ(recent.count(), 3);
    EXPECT_EQ(recent.find(4), 0);
    EXPECT_EQ(recent.find(2), 2);
    EXPECT_FALSE(recent.find(1));
    recent.push(3);
    EXPECT_EQ(recent.find(3), 0);  // the lowest rank of two
}

TEST(Recent, TouchMovesToTheFront) {
    Recent<int, 3> recent;
    for (const int value : {1, 2, 3}) recent.touch(value);
    recent.touch(1);
    EXPECT_EQ(recent.count(), 3);
    EXPECT_THAT((std::vector{recent.at(0), recent.at(1), recent.at(2)}), ElementsAre(1, 3, 2));
    recent.touch(1);
    EXPECT_THAT((std::vector{recent.at(0), recent.at(1), recent.at(2)}), ElementsAre(1, 3, 2));
    recent.touch(4);  // 2 is forgotten
    EXPECT_THAT((std::vector{recent.at(0), recent.at(1), recent.at(2)}), ElementsAre(4, 1, 3));
}

constexpr std::int64_t second = 1'000'000'000;

TEST(TimestampClock, FollowsItsRate) {
    TimestampClock clock;
    EXPECT_FALSE(clock.started());
    clock.update(5000, 0);
    EXPECT_TRUE(clock.started());
    EXPECT_EQ(clock.predict(2 * second), 7000U);  // 1 kHz where nothing is known
    clock.update(5100, second);                   // 100 ticks a second
    EXPECT_EQ(clock.predict(3 * second), 5300U);
    EXPECT_EQ(clock.tolerance(3 * second), 2U + 200 / 8);
    clock.update(5090, 2 * second);  // late: changes nothing
    EXPECT_EQ(clock.predict(3 * second), 5300U);
    EXPECT_EQ(clock.predict(0), 5100U);  // never back
}

TEST(TimestampClock, RunsOnPastItsEnd) {
    TimestampClock clock;
    clock.update(0xFFFFFFF0, 0);
    EXPECT_EQ(clock.predict(second), 0xFFFFFFF0U + 1000);  // modulo 2^32
    clock.update(984, second);
    EXPECT_EQ(clock.predict(2 * second), 1984U);
}

TEST(TimestampClock, ShortSpansTellNoRate) {
    TimestampClock clock;
    clock.update(0, 0);
    clock.update(100, second / 10 * 2);  // 500 a second, if 0.2 s could tell
    EXPECT_EQ(clock.predict(second / 10 * 2 + second), 1100U);
}

using Bytes = std::vector<std::uint8_t>;

TEST(TcpOptionList, UsualSyn) {
    const Bytes bytes{2, 4, 5, 0xB4, 4, 2, 8, 10, 0, 1, 2, 3, 0, 0, 0, 9, 1, 3, 3, 7};
    const auto parsed = parse_options(bytes);
    ASSERT_TRUE(parsed);
    const OptionList& list = parsed->list;
    EXPECT_THAT(
        Bytes(list.codes.begin(), list.codes.begin() + list.count),
        ElementsAre(code::mss_option, code::sack_permitted, code::timestamps, code::nop, code::scale_option));
    EXPECT_EQ(list.size(), 20);
    EXPECT_EQ(parsed->values.mss, 1460);
    EXPECT_EQ(parsed->values.timestamp, 0x00010203U);
    EXPECT_EQ(parsed->values.echo, 9U);
    EXPECT_EQ(parsed->values.window_scale, 7);
    EXPECT_EQ(write_options(list, parsed->values), bytes);
    EXPECT_EQ(list.without(code::timestamps).size(), 10);
    EXPECT_FALSE(list.without(code::timestamps).has(code::timestamps));
}

TEST(TcpOptionList, SackBlocks) {
    const Bytes bytes{1, 1, 5, 18, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4};
    const auto parsed = parse_options(bytes);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->list.sack_blocks(), 2);
    EXPECT_THAT(parsed->values.edges, ElementsAre(1, 2, 3, 4, 0, 0, 0, 0));
    EXPECT_EQ(write_options(parsed->list, parsed->values), bytes);
}

// Fast Open (34) with an empty and a full cookie, a known kind with a strange length, end of list and
// padding.
TEST(TcpOptionList, OthersAreKeptAsTheyAre) {
    for (const Bytes& bytes :
         {Bytes{34, 2, 1, 1}, Bytes{34, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 1}, Bytes{2, 5, 9, 9, 9, 1, 1, 1},
          Bytes{3, 3, 7, 0}, Bytes{34, 3, 5, 254, 4, 1, 2, 0}, Bytes{}}) {
        const auto parsed = parse_options(bytes);
        ASSERT_TRUE(parsed) << ::testing::PrintToString(bytes);
        EXPECT_EQ(parsed->list.size(), static_cast<int>(bytes.size()));
        EXPECT_EQ(write_options(parsed->list, parsed->values), bytes);
    }
    EXPECT_EQ(parse_options(Bytes{34, 3, 5, 254, 4, 1, 2, 0})->list.others,
              std::string("\x22\x05\xFE\x01\x02"));
}

TEST(TcpOptionList, WhatCannotBeSaid) {
    for (const Bytes& bytes : {Bytes{2}, Bytes{2, 0, 0, 0}, Bytes{2, 1, 0, 0}, Bytes{2, 4, 5},
                               Bytes{8, 10, 0, 0}, Bytes{4, 2, 4, 2}, Bytes{3, 3, 7, 3, 3, 7, 1, 1},
                               Bytes{5, 10, 0, 0, 0, 1, 0, 0, 0, 2, 5, 10, 0, 0, 0, 1, 0, 0, 0, 2}})
        EXPECT_FALSE(parse_options(bytes)) << ::testing::PrintToString(bytes);
}

TEST(TcpOptionList, PadsWithNoOperations) {
    OptionList list;
    list.add(code::scale_option);
    EXPECT_EQ(list.size(), 3);
    OptionValues values;
    values.window_scale = 9;
    EXPECT_THAT(write_options(list, values), ElementsAre(3, 3, 9, 1));
}

}  // namespace
}  // namespace tracebench::ssm
