// Flow fields that look at the order and the times of packets: values worked out by hand.

#include <gmock/gmock.h>

#include <cmath>

#include "metrics/observations.h"
#include "tests/unit/metrics/traces.h"
#include "traffic/bytes.h"

namespace tracebench {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;
using testing::IsEmpty;
using testing_traces::append;
using testing_traces::endpoint;
using testing_traces::packet;

constexpr std::uint8_t ack = tcp_flag::ack;

class FlowFeatures : public testing::Test {
  protected:
    /// A TCP segment of the client or the server with 100 bytes, or none.
    void segment(double time, bool upstream, std::uint32_t sequence, std::uint32_t acknowledgement,
                 std::uint32_t payload, std::uint32_t ts_value = 0, std::uint32_t ts_echo = 0) {
        const Endpoint client = endpoint(1, 40000), server = endpoint(2, 443);
        PacketFields fields =
            upstream ? packet(client, server, ack, payload) : packet(server, client, ack, payload);
        fields.sequence = sequence;
        fields.acknowledgement = acknowledgement;
        if (ts_value != 0) {
            fields.tcp_options = {1, 1, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0};
            store32(fields.tcp_options.data() + 4, ts_value);
            store32(fields.tcp_options.data() + 8, ts_echo);
        }
        append(sample_.trace, time, fields);
    }
    std::vector<double> values(const std::string& field) const {
        return observe({sample_}).find(field)->values;
    }
    LabelledTrace sample_{"x", "a", {}};
};

TEST_F(FlowFeatures, BurstsAndSilence) {
    // Gaps 0.05, 0.02, 1.03, 0.1: bursts of three and two packets.
    for (const double time : {1.0, 1.05, 1.07, 2.1, 2.2}) segment(time, true, 1, 1, 0);
    EXPECT_THAT(values("flow.idle_longest"), ElementsAre(DoubleNear(1.03, 1e-9)));
    EXPECT_THAT(values("flow.burst_packets"), ElementsAre(2.5));
    EXPECT_THAT(values("flow.active_share"), ElementsAre(DoubleNear(0.17 / 1.2, 1e-9)));
    EXPECT_THAT(values("flow.size_entropy"), ElementsAre(0));
}

TEST_F(FlowFeatures, EntropyOfSizes) {
    for (const std::uint32_t payload : {0U, 0U, 10U, 20U}) segment(payload, true, 1, 1, payload);
    EXPECT_THAT(values("flow.size_entropy"), ElementsAre(DoubleNear(1.5, 1e-12)));
}

TEST_F(FlowFeatures, RunsOfRetransmissions) {
    std::uint32_t next = 1000;
    double time = 1;
    const auto send = [&](std::uint32_t sequence) { segment(time += 1, true, sequence, 1, 100); };
    for (int i = 0; i < 4; ++i, next += 100) send(next);
    for (const std::uint32_t again : {1100U, 1200U, 1300U}) send(again);  // three in a row
    segment(time += 0.1, false, 1, 1400, 0);
    send(next);
    send(next);  // and one
    EXPECT_THAT(values("flow.retransmission_burst"), ElementsAre(2));
    EXPECT_THAT(values("flow.retransmission_share"), ElementsAre(DoubleNear(4.0 / 10, 1e-12)));
    EXPECT_THAT(values("flow.out_of_order_share"), ElementsAre(0));
}

TEST_F(FlowFeatures, AFlowWithoutThemHasNoValue) {
    segment(1, true, 1000, 1, 100);
    EXPECT_THAT(values("flow.retransmission_burst"), IsEmpty());
    EXPECT_THAT(values("flow.rtt_timestamps"), IsEmpty());
    EXPECT_THAT(values("flow.idle_longest"), IsEmpty());
    EXPECT_THAT(values("flow.active_share"), IsEmpty());
    EXPECT_THAT(values("flow.size_entropy"), IsEmpty());
    segment(1, true, 1100, 1, 100);  // at the same time: two packets, but no duration
    EXPECT_THAT(values("flow.idle_longest"), ElementsAre(0));
    EXPECT_THAT(values("flow.active_share"), IsEmpty());
}

TEST_F(FlowFeatures, SegmentsWithinTheirRoundTripAreOutOfOrder) {
    segment(1, true, 1000, 1, 100);
    segment(1.001, true, 1200, 1, 100);
    segment(1.002, true, 1100, 1, 100);
    EXPECT_THAT(values("flow.out_of_order_share"), ElementsAre(DoubleNear(1.0 / 3, 1e-12)));
    EXPECT_THAT(values("flow.retransmission_share"), ElementsAre(0));
}

TEST_F(FlowFeatures, RoundTripByTimestamps) {
    segment(1, true, 1000, 1, 100, 10, 5);
    segment(1.04, false, 1, 1100, 50, 70, 10);
    segment(1.05, true, 1100, 51, 0, 12, 70);
    EXPECT_THAT(values("flow.rtt_timestamps"), ElementsAre(DoubleNear(50, 1e-6)));
}

}  // namespace
}  // namespace tracebench
