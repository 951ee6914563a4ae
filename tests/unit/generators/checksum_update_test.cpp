#include "generators/baseline/checksum_update.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "traffic/bytes.h"
#include "traffic/checksum.h"

namespace tracebench {
namespace {

using Covers = std::vector<const ChecksumField*>;

TEST(ReplaceBytes, GivesTheExampleOfRfc1624) {
    // Section 4: HC = 0xDD2F, m = 0x5555, m' = 0x3285, HC' = 0x0000.
    std::vector<std::uint8_t> bytes = {0xDD, 0x2F, 0x55, 0x55};
    const ChecksumField field{0, false, {}};
    replace_bytes(bytes, 2, std::array<std::uint8_t, 2>{0x32, 0x85}, Covers{&field});
    EXPECT_EQ(bytes, (std::vector<std::uint8_t>{0x00, 0x00, 0x32, 0x85}));
}

TEST(ReplaceBytes, KeepsARightSumRight) {
    std::vector<std::uint8_t> bytes = {0, 0, 0x12, 0x34, 0xFF, 0xFF, 0x00, 0x01, 0xAB, 0xCD};
    store16(bytes.data(), static_cast<std::uint16_t>(~ones_complement_sum(bytes)));
    const ChecksumField field{0, false, {}};
    replace_bytes(bytes, 4, std::array<std::uint8_t, 4>{0x00, 0x00, 0xFE, 0xDC}, Covers{&field});
    EXPECT_EQ(ones_complement_sum(bytes), 0xFFFF);  // RFC 1071: with its checksum, all ones
    EXPECT_EQ(load32(&bytes[4]), 0x0000FEDCU);
}

TEST(ReplaceBytes, KeepsAWrongSumAsWrong) {
    std::vector<std::uint8_t> bytes = {0, 0, 0x12, 0x34, 0x56, 0x78};
    store16(bytes.data(), static_cast<std::uint16_t>(~ones_complement_sum(bytes) + 5));
    const std::uint16_t before = ones_complement_sum(bytes);
    const ChecksumField field{0, false, {}};
    replace_bytes(bytes, 2, std::array<std::uint8_t, 2>{0x99, 0x88}, Covers{&field});
    EXPECT_EQ(ones_complement_sum(bytes), before);
    EXPECT_NE(before, 0xFFFF);
}

TEST(ReplaceBytes, LeavesAnAbsentUdpChecksumAbsent) {
    std::vector<std::uint8_t> bytes = {0, 0, 0x12, 0x34};
    const ChecksumField field{0, true, {}};
    replace_bytes(bytes, 2, std::array<std::uint8_t, 2>{0x43, 0x21}, Covers{&field});
    EXPECT_EQ(load16(bytes.data()), 0);
}

TEST(ReplaceBytes, WritesAUdpChecksumOfZeroAsOnes) {
    std::vector<std::uint8_t> bytes = {0xDD, 0x2F, 0x55, 0x55};
    const ChecksumField field{0, true, {}};
    replace_bytes(bytes, 2, std::array<std::uint8_t, 2>{0x32, 0x85}, Covers{&field});
    EXPECT_EQ(load16(bytes.data()), 0xFFFF);
}

TEST(ReplaceBytes, CorrectsAChecksumOverAChecksum) {
    // [outer sum][inner sum][word]: the outer one covers everything, the inner one the word.
    std::vector<std::uint8_t> bytes = {0, 0, 0, 0, 0x12, 0x34};
    store16(&bytes[2], static_cast<std::uint16_t>(~ones_complement_sum(std::span(bytes).subspan(2))));
    store16(&bytes[0], static_cast<std::uint16_t>(~ones_complement_sum(bytes)));
    const ChecksumField outer{0, false, {}}, inner{2, false, {&outer}};
    replace_bytes(bytes, 4, std::array<std::uint8_t, 2>{0x77, 0x01}, Covers{&outer, &inner});
    EXPECT_EQ(ones_complement_sum(std::span(bytes).subspan(2)), 0xFFFF);
    EXPECT_EQ(ones_complement_sum(bytes), 0xFFFF);
}

}  // namespace
}  // namespace tracebench
