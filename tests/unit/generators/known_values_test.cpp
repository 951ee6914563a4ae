#include "generators/diffusion/known_values.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "generators/diffusion/row_fields.h"
#include "support.h"

namespace tracebench::diffusion {
namespace {

using tracebench::testing::input_error;

/// Rows of TCP over IPv4 with these times to live, from port 443 to an ephemeral one.
ModelRows rows_of(const std::vector<std::uint32_t>& ttls, std::uint32_t port = 443) {
    ModelRows rows;
    for (const std::uint32_t ttl : ttls) {
        rows.ternary.resize(rows.ternary.size() + kTernary, -1);
        rows.log_gap.push_back(0);
        const Bits bits = rows.row(rows.rows() - 1).first<kNprintColumns>();
        put(bits, field::ttl, ttl);
        put(bits, field::tcp_source, port);
        put(bits, field::tcp_destination, 0);
    }
    return rows;
}

std::uint32_t value(const ModelRows& rows, std::size_t row, Field place) {
    return get(rows.row(row).first<kNprintColumns>(), place);
}

TEST(KnownValues, WrongBitsOfCodesGoToTheNearest) {
    KnownValues known;
    known.add(rows_of({64, 64, 64, 55}));
    ModelRows rows = rows_of({65, 54, 64, 0b01010111}, 442);
    known.apply(rows);
    EXPECT_EQ(value(rows, 0, field::ttl), 64U);
    EXPECT_EQ(value(rows, 1, field::ttl), 55U);
    EXPECT_EQ(value(rows, 2, field::ttl), 64U);
    EXPECT_EQ(value(rows, 3, field::ttl), 55U);  // two bits; 64 is four away
    EXPECT_EQ(value(rows, 0, field::tcp_source), 443U);
    EXPECT_EQ(value(rows, 0, field::tcp_destination), 0U);
    // Not there.
    EXPECT_FALSE(is_present(rows.row(0).first<kNprintColumns>(), field::tos));
    EXPECT_FALSE(is_present(rows.row(0).first<kNprintColumns>(), field::udp_source));
}

TEST(KnownValues, OfEquallyNearOnesTheMostFrequentCounts) {
    KnownValues known;
    known.add(rows_of({0b01, 0b10, 0b10}));
    ModelRows rows = rows_of({0b11, 0b00});
    known.apply(rows);
    EXPECT_EQ(value(rows, 0, field::ttl), 0b10U);
    EXPECT_EQ(value(rows, 1, field::ttl), 0b10U);
}

TEST(KnownValues, FieldsWithManyValuesAreOpen) {
    KnownValues known;
    for (std::uint32_t port = 0; port < KnownValues::most; ++port) known.add(rows_of({64}, 1000 + port));
    EXPECT_FALSE(known.to_json().contains("tcp_port"));  // 64 and the ephemeral one
    EXPECT_TRUE(known.to_json().contains("ttl"));
    ModelRows rows = rows_of({65}, 5000);
    known.apply(rows);
    EXPECT_EQ(value(rows, 0, field::tcp_source), 5000U);
    EXPECT_EQ(value(rows, 0, field::ttl), 64U);
}

/// Rows of TCP with these distances of the sequence number.
ModelRows sequences(const std::vector<std::uint32_t>& distances) {
    ModelRows rows = rows_of(std::vector<std::uint32_t>(distances.size(), 64));
    for (std::size_t i = 0; i < distances.size(); ++i)
        put(rows.row(i).first<kNprintColumns>(), field::sequence, distances[i]);
    return rows;
}

TEST(KnownValues, RareNumbersAreWrongBitsOfFrequentOnes) {
    KnownValues known;
    std::vector<std::uint32_t> distances(1000, 0);
    distances.push_back(2895);
    distances.push_back(1);
    known.add(sequences(distances));
    // One bit from 0 (log 1000 = 6.9, a bit costs 5), as is a 1, though it was seen once (log 1 = 0); two
    // bits; one bit from what was seen once; seen once and far from 0.
    ModelRows rows = sequences({2048, 1, 0b1010, 2894, 2895});
    known.apply(rows);
    const std::vector<std::uint32_t> expected = {0, 0, 0b1010, 2894, 2895};
    for (std::size_t i = 0; i < expected.size(); ++i)
        EXPECT_EQ(value(rows, i, field::sequence), expected[i]) << i;
}

TEST(KnownValues, OfNumbersWithManyValuesTheMostFrequentCount) {
    KnownValues known;
    for (std::uint32_t i = 0; i < 100; ++i) known.add(sequences({i << 8, 0, 0}));
    EXPECT_EQ(known.to_json()["tcp_seq"].size(), KnownValues::most);
    const KnownValues read = KnownValues::from_json(CheckedJson(known.to_json(), "book"));
    ModelRows rows = sequences({1, 7 << 8});
    read.apply(rows);
    EXPECT_EQ(value(rows, 0, field::sequence), 0U);
    EXPECT_EQ(value(rows, 1, field::sequence), 7U << 8);
}

TEST(KnownValues, HalfAFieldIsFilledAndLessLeftAlone) {
    KnownValues known;
    known.add(rows_of({64, 55, 64}));
    ModelRows rows = rows_of({64, 64});
    const Bits most = rows.row(0).first<kNprintColumns>(), few = rows.row(1).first<kNprintColumns>();
    most[field::tcp_source.first + 7] = most[field::tcp_source.first + 15] = -1;  // 443 without its ones
    for (std::size_t i = 0; i < 9; ++i) few[field::tcp_source.first + i] = -1;
    known.apply(rows);
    EXPECT_EQ(value(rows, 0, field::tcp_source), 443U);
    EXPECT_EQ(count_present(most, field::tcp_source.first, 16), 16U);
    EXPECT_EQ(count_present(few, field::tcp_source.first, 16), 7U);
}

TEST(KnownValues, AMaximumSegmentSizeIsOneThatWasSeen) {
    constexpr std::uint32_t mss_1460 = 0x020405B4, timestamps = 0x0101080A;
    ModelRows rows = rows_of({64, 64, 64});
    for (const auto& [row, word] : {std::pair(0, mss_1460), {1, timestamps}, {2, timestamps}})
        put(rows.row(static_cast<std::size_t>(row)).first<kNprintColumns>(), field::first_option, word);
    KnownValues known;
    known.add(rows);
    put(rows.row(0).first<kNprintColumns>(), field::first_option, mss_1460 ^ 0x300);
    put(rows.row(1).first<kNprintColumns>(), field::first_option, timestamps ^ 0x40000000);
    const KnownValues read = KnownValues::from_json(CheckedJson(known.to_json(), "book"));
    read.apply(rows);
    EXPECT_EQ(value(rows, 0, field::first_option), mss_1460);
    EXPECT_EQ(value(rows, 1, field::first_option), timestamps);
}

ModelRows segments(const std::vector<std::uint32_t>& lengths, std::uint32_t flags) {
    ModelRows rows = rows_of(std::vector<std::uint32_t>(lengths.size(), 64));
    for (std::size_t i = 0; i < lengths.size(); ++i) {
        const Bits bits = rows.row(i).first<kNprintColumns>();
        put(bits, field::data_offset, 8);
        put(bits, field::tcp_flags, flags);
        put(bits, field::total_length, lengths[i]);
    }
    return rows;
}

TEST(KnownValues, LengthsGoWithTheFlagsTheyWereSeenWith) {
    constexpr std::uint32_t ack = 0x10, psh_ack = 0x18;
    KnownValues known;
    for (int i = 0; i < 100; ++i) {
        known.add(segments({52, 1500}, ack));
        known.add(segments({119}, psh_ack));
    }
    const KnownValues read = KnownValues::from_json(CheckedJson(known.to_json(), "book"));
    ModelRows acks = segments({53, 1436, 119, 0b1000'0000'0000'0111}, ack), pushed = segments({52}, psh_ack);
    read.apply(acks);
    read.apply(pushed);
    EXPECT_EQ(value(acks, 0, field::total_length), 52U);
    EXPECT_EQ(value(acks, 1, field::total_length), 1500U);  // a bit away
    // One of what differs is wrong: the flag, which has a bit, not the length, which would have more.
    EXPECT_EQ(value(acks, 2, field::total_length), 119U);
    EXPECT_EQ(value(acks, 2, field::tcp_flags), psh_ack);
    EXPECT_EQ(value(acks, 3, field::total_length), 0b1000'0000'0000'0111U);  // like none
    EXPECT_EQ(value(acks, 0, field::data_offset), 8U);
    EXPECT_EQ(value(pushed, 0, field::total_length), 52U);
    EXPECT_EQ(value(pushed, 0, field::tcp_flags), ack);
    ModelRows other = rows_of({64});  // no TCP flags
    const Bits bits = other.row(0).first<kNprintColumns>();
    put(bits, field::total_length, 53);
    read.apply(other);
    EXPECT_EQ(value(other, 0, field::total_length), 53U);
    EXPECT_FALSE(is_present(bits, field::tcp_flags));
}

TEST(KnownValues, BothLengthsOfADatagramVote) {
    const auto datagram = [](std::uint32_t total, std::uint32_t length) {
        ModelRows rows;
        rows.ternary.resize(kTernary, -1);
        rows.log_gap.push_back(0);
        const Bits bits = rows.row(0).first<kNprintColumns>();
        put(bits, field::total_length, total);
        put(bits, field::udp_length, length);
        return rows;
    };
    KnownValues known;
    for (int i = 0; i < 100; ++i) {
        known.add(datagram(28 + 0x20, 8 + 0x20));
        known.add(datagram(0xFFF0, 0xFFDC));  // 32 bits are used
    }
    ModelRows rows = datagram(28 + 0x20, 8 + 0x21);
    known.apply(rows);
    EXPECT_EQ(value(rows, 0, field::total_length), 28U + 0x20U);
    EXPECT_EQ(value(rows, 0, field::udp_length), 8U + 0x20U);
    rows = datagram(0xFFF1, 0xFFDC);
    known.apply(rows);
    EXPECT_EQ(value(rows, 0, field::total_length), 0xFFF0U);
    EXPECT_EQ(value(rows, 0, field::udp_length), 0xFFDCU);
}

TEST(KnownValues, FlowsBeginWithWhatTheyWereSeenToBeginWith) {
    const auto row = [](bool begins, std::uint32_t flags, bool answer, std::uint32_t server) {
        ModelRows rows = rows_of({64});
        rows.row(0)[model_column::new_flow] = begins ? 1 : 0;
        const Bits bits = rows.row(0).first<kNprintColumns>();
        put(bits, field::tcp_flags, flags);
        put(bits, field::tcp_source, answer ? 443 : 0);
        put(bits, field::tcp_destination, answer ? 0 : 443);
        put(bits, field::source, begins ? 0x0A000002 : 0);
        put(bits, field::destination, begins ? 0xC6000000 | server : 0);
        return rows;
    };
    constexpr std::uint32_t syn = 0x02, syn_ack = 0x12, ack = 0x10;
    KnownValues known;
    for (int i = 0; i < 100; ++i) {
        known.add(row(true, syn, false, 2));
        if (i % 2 == 0) known.add(row(false, syn_ack, true, 0));  // not all are
        known.add(row(false, ack, false, 0));
    }
    known.add(row(true, ack, false, 2));  // a capture that begins in the middle of a flow
    const KnownValues read = KnownValues::from_json(CheckedJson(known.to_json(), "book"));
    const auto applied = [&](ModelRows rows) {
        read.apply(rows);
        return rows;
    };
    const auto begins = [](const ModelRows& rows) { return rows.row(0)[model_column::new_flow] > 0; };
    EXPECT_TRUE(begins(applied(row(true, syn, false, 2))));
    EXPECT_TRUE(begins(applied(row(false, syn, false, 2))));
    EXPECT_FALSE(begins(applied(row(true, syn_ack, true, 2))));  // an answer
    EXPECT_FALSE(begins(applied(row(false, ack, false, 2))));
    EXPECT_TRUE(begins(applied(row(true, ack, false, 2))));  // rare, but seen
    const ModelRows server = applied(row(true, syn, false, 0));
    EXPECT_EQ(value(server, 0, field::destination), 0xC6000002U);  // never a new one
}

TEST(KnownValues, SurviveJsonAndRefuseWhatIsNone) {
    KnownValues known;
    known.add(rows_of({64, 55, 64}));
    const nlohmann::json json = known.to_json();
    EXPECT_EQ(json, nlohmann::json::parse(R"({"ttl": [[55,1],[64,2]], "tcp_port": [[0,3],[443,3]]})"));
    EXPECT_EQ(KnownValues::from_json(CheckedJson(json, "book")).to_json(), json);
    const auto refused = [](nlohmann::json text) {
        return input_error([&] { KnownValues::from_json(CheckedJson(text, "book")); });
    };
    EXPECT_NE(refused({{"window", {{1, 1}}}}).find("'window'"), std::string::npos);
    EXPECT_NE(refused({{"ttl", {{256, 1}}}}).find("/ttl"), std::string::npos);
    EXPECT_NE(refused({{"ttl", {{64, 0}}}}).find("/ttl"), std::string::npos);
    nlohmann::json many = nlohmann::json::array();
    for (int i = 0; i < 65; ++i) many.push_back({i, 1});
    EXPECT_NE(refused({{"ttl", many}}).find("/ttl"), std::string::npos);
}

}  // namespace
}  // namespace tracebench::diffusion
