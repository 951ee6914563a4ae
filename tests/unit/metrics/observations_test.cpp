#include "metrics/observations.h"

#include <gmock/gmock.h>

#include <set>
#include <stdexcept>

#include "base/parallel.h"
#include "metrics/field_codes.h"
#include "metrics/sample_observer.h"
#include "tests/unit/metrics/traces.h"

namespace tracebench {
namespace {

using namespace testing_traces;
using testing::DoubleNear;
using testing::ElementsAre;
using testing::IsEmpty;

class TwoFlows : public testing::Test {
  protected:
    TwoFlows() {
        const Endpoint client = endpoint(1, 40000), server = endpoint(2, 443), resolver = endpoint(3, 53);
        LabelledTrace sample{"one.pcap", "web", {}};
        PacketFields syn = packet(client, server, tcp_flag::syn, 0);
        syn.tcp_options = {2, 4, 0x05, 0xB4, 1, 1, 4, 2};
        syn.ip_id = 10;
        append(sample.trace, 1.0, syn);
        append(sample.trace, 1.1, packet(server, client, tcp_flag::syn | tcp_flag::ack, 0));
        PacketFields ack = packet(client, server, tcp_flag::ack, 0);
        ack.ip_id = 11;
        append(sample.trace, 1.2, ack);
        append(sample.trace, 1.25, packet(endpoint(1, 50000), resolver, 0, 30));
        PacketFields data = packet(client, server, tcp_flag::ack | tcp_flag::psh, 100);
        data.ip_id = 11;
        append(sample.trace, 1.5, data);
        observations_ = observe({sample});
    }
    const std::vector<double>& values(const std::string& field) const {
        const Column* column = observations_.find(field);
        EXPECT_NE(column, nullptr) << field;
        return column->values;
    }
    Observations observations_;
};

TEST_F(TwoFlows, Totals) {
    EXPECT_EQ(observations_.packets, 5u);
    EXPECT_EQ(observations_.flows, 2u);
    EXPECT_THAT(observations_.session_labels, ElementsAre("web"));
    EXPECT_THAT(observations_.session_ids, ElementsAre("one.pcap"));
    // 54 bytes of headers, 8 of options, 100 of payload; 42 and 30 for UDP.
    EXPECT_EQ(observations_.bytes, 62u + 54 + 54 + 72 + 154);
}

TEST_F(TwoFlows, PacketFields) {
    EXPECT_THAT(values("frame.length"), ElementsAre(62, 54, 54, 72, 154));
    EXPECT_THAT(values("ip.length"), ElementsAre(48, 40, 40, 58, 140));
    EXPECT_THAT(values("ip.protocol"), ElementsAre(6, 6, 6, 17, 6));
    EXPECT_THAT(values("ip.ttl"), ElementsAre(64, 64, 64, 64, 64));
    EXPECT_THAT(values("ip.df"), ElementsAre(1, 1, 1, 1, 1));
    EXPECT_THAT(values("packet.direction"), ElementsAre(0, 1, 0, 0, 0));
    EXPECT_THAT(values("packet.iat"), ElementsAre(DoubleNear(0.1, 1e-9), DoubleNear(0.1, 1e-9),
                                                  DoubleNear(0.05, 1e-9), DoubleNear(0.25, 1e-9)));
    EXPECT_THAT(values("src.port"), ElementsAre(32768, 443, 32768, 49152, 32768));
    EXPECT_THAT(values("service.port"), ElementsAre(443, 443, 443, 53, 443));
    EXPECT_THAT(values("tcp.flags"), ElementsAre(2, 18, 16, 24));
    EXPECT_THAT(values("tcp.window"), ElementsAre(1000, 1000, 1000, 1000));
    EXPECT_THAT(values("tcp.payload"), ElementsAre(0, 0, 0, 100));
    EXPECT_THAT(values("tcp.mss"), ElementsAre(1460));
    EXPECT_THAT(values("udp.length"), ElementsAre(38));
}

TEST_F(TwoFlows, JointFields) {
    const auto name = [&](const char* field, std::size_t i) {
        return category_name(observations_.find(field)->info, values(field).at(i));
    };
    EXPECT_EQ(name("joint.direction_flags", 1), "rev SYN,ACK");
    EXPECT_EQ(name("joint.flags_size", 3), "PSH,ACK 100-499");
    // The UDP packet in between is of another flow.
    EXPECT_EQ(name("joint.size_bigram", 0), "start > fwd 0");
    EXPECT_EQ(name("joint.size_bigram", 1), "fwd 0 > rev 0");
    EXPECT_EQ(name("joint.size_bigram", 3), "start > fwd 1-99");
    EXPECT_EQ(name("joint.size_bigram", 4), "fwd 0 > fwd 100-499");
    // First packets have none; the reverse direction has one packet only.
    EXPECT_THAT(values("joint.ip_id_step"), ElementsAre(1, 0));
    EXPECT_EQ(name("tcp.options", 0), "MSS,NOP,SACK-permitted");
    EXPECT_EQ(name("ip.protocol", 3), "UDP");
}

TEST_F(TwoFlows, FlowFields) {
    EXPECT_THAT(values("flow.protocol"), ElementsAre(6, 17));
    EXPECT_THAT(values("flow.packets"), ElementsAre(4, 1));
    EXPECT_THAT(values("flow.bytes"), ElementsAre(62 + 54 + 54 + 154, 72));
    EXPECT_THAT(values("flow.duration"), ElementsAre(DoubleNear(0.5, 1e-9), 0));
    // Gaps 0.1, 0.1, 0.3; a flow of one packet has none.
    EXPECT_THAT(values("flow.iat_mean"), ElementsAre(DoubleNear(0.5 / 3, 1e-9)));
    EXPECT_THAT(values("flow.iat_std"), ElementsAre(DoubleNear(std::sqrt(0.04 / 3), 1e-9)));
    EXPECT_THAT(values("flow.size_mean_fwd"), ElementsAre(90, 72));
    EXPECT_THAT(values("flow.size_mean_rev"), ElementsAre(54));
    EXPECT_THAT(values("flow.fwd_packet_share"), ElementsAre(0.75, 1));
    EXPECT_THAT(values("flow.syn_share"), ElementsAre(0.5));
    EXPECT_THAT(values("flow.psh_share"), ElementsAre(0.25));
    EXPECT_THAT(values("flow.closed"), ElementsAre(0));
}

TEST_F(TwoFlows, SessionFields) {
    EXPECT_THAT(values("session.flows"), ElementsAre(2));
    EXPECT_THAT(values("session.concurrent_flows"), ElementsAre(2));
    EXPECT_THAT(values("session.remote_endpoints"), ElementsAre(2));
    EXPECT_THAT(values("session.packets"), ElementsAre(5));
    EXPECT_THAT(values("session.duration"), ElementsAre(DoubleNear(0.5, 1e-9)));
    EXPECT_THAT(values("session.flow_gap"), ElementsAre(DoubleNear(0.25, 1e-9)));
    EXPECT_THAT(values("session.fwd_byte_share"), ElementsAre((396.0 - 54) / 396));
}

TEST(Observations, EveryValueKnowsItsSession) {
    const auto samples = random_samples(3, 4);
    const Observations observations = observe(samples);
    ASSERT_EQ(observations.sessions(), 4u);
    for (const Column& column : observations.columns) {
        ASSERT_EQ(column.values.size(), column.session.size()) << column.info.name;
        EXPECT_TRUE(std::is_sorted(column.session.begin(), column.session.end())) << column.info.name;
        for (const double value : column.values) EXPECT_TRUE(std::isfinite(value)) << column.info.name;
    }
    EXPECT_THAT(observations.find("session.packets")->session, ElementsAre(0, 1, 2, 3));
    EXPECT_EQ(observations.find("no.such"), nullptr);
}

TEST(Observations, NothingGivesEmptyColumns) {
    const Observations observations = observe({});
    EXPECT_EQ(observations.columns.size(), all_fields().size());
    for (const Column& column : observations.columns) EXPECT_THAT(column.values, IsEmpty());
    EXPECT_THAT(observe({{"empty", "a", {}}}).find("session.packets")->values, IsEmpty());
}

TEST(Observations, FieldNamesAreUnique) {
    std::set<std::string> names;
    for (const FieldInfo& field : all_fields()) EXPECT_TRUE(names.insert(field.name).second) << field.name;
}

TEST(Observations, BrokenFramesAreNoHazard) {
    // Every cut of a good packet, and the same with noise in it.
    const auto bytes = build_packet(packet(endpoint(1, 1), endpoint(2, 2), tcp_flag::syn, 40));
    Random random(5);
    LabelledTrace sample{"x", "a", {}};
    for (std::size_t size = 0; size <= bytes.size(); ++size) {
        std::vector<std::uint8_t> noisy(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
        sample.trace.append(static_cast<std::int64_t>(size), noisy, 200);
        for (int change = 0; change < 3 && size > 0; ++change)
            noisy[random.below(size)] = static_cast<std::uint8_t>(random.bits());
        sample.trace.append(static_cast<std::int64_t>(size), noisy, 200);
    }
    EXPECT_EQ(observe({sample}).find("frame.length")->values.size(), 2 * (bytes.size() + 1));
}

TEST(FieldCodes, TcpOptions) {
    const std::vector<std::uint8_t> usual{2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3, 3, 7};
    EXPECT_EQ(codes::tcp_options_name(codes::tcp_options(usual)), "MSS,SACK-permitted,TS,NOP,WS");
    EXPECT_EQ(codes::tcp_mss(usual), 1460);
    EXPECT_EQ(codes::tcp_options_name(codes::tcp_options({})), "none");
    const std::vector<std::uint8_t> broken{1, 1, 2, 9, 0}, end{1, 0, 2, 4, 5, 180};
    EXPECT_EQ(codes::tcp_options_name(codes::tcp_options(broken)), "NOP,broken");
    EXPECT_FALSE(codes::tcp_mss(broken));
    EXPECT_EQ(codes::tcp_options_name(codes::tcp_options(end)), "NOP,EOL");
    EXPECT_FALSE(codes::tcp_mss(end));
    // Forty different-looking options must not overflow the code.
    const std::vector<std::uint8_t> many(40, 5);
    EXPECT_LT(codes::tcp_options(many), std::uint64_t{1} << 53);
}

TEST(FieldCodes, Ports) {
    EXPECT_EQ(codes::port_range(443), 443u);
    EXPECT_EQ(codes::port_range(8080), 1024u);
    EXPECT_EQ(codes::service_port(50000, 8080), 8080u);
    EXPECT_EQ(codes::service_port(50000, 40000), 32768u);
}

/// Flows that end while others go on, and more packets than are kept uncounted.
LabelledTrace long_sample() {
    LabelledTrace sample{"long.pcap", "web", {}};
    Random random(1);
    for (std::uint16_t flow = 0; flow < 40; ++flow)
        append_flow(sample.trace, random, static_cast<std::uint8_t>(1 + flow % 9), 40000 + flow, 2000);
    sample.trace.sort_by_time();
    return sample;
}

TEST(Observations, AreTheSameWithManyThreads) {
    const std::vector<LabelledTrace> samples{long_sample(), long_sample()};
    set_compute_threads(1);
    const Observations expected = observe(samples);
    ASSERT_FALSE(expected.find("frame.length")->counts.empty());
    for (const unsigned threads : {2U, 5U}) {
        set_compute_threads(threads);
        const Observations same = observe(samples);
        EXPECT_EQ(same.packets, expected.packets);
        EXPECT_EQ(same.flows, expected.flows);
        EXPECT_EQ(same.bytes, expected.bytes);
        for (std::size_t i = 0; i < expected.columns.size(); ++i) {
            EXPECT_EQ(same.columns[i].values, expected.columns[i].values) << same.columns[i].info.name;
            EXPECT_EQ(same.columns[i].session, expected.columns[i].session);
            EXPECT_EQ(same.columns[i].counts, expected.columns[i].counts);
        }
    }
    set_compute_threads(0);
}

TEST(Observations, WhatCannotBeReadIsTakenBack) {
    LabelledTrace sample = long_sample();
    const Observations expected = observe({sample, sample});
    Observations observed = observe({sample});
    const auto breaks_off = [&](SampleObserver& observer) {
        observer.add([&, at = std::size_t{0}](PacketView& packet) mutable {
            if (at == 70'000) throw std::runtime_error("no more");
            packet = sample.trace.packets[at++];
            return true;
        });
    };
    EXPECT_THROW(observed.add("broken.pcap", "web", breaks_off), std::runtime_error);
    EXPECT_EQ(observed.sessions(), 1U);
    observed.add(sample.id, sample.label,
                 [&](SampleObserver& observer) { observer.add(packets_of(sample.trace)); });
    EXPECT_EQ(observed.packets, expected.packets);
    for (std::size_t i = 0; i < expected.columns.size(); ++i) {
        EXPECT_EQ(observed.columns[i].values, expected.columns[i].values);
        EXPECT_EQ(observed.columns[i].session, expected.columns[i].session);
        EXPECT_EQ(observed.columns[i].counts, expected.columns[i].counts);
    }
}

}  // namespace
}  // namespace tracebench
