#include "metrics/flow/cic_features.h"

#include <gmock/gmock.h>

#include <cmath>
#include <map>
#include <set>
#include <string>

#include "tests/unit/metrics/traces.h"

namespace tracebench {
namespace {

using testing_traces::endpoint;
using testing_traces::packet;

constexpr std::uint8_t syn = tcp_flag::syn, ack = tcp_flag::ack, psh = tcp_flag::psh, fin = tcp_flag::fin;

CicPacket at(std::int64_t us, Direction direction, std::uint8_t flags, std::uint32_t payload,
             std::uint32_t header = 32, std::uint16_t window = 500) {
    return {us * 1000, direction, payload, header, window, flags};
}

std::map<std::string, double> named(const CicFlow& flow) {
    std::map<std::string, double> values;
    const auto row = flow.values();
    for (std::size_t f = 0; f < cic_feature_count; ++f) values[cic_features()[f].name] = row[f];
    return values;
}

/// A download: handshake, request, four segments back to back, six seconds of silence, both FINs.
CicFlow download() {
    constexpr auto fwd = Direction::forward, rev = Direction::reverse;
    CicFlow flow;
    flow.add(at(0, fwd, syn, 0, 40, 64240));
    flow.add(at(20'000, rev, syn | ack, 0, 40, 65160));
    flow.add(at(40'000, fwd, ack, 0));
    flow.add(at(41'000, fwd, psh | ack, 100));
    flow.add(at(61'000, rev, ack, 1000));
    flow.add(at(62'000, rev, ack, 1000));
    flow.add(at(63'000, rev, ack, 1000));
    flow.add(at(64'000, rev, psh | ack, 500));
    flow.add(at(84'000, fwd, ack, 0));
    flow.add(at(6'084'000, fwd, fin | ack, 0));
    flow.add(at(6'104'000, rev, fin | ack, 0));
    return flow;
}

TEST(CicFlow, HasAllFeaturesOfADownload) {
    // Worked out by hand; means and deviations (n - 1) of the gaps and lengths by NumPy.
    const std::map<std::string, double> expected = {
        {"Flow Duration", 6'104'000},
        {"Total Fwd Packet", 5},
        {"Total Bwd packets", 6},
        {"Total Length of Fwd Packet", 100},
        {"Total Length of Bwd Packet", 3500},
        {"Fwd Packet Length Max", 100},
        {"Fwd Packet Length Min", 0},
        {"Fwd Packet Length Mean", 20},
        {"Fwd Packet Length Std", 44.721359549995796},
        {"Bwd Packet Length Max", 1000},
        {"Bwd Packet Length Min", 0},
        {"Bwd Packet Length Mean", 583.3333333333334},
        {"Bwd Packet Length Std", 491.59604012508754},
        {"Flow Bytes/s", 3600 / 6.104},
        {"Flow Packets/s", 11 / 6.104},
        {"Flow IAT Mean", 610'400},
        {"Flow IAT Std", 1893735.9431088122},
        {"Flow IAT Max", 6'000'000},
        {"Flow IAT Min", 1000},
        {"Fwd IAT Total", 6'084'000},
        {"Fwd IAT Mean", 1'521'000},
        {"Fwd IAT Std", 2986061.2853724216},
        {"Fwd IAT Max", 6'000'000},
        {"Fwd IAT Min", 1000},
        {"Bwd IAT Total", 6'084'000},
        {"Bwd IAT Mean", 1'216'800},
        {"Bwd IAT Std", 2696306.399502846},
        {"Bwd IAT Max", 6'040'000},
        {"Bwd IAT Min", 1000},
        {"Fwd PSH Flags", 1},
        {"Bwd PSH Flags", 1},
        {"Fwd URG Flags", 0},
        {"Bwd URG Flags", 0},
        {"Fwd Header Length", 40 + 4 * 32},
        {"Bwd Header Length", 40 + 5 * 32},
        {"Fwd Packets/s", 5 / 6.104},
        {"Bwd Packets/s", 6 / 6.104},
        {"Packet Length Min", 0},
        {"Packet Length Max", 1000},
        {"Packet Length Mean", 3600.0 / 11},
        {"Packet Length Std", 456.26945786653107},
        {"Packet Length Variance", 208181.81818181818},
        {"FIN Flag Count", 2},
        {"SYN Flag Count", 2},
        {"RST Flag Count", 0},
        {"PSH Flag Count", 2},
        {"ACK Flag Count", 10},
        {"URG Flag Count", 0},
        {"CWR Flag Count", 0},
        {"ECE Flag Count", 0},
        {"Down/Up Ratio", 1.2},
        {"Average Packet Size", 3600.0 / 11},
        {"Fwd Segment Size Avg", 20},
        {"Bwd Segment Size Avg", 3500.0 / 6},
        {"Fwd Bytes/Bulk Avg", 0},
        {"Fwd Packet/Bulk Avg", 0},
        {"Fwd Bulk Rate Avg", 0},
        {"Bwd Bytes/Bulk Avg", 3500},
        {"Bwd Packet/Bulk Avg", 4},
        {"Bwd Bulk Rate Avg", 3500 / 0.003},
        {"Subflow Fwd Packets", 2.5},  // one silence of more than a second: two subflows
        {"Subflow Fwd Bytes", 50},
        {"Subflow Bwd Packets", 3},
        {"Subflow Bwd Bytes", 1750},
        {"FWD Init Win Bytes", 64240},
        {"Bwd Init Win Bytes", 65160},
        {"Fwd Act Data Pkts", 1},
        {"Fwd Seg Size Min", 32},
        {"Active Mean", 84'000},  // the time after the silence does not end in another
        {"Active Std", 0},
        {"Active Max", 84'000},
        {"Active Min", 84'000},
        {"Idle Mean", 6'000'000},
        {"Idle Std", 0},
        {"Idle Max", 6'000'000},
        {"Idle Min", 6'000'000},
    };
    const auto values = named(download());
    ASSERT_EQ(values.size(), cic_feature_count);
    ASSERT_EQ(expected.size(), cic_feature_count);
    for (const auto& [name, value] : expected)
        EXPECT_NEAR(values.at(name), value, 1e-9 * std::max(1.0, std::abs(value))) << name;
}

TEST(CicFlow, ABulkEndsWithASecondOfSilenceOrThePeersData) {
    constexpr auto fwd = Direction::forward, rev = Direction::reverse;
    CicFlow flow;
    for (int i = 0; i < 5; ++i) flow.add(at(i * 1000, fwd, ack, 10));              // one bulk of five
    for (int i = 0; i < 3; ++i) flow.add(at(2'000'000 + i * 1000, fwd, ack, 10));  // too short
    flow.add(at(2'010'000, rev, ack, 10));                                         // and interrupted
    for (int i = 0; i < 3; ++i) flow.add(at(2'020'000 + i * 1000, fwd, ack, 10));
    flow.add(at(2'023'500, rev, ack, 0));  // carries nothing: does not interrupt
    flow.add(at(2'024'000, fwd, ack, 70));
    const auto values = named(flow);
    EXPECT_DOUBLE_EQ(values.at("Fwd Packet/Bulk Avg"), 4.5);
    EXPECT_DOUBLE_EQ(values.at("Fwd Bytes/Bulk Avg"), (50 + 100) / 2.0);
    EXPECT_DOUBLE_EQ(values.at("Fwd Bulk Rate Avg"), 150 / 0.008);
    EXPECT_DOUBLE_EQ(values.at("Bwd Bytes/Bulk Avg"), 0);
}

TEST(CicFlow, IsZeroWhereNothingIsDefined) {
    for (const double value : CicFlow().values()) EXPECT_EQ(value, 0);
    CicFlow one;
    one.add(at(7, Direction::forward, 0, 12, 8, 0));
    const auto values = named(one);
    EXPECT_EQ(values.at("Packet Length Mean"), 12);
    EXPECT_EQ(values.at("Packet Length Std"), 0);
    EXPECT_EQ(values.at("Flow Bytes/s"), 0);
    EXPECT_EQ(values.at("Flow IAT Min"), 0);
    EXPECT_EQ(values.at("Bwd Packet Length Min"), 0);
    EXPECT_EQ(values.at("Down/Up Ratio"), 0);
    EXPECT_EQ(values.at("Subflow Fwd Packets"), 1);
    EXPECT_EQ(values.at("Fwd Seg Size Min"), 8);
}

TEST(CicFlow, TimesThatGoBackCountAsNone) {
    CicFlow flow;
    flow.add(at(10'000, Direction::forward, ack, 1));
    flow.add(at(4'000, Direction::reverse, ack, 1));
    flow.add(at(11'000, Direction::forward, ack, 1));
    const auto values = named(flow);
    EXPECT_EQ(values.at("Flow Duration"), 1000);
    EXPECT_EQ(values.at("Flow IAT Min"), 0);
    EXPECT_EQ(values.at("Flow IAT Max"), 1000);
}

TEST(CicPacket, TakesLengthsFromTheHeaders) {
    Trace trace;
    PacketFields data = packet(endpoint(1, 40000), endpoint(2, 443), psh | ack, 77);
    data.tcp_options = {1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2};
    data.window = 4321;
    testing_traces::append(trace, 1, data);
    testing_traces::append(trace, 2, packet(endpoint(1, 40000), endpoint(2, 53), 0, 30));
    const CicPacket tcp = cic_packet(trace.packets[0], dissect(trace.packets[0]), Direction::reverse),
                    udp = cic_packet(trace.packets[1], dissect(trace.packets[1]), Direction::forward);
    EXPECT_EQ(tcp.payload, 77u);
    EXPECT_EQ(tcp.header, 32u);
    EXPECT_EQ(tcp.window, 4321);
    EXPECT_EQ(tcp.flags, psh | ack);
    EXPECT_EQ(tcp.direction, Direction::reverse);
    EXPECT_EQ(udp.payload, 30u);
    EXPECT_EQ(udp.header, 8u);
    EXPECT_EQ(udp.flags, 0);
}

TEST(CicFeatures, AreNamedOnceEach) {
    std::set<std::string> names;
    for (const CicFeature& feature : cic_features()) EXPECT_TRUE(names.insert(feature.name).second);
}

}  // namespace
}  // namespace tracebench
