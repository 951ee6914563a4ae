// Counts of nPrint bits and distances between them, against values worked out by hand.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>

#include "metrics/nprint/bit_distances.h"
#include "tests/unit/metrics/traces.h"
#include "traffic/nprint.h"

namespace tracebench {
namespace {

using testing_traces::endpoint;

/// A TCP or UDP packet without payload and with a TTL.
PacketFields packet(std::uint8_t protocol, std::uint8_t ttl) {
    PacketFields fields;
    fields.src = endpoint(1, 40000);
    fields.dst = endpoint(2, 443);
    fields.protocol = protocol;
    fields.ttl = ttl;
    return fields;
}

/// Each inner list is one session.
std::vector<LabelledTrace> sessions(const std::vector<std::vector<PacketFields>>& packets) {
    std::vector<LabelledTrace> samples;
    for (const auto& session : packets) {
        LabelledTrace& sample = samples.emplace_back();
        sample.label = "a";
        for (const PacketFields& fields : session) testing_traces::append(sample.trace, 0, fields);
    }
    return samples;
}

std::vector<LabelledTrace> ttls(const std::vector<std::vector<std::uint8_t>>& values) {
    std::vector<std::vector<PacketFields>> packets;
    for (const auto& session : values) {
        packets.emplace_back();
        for (const std::uint8_t ttl : session) packets.back().push_back(packet(ip_protocol::tcp, ttl));
    }
    return sessions(packets);
}

std::vector<BitDistances> compare(const std::vector<LabelledTrace>& a, const std::vector<LabelledTrace>& b) {
    return *column_distances(pooled_bits(BitCounts(a)), pooled_bits(BitCounts(b)));
}

std::size_t column(const char* field, std::size_t bit) {
    return find_nprint_field(field)->first + bit;
}

const ColumnGroup& group(const std::vector<ColumnGroup>& groups, const std::string& name) {
    for (const ColumnGroup& group : groups)
        if (group.name == name) return group;
    throw std::out_of_range(name);
}

TEST(BitCounts, CountEveryBitOfTwoPackets) {
    // TTLs 64 = 01000000 and 65 = 01000001.
    const BitTable bits = pooled_bits(BitCounts(ttls({{64, 65}})));
    ASSERT_EQ(bits.size(), kNprintColumns);
    EXPECT_EQ(bits[column("ipv4_ttl", 0)], (BitMasses{0, 2, 0}));
    EXPECT_EQ(bits[column("ipv4_ttl", 1)], (BitMasses{2, 0, 0}));
    EXPECT_EQ(bits[column("ipv4_ttl", 7)], (BitMasses{1, 1, 0}));
    EXPECT_EQ(bits[column("ipv4_opt", 0)], (BitMasses{0, 0, 2}));
    EXPECT_EQ(bits[column("udp_len", 15)], (BitMasses{0, 0, 2}));
}

TEST(BitCounts, WeightsAreRepeatedSessions) {
    const auto a = ttls({{64, 65}, {1}, {128, 255, 7}}), b = ttls({{32}, {64, 3}});
    // Sessions of a 0, 2 and 1 times, of b 3 and 0 times, written out.
    const auto written = ttls({{1}, {1}, {128, 255, 7}, {32}, {32}, {32}});
    const BitCounts a_counts(a), b_counts(b);
    EXPECT_EQ(weighted_bits(a_counts, b_counts, std::vector<double>{0, 2, 1, 3, 0}),
              pooled_bits(BitCounts(written)));
    EXPECT_TRUE(weighted_bits(a_counts, b_counts, std::vector<double>(5)).empty());
}

TEST(BitCounts, PacketsWithoutARowAreLeftOut) {
    auto samples = ttls({{64}, {}});
    const std::vector<std::uint8_t> arp = {255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0,
                                           1,   8,   6,   0,   1,   8,   0, 6, 4, 0, 1};
    samples[0].trace.append(0, arp);
    samples[1].trace.append(0, arp);
    const BitCounts counts(samples);
    EXPECT_EQ(counts.sessions(), 2u);
    EXPECT_EQ(counts.rows(0), 1u);
    EXPECT_EQ(counts.rows(1), 0u);
    EXPECT_TRUE(counts.cells(1).empty());
    EXPECT_EQ(pooled_bits(counts), pooled_bits(BitCounts(ttls({{64}}))));
    EXPECT_TRUE(pooled_bits(BitCounts({})).empty());
}

TEST(BitDistances, OfTwoPacketsOnEitherSideAsByHand) {
    const auto distances = compare(ttls({{64, 64}}), ttls({{64}, {65}}));
    // The last bit is (1: 0, 0: 1) against (1/2, 1/2), so the mixture is (1/4, 3/4):
    // JSD = H(1/4) - (0 + 1) / 2 = 0.8112781245 - 0.5; Hellinger^2 = 1 - sqrt(1/2).
    const BitDistances& last = distances[column("ipv4_ttl", 7)];
    EXPECT_NEAR(last[0], 0.3112781245, 1e-10);
    EXPECT_DOUBLE_EQ(last[1], 0.5);
    EXPECT_NEAR(last[2], 0.5411961001, 1e-10);
    // Of the columns that count, no other differs. 480 of IPv4 are 96 of ID, checksum and addresses and 384
    // others.
    const auto groups = column_groups({});
    EXPECT_NEAR(mean_distances(distances, group(groups, "ipv4"))[0], 0.3112781245 / 384, 1e-12);
    EXPECT_NEAR(mean_distances(distances, group(groups, "all"))[1], 0.5 / 816, 1e-12);
    EXPECT_EQ(mean_distances(distances, group(groups, "tcp")), BitDistances{});
    EXPECT_NEAR(mean_distances(distances, field_groups()[9])[1], 0.5 / 8, 1e-12);
    EXPECT_EQ(field_groups()[9].name, "ipv4_ttl");
}

TEST(BitDistances, EverythingHasTheChecksumToo) {
    // One packet a side: every bit that differs is one bit apart. TTLs 01000000 and 10000000 differ in two.
    const auto a = ttls({{64}}), b = ttls({{128}});
    const auto& a_bytes = a[0].trace.packets[0].bytes;
    const auto& b_bytes = b[0].trace.packets[0].bytes;
    const int checksum = std::popcount(static_cast<unsigned>(a_bytes[24] ^ b_bytes[24])) +
                         std::popcount(static_cast<unsigned>(a_bytes[25] ^ b_bytes[25]));
    ASSERT_GT(checksum, 0);
    const auto distances = compare(a, b);
    const auto groups = column_groups({});
    for (std::size_t m = 0; m < kBitMeasures; ++m) {
        EXPECT_NEAR(mean_distances(distances, group(groups, "all"))[m], 2.0 / 816, 1e-12);
        EXPECT_NEAR(mean_distances(distances, group(groups, "everything"))[m], (2.0 + checksum) / 1088,
                    1e-12);
        EXPECT_NEAR(mean_distances(distances, group(groups, "everything.ipv4"))[m], (2.0 + checksum) / 480,
                    1e-12);
    }
}

TEST(BitDistances, AreOneWhereAHeaderIsOnOneSideOnly) {
    const auto distances = compare(sessions({{packet(ip_protocol::tcp, 64), packet(ip_protocol::tcp, 64)}}),
                                   sessions({{packet(ip_protocol::udp, 64)}}));
    for (std::size_t c = 0; c < kNprintColumns; ++c) {
        // 20 bytes of TCP without options, 8 of UDP; no ICMP.
        const bool present = (c >= 480 && c < 480 + 160) || (c >= 960 && c < 960 + 64);
        if (c < 480) continue;
        EXPECT_EQ(distances[c], present ? (BitDistances{1, 1, 1}) : BitDistances{}) << nprint_column_name(c);
    }
    // Protocols 6 = 00000110 and 17 = 00010001 differ in four bits.
    double protocol = 0;
    for (std::size_t bit = 0; bit < 8; ++bit) protocol += distances[column("ipv4_proto", bit)][0];
    EXPECT_DOUBLE_EQ(protocol, 4);
    EXPECT_EQ(mean_distances(distances, group(column_groups({}), "udp")), (BitDistances{1, 1, 1}));
    EXPECT_EQ(mean_distances(distances, group(column_groups({}), "icmp")), BitDistances{});
}

TEST(BitDistances, OfNothingThereIsNone) {
    const BitTable some = pooled_bits(BitCounts(ttls({{64}})));
    EXPECT_FALSE(column_distances({}, some));
    EXPECT_FALSE(column_distances(some, {}));
}

TEST(ColumnGroups, LeaveOutWhatIsDrawnAfresh) {
    const BitTable real = pooled_bits(BitCounts(ttls({{64, 128}})));
    const auto groups = column_groups(real);
    const auto size = [&](const char* name) { return group(groups, name).columns.size(); };
    EXPECT_EQ(size("ipv4"), 480u - 16 - 16 - 64);
    EXPECT_EQ(size("tcp"), 480u - 32 - 64 - 16);
    EXPECT_EQ(size("udp"), 64u - 32 - 16);
    EXPECT_EQ(size("icmp"), 64u - 16);
    EXPECT_EQ(size("all"), size("ipv4") + size("tcp") + size("udp") + size("icmp"));
    EXPECT_EQ(size("everything"), 1088u);
    EXPECT_EQ(size("everything.tcp"), 480u);
    EXPECT_THAT(group(groups, "active").columns,
                testing::ElementsAre(column("ipv4_ttl", 0), column("ipv4_ttl", 1)));
    EXPECT_GT(size("everything.active"), 2u);
    EXPECT_TRUE(group(column_groups({}), "active").columns.empty());
}

TEST(KnowNothingBits, AreEvenOverTheSupport) {
    const BitTable even = know_nothing(pooled_bits(BitCounts(sessions(
        {{packet(ip_protocol::tcp, 64), packet(ip_protocol::tcp, 65), packet(ip_protocol::udp, 65)}}))));
    EXPECT_EQ(even[column("ipv4_ttl", 0)], (BitMasses{0, 1, 0}));
    EXPECT_EQ(even[column("ipv4_ttl", 7)], (BitMasses{1, 1, 0}));
    EXPECT_EQ(even[column("tcp_doff", 1)], (BitMasses{1, 0, 1}));
    EXPECT_EQ(even[column("icmp_type", 0)], (BitMasses{0, 0, 1}));
    EXPECT_TRUE(know_nothing({}).empty());
}

}  // namespace
}  // namespace tracebench
