#include <gtest/gtest.h>

#include "generators/diffusion/repair/option_list.h"

namespace tracebench::diffusion {
namespace {

using Bytes = std::vector<std::uint8_t>;

std::array<std::int8_t, 8 * kOptionBytes> bits_of(const Bytes& bytes) {
    std::array<std::int8_t, 8 * kOptionBytes> bits;
    bits.fill(-1);
    for (std::size_t i = 0; i < 8 * bytes.size(); ++i) bits[i] = bytes[i / 8] >> (7 - i % 8) & 1;
    return bits;
}
Bytes bytes_of(OptionBitsView bits, std::size_t words) {
    Bytes bytes(4 * words);
    for (std::size_t i = 0; i < bits.size(); ++i) {
        EXPECT_EQ(bits[i] >= 0, i < 32 * words) << i;
        if (bits[i] > 0) bytes[i / 8] = static_cast<std::uint8_t>(bytes[i / 8] | 0x80 >> i % 8);
    }
    return bytes;
}

struct Result {
    Bytes bytes;
    OptionChoice choice;
};
Result repaired(const Bytes& bytes, bool syn, int words, const OptionDemand& demand = {}) {
    auto bits = bits_of(bytes);
    const OptionChoice choice = make_option_list_legal(bits, words, syn, demand);
    return {bytes_of(bits, choice.words), choice};
}

const Bytes linux_syn{2, 4, 5, 0xB4, 4, 2, 8, 10, 0, 0, 0, 9, 0, 0, 0, 0, 1, 3, 3, 10};

TEST(OptionList, LegalOnesStay) {
    for (const auto& [bytes, syn] : {std::pair{linux_syn, true},
                                     {Bytes{}, true},
                                     {Bytes{1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8}, false},
                                     {Bytes{1, 1, 5, 10, 0, 0, 0, 1, 0, 0, 0, 9}, false},
                                     {Bytes{34, 2, 0, 0}, true},
                                     {Bytes{30, 4, 0, 0}, false},
                                     {Bytes{2, 4, 5, 0xB4, 0, 0, 0, 0}, true}}) {
        const Result result = repaired(bytes, syn, static_cast<int>(bytes.size() / 4));
        EXPECT_EQ(result.bytes, bytes);
        EXPECT_EQ(result.choice.cost, 0U);
    }
}

TEST(OptionList, OneWrongBitIsFoundWhereverItIs) {
    for (const std::size_t byte : {0U, 1U, 4U, 5U, 6U, 7U, 16U, 17U, 18U})  // kinds, lengths and the padding
        for (int bit = 0; bit < 8; ++bit) {
            Bytes damaged = linux_syn;
            damaged[byte] = static_cast<std::uint8_t>(damaged[byte] ^ 1 << bit);
            EXPECT_LE(repaired(damaged, true, 5).choice.cost, 1U) << byte << " " << bit;
        }
    // The length field says 6 words, 20 bytes are present: one bit of the field, not 32 of the options.
    const Result result = repaired(linux_syn, true, 7);  // 12 for 10: 1100 for 1010
    EXPECT_EQ(result.bytes, linux_syn);
    EXPECT_EQ(result.choice.cost, 2U);
}

TEST(OptionList, KeepsToWhatSegmentsMayHave) {
    // Window scale and maximum segment size are for SYN only; 3 1 are no legal begin of an option elsewhere.
    const Result later = repaired({2, 4, 5, 0xB4}, false, 1);
    EXPECT_EQ(later.choice.set, 0U);
    EXPECT_NE(later.bytes, (Bytes{2, 4, 5, 0xB4}));
    EXPECT_EQ(repaired({3, 3, 15, 0}, true, 1).bytes, (Bytes{3, 3, 14, 0}));
    EXPECT_EQ(repaired({2, 4, 0, 0}, true, 1).choice.cost, 1U);
}

TEST(OptionList, DemandsAreMet) {
    const Result without = repaired(linux_syn, true, 5, {0, option_set::timestamps});
    EXPECT_EQ(without.choice.set & option_set::timestamps, 0U);
    const Result with =
        repaired({2, 4, 5, 0xB4}, true, 1, {option_set::timestamps | option_set::window_scale, 0});
    EXPECT_EQ(with.choice.set & (option_set::timestamps | option_set::window_scale),
              option_set::timestamps | option_set::window_scale);
}

TEST(OptionLength, IsTheNearest) {
    auto bits = bits_of(Bytes(8, 0xFF));
    bits[70] = 1;  // one stray bit behind two words
    EXPECT_EQ(make_option_length_legal(bits, 2), 2U);
    EXPECT_EQ(bytes_of(bits, 2), Bytes(8, 0xFF));
    bits.fill(-1);
    EXPECT_EQ(make_option_length_legal(bits, -5), 0U);
}

}  // namespace
}  // namespace tracebench::diffusion
