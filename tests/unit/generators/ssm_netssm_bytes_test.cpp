#include <gtest/gtest.h>

#include <array>

#include "generators/ssm/encoding/netssm_bytes.h"

namespace tracebench::ssm {
namespace {

using Prefix = std::vector<std::uint8_t>;

std::vector<int> bytes_of(const ByteSet& set) {
    std::vector<int> bytes;
    for (int byte = 0; byte < 256; ++byte)
        if (set[static_cast<std::size_t>(byte)]) bytes.push_back(byte);
    return bytes;
}

TEST(NumberSet, FollowsARangeByteByByte) {
    NumberSet set;
    set.add_range(0x0102FFFE, 0x01030001);
    EXPECT_EQ(bytes_of(set.next_byte(Prefix{})), std::vector{1});
    EXPECT_EQ(bytes_of(set.next_byte(Prefix{1})), (std::vector{2, 3}));
    EXPECT_EQ(bytes_of(set.next_byte(Prefix{1, 2})), std::vector{0xFF});
    EXPECT_EQ(bytes_of(set.next_byte(Prefix{1, 2, 0xFF})), (std::vector{0xFE, 0xFF}));
    EXPECT_EQ(bytes_of(set.next_byte(Prefix{1, 3, 0})), (std::vector{0, 1}));
    EXPECT_TRUE(set.next_byte(Prefix{1, 4}).none());
}

TEST(NumberSet, RangesWrapAround) {
    NumberSet set;
    set.add_range(0xFFFFFFFF, 1);
    EXPECT_EQ(bytes_of(set.next_byte(Prefix{})), (std::vector{0, 0xFF}));
    EXPECT_EQ(bytes_of(set.next_byte(Prefix{0, 0, 0})), (std::vector{0, 1}));
    EXPECT_TRUE(set.contains(0));
    EXPECT_TRUE(set.contains(0xFFFFFFFF));
    EXPECT_FALSE(set.contains(2));
    EXPECT_FALSE(set.contains(0xFFFFFFFE));
}

TEST(NumberSet, SeveralNumbers) {
    NumberSet set;
    EXPECT_TRUE(set.empty());
    EXPECT_TRUE(set.next_byte(Prefix{}).none());
    set.add(0x10000000);
    set.add(0x20000007);
    EXPECT_EQ(bytes_of(set.next_byte(Prefix{})), (std::vector{0x10, 0x20}));
    EXPECT_EQ(bytes_of(set.next_byte(Prefix{0x20, 0, 0})), std::vector{7});
    EXPECT_TRUE(NumberSet::any().next_byte(Prefix{1, 2, 3}).all());
}

}  // namespace
}  // namespace tracebench::ssm
