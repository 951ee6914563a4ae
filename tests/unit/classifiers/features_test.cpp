#include "classifiers/features.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "session_builder.h"

namespace tracebench {
namespace {

FeatureTable table_of(const Trace& trace, FeatureKind kind, std::size_t packets = 10) {
    return extract_features({{"a.pcap", "x", trace}}, {kind, packets});
}

/// Value of a named column in the first row.
float at(const FeatureTable& table, const std::string& name) {
    const auto found = std::find(table.columns.begin(), table.columns.end(), name);
    if (found == table.columns.end()) throw std::out_of_range("no feature " + name);
    return table.values[static_cast<std::size_t>(found - table.columns.begin())];
}

/// A field of an nPrint row as a number; -1 where any bit is absent.
int field(const FeatureTable& table, const std::string& name, int bits) {
    int value = 0;
    for (int bit = 0; bit < bits; ++bit) {
        const float got = at(table, name + "_" + std::to_string(bit));
        if (got < 0) return -1;
        value = 2 * value + static_cast<int>(got);
    }
    return value;
}

TEST(FlowFeatures, MatchHandComputedValues) {
    const FeatureTable table = table_of(build_session(example_events(), {}, false), FeatureKind::flow);
    // IP sizes: 40, 40, 40, 140, 1040, 540 (TCP) and 58 (UDP); times 0, 10, 20, 25, 50, 51, 2051 ms.
    EXPECT_EQ(at(table, "packets.both"), 7);
    EXPECT_EQ(at(table, "packets.up"), 4);
    EXPECT_EQ(at(table, "packets.down"), 3);
    EXPECT_EQ(at(table, "bytes.both"), 1898);
    EXPECT_EQ(at(table, "bytes.up"), 278);
    EXPECT_EQ(at(table, "bytes.down"), 1620);
    EXPECT_EQ(at(table, "payload_bytes.up"), 130);
    EXPECT_EQ(at(table, "payload_bytes.down"), 1500);
    EXPECT_FLOAT_EQ(at(table, "no_payload_share.up"), 0.5F);
    EXPECT_FLOAT_EQ(at(table, "packets.up_share"), 4.0F / 7);
    EXPECT_FLOAT_EQ(at(table, "bytes.up_share"), 278.0F / 1898);
    EXPECT_FLOAT_EQ(at(table, "size.both.mean"), 1898.0F / 7);
    EXPECT_NEAR(at(table, "size.both.std"), 384.34682, 1e-4);  // statistics.stdev in Python
    EXPECT_FLOAT_EQ(at(table, "size.both.p0"), 40);
    EXPECT_FLOAT_EQ(at(table, "size.both.p50"), 58);
    EXPECT_FLOAT_EQ(at(table, "size.both.p75"), 340);  // half way from 140 to 540
    EXPECT_FLOAT_EQ(at(table, "size.both.p100"), 1040);
    EXPECT_FLOAT_EQ(at(table, "duration_s"), 2.051F);
    EXPECT_FLOAT_EQ(at(table, "packets_per_s"), 7 / 2.051F);

    EXPECT_FLOAT_EQ(at(table, "iat_ms.both.mean"), 2051.0F / 6);
    EXPECT_FLOAT_EQ(at(table, "iat_ms.both.p10"), 3);
    EXPECT_FLOAT_EQ(at(table, "iat_ms.both.p50"), 10);
    EXPECT_FLOAT_EQ(at(table, "iat_ms.both.p90"), 1012.5F);
    EXPECT_FLOAT_EQ(at(table, "iat_ms.up.p100"), 2026);
    EXPECT_FLOAT_EQ(at(table, "iat_ms.down.mean"), 20.5F);
    EXPECT_EQ(at(table, "idle.count"), 1);
    EXPECT_FLOAT_EQ(at(table, "idle.share"), 2000.0F / 2051);

    EXPECT_FLOAT_EQ(at(table, "tcp.syn_share"), 2.0F / 6);
    EXPECT_FLOAT_EQ(at(table, "tcp.ack_share"), 5.0F / 6);
    EXPECT_FLOAT_EQ(at(table, "tcp.psh_share"), 1.0F / 6);
    EXPECT_EQ(at(table, "tcp.fin_share"), 0);
    EXPECT_EQ(at(table, "tcp.window_mean.up"), 1000);
    EXPECT_EQ(at(table, "tcp.window_mean.down"), 3000);

    EXPECT_EQ(at(table, "payload.0"), 100);
    EXPECT_EQ(at(table, "payload.1"), -1000);
    EXPECT_EQ(at(table, "payload.2"), -500);
    EXPECT_EQ(at(table, "payload.3"), 30);
    EXPECT_TRUE(std::isnan(at(table, "payload.4")));

    EXPECT_EQ(at(table, "bursts"), 3);
    EXPECT_EQ(at(table, "burst_packets_mean.down"), 2);
    EXPECT_EQ(at(table, "burst_bytes_mean.up"), 65);
    EXPECT_EQ(at(table, "burst_bytes_max.up"), 100);
    EXPECT_EQ(at(table, "burst_bytes_max.down"), 1500);

    EXPECT_EQ(at(table, "flows"), 2);
    EXPECT_EQ(at(table, "flows.concurrent"), 1);
    EXPECT_FLOAT_EQ(at(table, "flows.udp_share"), 0.5F);
    EXPECT_FLOAT_EQ(at(table, "packets.tcp_share"), 6.0F / 7);
    EXPECT_FLOAT_EQ(at(table, "flow_packets.mean"), 3.5F);
    EXPECT_FLOAT_EQ(at(table, "flow_packets.largest_share"), 6.0F / 7);
    EXPECT_FLOAT_EQ(at(table, "flow_duration_s.mean"), 0.0255F);
    EXPECT_FLOAT_EQ(at(table, "flow_start_gap_ms.mean"), 2051);
}

TEST(FlowFeatures, CountFlowsThatAreAliveAtOnce) {
    using namespace ip_protocol;
    const FeatureTable table = table_of(build_session({{0, 0, true, udp, 0, 10},
                                                       {1, 1, true, udp, 0, 10},
                                                       {2, 0, false, udp, 0, 10},
                                                       {3, 2, true, udp, 0, 10},
                                                       {4, 1, false, udp, 0, 10}}),
                                        FeatureKind::flow);
    EXPECT_EQ(at(table, "flows"), 3);
    EXPECT_EQ(at(table, "flows.concurrent"), 2);
}

TEST(NprintFeatures, HoldHeaderBitsOfTheFirstPackets) {
    const FeatureTable table = table_of(build_session(example_events()), FeatureKind::nprint, 8);
    EXPECT_EQ(field(table, "p0.ipv4_ver", 4), 4);
    EXPECT_EQ(field(table, "p0.ipv4_hl", 4), 5);
    EXPECT_EQ(field(table, "p0.ipv4_proto", 8), 6);
    EXPECT_EQ(field(table, "p0.tcp_syn", 1), 1);
    EXPECT_EQ(field(table, "p0.tcp_doff", 4), 9);  // 20 bytes and 16 of options
    EXPECT_EQ(field(table, "p3.ipv4_tl", 16), 20 + 32 + 100);
    EXPECT_EQ(field(table, "p3.tcp_psh", 1), 1);
    EXPECT_EQ(field(table, "p1.tcp_wsize", 16), 3000);
    EXPECT_EQ(field(table, "p6.udp_len", 16), 38);
    EXPECT_EQ(field(table, "p6.tcp_syn", 1), -1);
    EXPECT_EQ(field(table, "p7.ipv4_ver", 4), -1);  // there is no eighth packet
}

TEST(NprintFeatures, KeepOptionKindsAndMaskTheirClocks) {
    const FeatureTable table = table_of(build_session(example_events()), FeatureKind::nprint, 1);
    std::vector<int> option(16, 0);
    for (int byte = 0; byte < 16; ++byte)
        for (int bit = 0; bit < 8; ++bit)
            option[static_cast<std::size_t>(byte)] =
                2 * option[static_cast<std::size_t>(byte)] +
                static_cast<int>(at(table, "p0.tcp_opt_" + std::to_string(8 * byte + bit)));
    // MSS 1460, SACK-permitted, timestamps without their two clocks.
    EXPECT_EQ(option, (std::vector<int>{2, 4, 5, 0xB4, 4, 2, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0}));
}

TEST(Features, LeaveOutWhatIdentifies) {
    for (const FeatureKind kind : {FeatureKind::nprint, FeatureKind::flow})
        for (const std::string& column : table_of({}, kind).columns)
            for (const char* banned : {"src", "dst", "prt", "sport", "dport", "mac", "ttl", "ipv4_id", "seq",
                                       "ackn", "cksum", "roh", "ipv4_opt"})
                EXPECT_EQ(column.find(banned), std::string::npos) << column;
}

TEST(Features, DoNotDependOnWhoWhenOrTheSnapLength) {
    Identity other;
    other.client[0] = 10, other.client[3] = 77, other.server[0] = 8;
    other.client_port = 1234, other.server_port = 8080;
    other.client_mac = 0x55, other.server_mac = 0x66;
    other.client_ttl = 128, other.server_ttl = 240;
    other.ip_id = 54321, other.sequence = 0xFFFFF000, other.clock = 0x89ABCDEF;
    other.start_ns = 1'234'567'890'123'456'789;
    Identity cut;
    cut.snap_length = 72;
    Identity padded;
    padded.minimum_frame = 60;
    const std::vector<Event> events = example_events();
    for (const FeatureKind kind : {FeatureKind::nprint, FeatureKind::flow}) {
        const FeatureTable table = table_of(build_session(events), kind);
        for (const Identity& variant : {other, cut, padded}) {
            const FeatureTable same = table_of(build_session(events, variant), kind);
            ASSERT_EQ(same.values.size(), table.values.size());
            for (std::size_t c = 0; c < table.columns.size(); ++c) {
                const float a = table.values[c], b = same.values[c];
                EXPECT_TRUE(a == b || (std::isnan(a) && std::isnan(b)))
                    << table.columns[c] << ": " << a << ", " << b;
            }
        }
        const FeatureTable changed =
            table_of(build_session({{0, 0, true, ip_protocol::tcp, tcp_flag::rst, 7}}), kind);
        EXPECT_NE(changed.values, table.values);
    }
}

TEST(IdentifierFeatures, AreAddressesPortsMacsAndTtl) {
    const FeatureTable table = table_of(build_session(example_events()), FeatureKind::identifiers);
    EXPECT_EQ(at(table, "flow0.src.octet0"), 192);
    EXPECT_EQ(at(table, "flow0.src.octet3"), 10);
    EXPECT_TRUE(std::isnan(at(table, "flow0.src.octet4")));
    EXPECT_EQ(at(table, "flow0.dst.octet0"), 203);
    EXPECT_EQ(at(table, "flow0.src.port"), 50000);
    EXPECT_EQ(at(table, "flow0.dst.port"), 443);
    EXPECT_EQ(at(table, "flow0.src.ttl"), 64);
    EXPECT_EQ(at(table, "flow0.dst.ttl"), 57);
    EXPECT_EQ(at(table, "flow1.src.port"), 50001);
    EXPECT_TRUE(std::isnan(at(table, "flow1.dst.ttl")));
    EXPECT_TRUE(std::isnan(at(table, "flow2.src.port")));
    EXPECT_EQ(at(table, "src_mac.octet5"), 1);
    EXPECT_EQ(at(table, "dst_mac.octet5"), 2);

    // The same packets in another order of time and of other sizes identify the same.
    std::vector<Event> slower = example_events();
    for (Event& event : slower) event.time_ms *= 3, event.payload += 5;
    const FeatureTable same = table_of(build_session(slower), FeatureKind::identifiers);
    for (std::size_t c = 0; c < table.values.size(); ++c)
        EXPECT_TRUE(table.values[c] == same.values[c] || std::isnan(table.values[c])) << table.columns[c];
}

TEST(Features, EmptyTracesAndPacketsWithoutIpGiveARowLikeAnyOther) {
    Trace arp;
    std::vector<std::uint8_t> frame(42, 0);
    frame[12] = 0x08, frame[13] = 0x06;
    arp.append(0, frame);
    for (const FeatureKind kind : {FeatureKind::nprint, FeatureKind::flow, FeatureKind::identifiers}) {
        const FeatureTable table = extract_features(
            {{"a", "x", {}}, {"b", "y", arp}, {"c", "z", build_session(example_events())}}, {kind});
        EXPECT_EQ(table.rows(), 3U);
        EXPECT_EQ(table.values.size(), 3 * table.columns.size());
    }
    EXPECT_EQ(at(table_of({}, FeatureKind::flow), "packets.both"), 0);
}

TEST(Features, SessionIsTheCaptureOfAFlowSample) {
    const FeatureTable table = extract_features({{"a#1/x.pcap", "x", {}},
                                                 {"b.pcap#TCP|192.0.2.1|1|192.0.2.2|2", "x", {}},
                                                 {"b.pcap#UDP|192.0.2.1|1|192.0.2.2|2", "y", {}}},
                                                {FeatureKind::flow});
    EXPECT_EQ(table.sessions, (std::vector<std::string>{"a#1/x.pcap", "b.pcap", "b.pcap"}));
}

TEST(Features, UnknownKindIsRefused) {
    EXPECT_EQ(parse_feature_kind("nprint"), FeatureKind::nprint);
    EXPECT_THROW(parse_feature_kind("netflow"), InputError);
}

}  // namespace
}  // namespace tracebench
