// Throughput, interleaving, segments and bursts: values worked out by hand.

#include <gmock/gmock.h>

#include <cmath>
#include <functional>

#include "metrics/flow/bursts.h"
#include "metrics/session/interleaving.h"
#include "metrics/session/segments.h"
#include "metrics/session/throughput.h"
#include "tests/unit/metrics/traces.h"

namespace tracebench {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing_traces::append;
using testing_traces::endpoint;
using testing_traces::packet;

constexpr std::int64_t step_ns = 100'000'000;
constexpr std::size_t many = 4096;

/// A UDP datagram with so many bytes of payload (42 of headers) from or to a client's port.
PacketFields datagram(std::uint16_t client_port, std::uint32_t payload, bool upstream = true) {
    const Endpoint client = endpoint(1, client_port), server = endpoint(2, 443);
    return upstream ? packet(client, server, 0, payload) : packet(server, client, 0, payload);
}

TEST(ByteSeries, CountsBytesInSteps) {
    Trace trace;
    append(trace, 5, datagram(4000, 58));
    append(trace, 5.05, datagram(4000, 158));
    append(trace, 5.1, datagram(4000, 58));
    append(trace, 5.45, datagram(4000, 258));
    EXPECT_THAT(byte_series(session_log(trace).packets, step_ns, many), ElementsAre(300, 100, 0, 0, 300));
    EXPECT_THAT(byte_series(session_log(trace).packets, step_ns, 3), ElementsAre(300, 100));
    EXPECT_THAT(byte_series({}, step_ns, many), IsEmpty());
}

TEST(ByteSeries, WildTimesCostNothing) {
    Trace trace;
    const auto bytes = build_packet(datagram(4000, 58));
    trace.append(INT64_MIN, bytes);
    trace.append(INT64_MAX, bytes);
    trace.append(-5, bytes);
    EXPECT_THAT(byte_series(session_log(trace).packets, step_ns, many), ElementsAre(100));
    EXPECT_FALSE(flow_correlation(session_log(trace), step_ns, many));
}

TEST(Autocorrelation, OfSeriesThatCanBeSummedByHand) {
    // +1, -1, ...: neighbours multiply to -1, and there are n - 1 of them.
    std::vector<double> alternating;
    for (int i = 0; i < 40; ++i) alternating.push_back(i % 2 == 0 ? 1 : -1);
    const auto swings = autocorrelation(alternating).value();
    EXPECT_NEAR(swings.lag1, -39.0 / 40, 1e-12);
    EXPECT_EQ(swings.decay_lag, 1u);
    // Twenty ones, then twenty minus ones: at lag k there are k products of -1 and 40 - 2k of 1.
    std::vector<double> steps(40, 1.0);
    std::fill(steps.begin() + 20, steps.end(), -1.0);
    const auto slow = autocorrelation(steps).value();
    EXPECT_NEAR(slow.lag1, (39.0 - 2) / 40, 1e-12);
    // (40 - 3k) / 40 < 1/e from k = 9 on.
    EXPECT_EQ(slow.decay_lag, 9u);
    EXPECT_FALSE(autocorrelation(std::vector<double>(40, 2.0)));
    EXPECT_FALSE(autocorrelation(std::vector<double>(alternating.begin(), alternating.begin() + 19)));
}

/// Two flows that send in every step of 0.1 s: one 100 or 200 bytes in turn, the other as `second` says.
std::optional<double> correlation_with(const std::function<std::uint32_t(int)>& second) {
    Trace trace;
    for (int step = 0; step < 12; ++step) {
        append(trace, 0.1 * step + 0.01, datagram(4000, step % 2 == 0 ? 58 : 158));
        append(trace, 0.1 * step + 0.02, datagram(5000, second(step)));
    }
    return flow_correlation(session_log(trace), step_ns, many);
}

TEST(FlowCorrelation, IsPearsonsOverSharedSteps) {
    EXPECT_NEAR(correlation_with([](int s) { return s % 2 == 0 ? 58U : 258U; }).value(), 1, 1e-12);
    EXPECT_NEAR(correlation_with([](int s) { return s % 2 == 0 ? 258U : 58U; }).value(), -1, 1e-12);
    // Each of the four combinations equally often.
    EXPECT_NEAR(correlation_with([](int s) { return s % 4 < 2 ? 58U : 258U; }).value(), 0, 1e-12);
    EXPECT_FALSE(correlation_with([](int) { return 58U; }));
}

TEST(Interleaving, IsTheEntropyOfWhoIsNext) {
    const auto entropy = [](std::initializer_list<std::uint16_t> ports) {
        Trace trace;
        double time = 0;
        for (const std::uint16_t port : ports) append(trace, time += 0.001, datagram(port, 10));
        return interleaving_entropy(session_log(trace));
    };
    EXPECT_FALSE(entropy({1, 1, 1}));
    EXPECT_FALSE(entropy({}));
    EXPECT_NEAR(entropy({1, 2, 1, 2, 1, 2}).value(), 0, 1e-12);  // always the other one
    // Pairs 11, 12, 22, 21, 11: after 1 (three times) 1 follows twice of three; after 2 each once.
    const double after_one = -(2 * std::log2(2.0 / 3) + std::log2(1.0 / 3)) / 3;
    EXPECT_NEAR(entropy({1, 1, 2, 2, 1, 1}).value(), (3 * after_one + 2 * 1) / 5, 1e-12);
}

TEST(LargestFlowShare, IsByBytes) {
    Trace trace;
    append(trace, 1, datagram(1, 58));
    append(trace, 2, datagram(2, 158));
    append(trace, 3, datagram(2, 58, false));
    EXPECT_DOUBLE_EQ(largest_flow_share(session_log(trace).flows).value(), 0.75);
    EXPECT_FALSE(largest_flow_share({}));
}

class Segments : public testing::Test {
  protected:
    void upstream(double time, std::uint32_t payload, std::uint16_t port = 4000) {
        append(trace_, time, datagram(port, payload));
    }
    /// `bytes` of payload in packets of 1,000, 10 ms apart.
    void downstream(double time, std::uint32_t bytes, std::uint16_t port = 4000) {
        for (std::uint32_t sent = 0; sent < bytes; sent += 1000, time += 0.01)
            append(trace_, time, datagram(port, 1000, false));
    }
    std::vector<Segment> found() {
        trace_.sort_by_time();
        return find_segments(session_log(trace_));
    }
    Trace trace_;
};

TEST_F(Segments, AreWhatFollowsARequest) {
    upstream(0, 200);
    downstream(0.1, 20'000);  // until 0.29
    upstream(0.2, 30);        // an acknowledgement
    upstream(2, 200);
    upstream(2.01, 300);  // the request goes on
    downstream(2.1, 40'000);
    upstream(3, 100);
    downstream(3.1, 9'000);  // too small
    const auto segments = found();
    ASSERT_EQ(segments.size(), 2u);
    EXPECT_EQ(segments[0].bytes, 20'000u);
    EXPECT_EQ(segments[0].request_ns, 0);
    EXPECT_EQ(segments[0].first_ns, 100'000'000);
    EXPECT_EQ(segments[0].last_ns, 290'000'000);
    EXPECT_EQ(segments[1].bytes, 40'000u);
    EXPECT_EQ(segments[1].request_ns, 2'010'000'000);
    // 0.19 s and 0.39 s of the 2.39 s from 0.1 to 2.49.
    EXPECT_NEAR(segment_on_share(segments).value(), 0.58 / 2.39, 1e-9);
}

TEST_F(Segments, OfSeveralFlowsOverlap) {
    upstream(0, 100, 1);
    downstream(0.1, 20'000, 1);  // 0.10 to 0.29
    upstream(0.15, 100, 2);
    downstream(0.2, 30'000, 2);  // 0.20 to 0.49
    upstream(0.9, 100, 3);
    downstream(1, 10'000, 3);  // 1.00 to 1.09
    const auto segments = found();
    ASSERT_EQ(segments.size(), 3u);
    EXPECT_EQ(segments[1].request_ns, 150'000'000);
    EXPECT_NEAR(segment_on_share(segments).value(), (0.39 + 0.09) / 0.99, 1e-9);
}

TEST_F(Segments, NeedARequestAndAreNotMadeOfNothing) {
    downstream(0, 50'000);  // forward is what the first packet says: upstream then, and never answered
    EXPECT_THAT(found(), IsEmpty());
    EXPECT_FALSE(segment_on_share({}));
    upstream(1, 100, 7);
    downstream(1.1, 20'000, 7);
    const auto one = found();
    ASSERT_EQ(one.size(), 1u);
    EXPECT_FALSE(segment_on_share(one));
}

TEST(Bursts, EndWithATenthOfASecondOfSilence) {
    Bursts bursts;
    for (const double gap : {0.01, 0.1, 0.5, 0.09, 0.3}) bursts.add_gap(gap);
    EXPECT_DOUBLE_EQ(bursts.packets(), 2);  // 3, 2 and 1
    EXPECT_DOUBLE_EQ(bursts.longest_gap_s(), 0.5);
    EXPECT_DOUBLE_EQ(bursts.active_share(), 0.2);
    Bursts still;
    EXPECT_DOUBLE_EQ(still.packets(), 1);
    EXPECT_FALSE(still.has_duration());
}

}  // namespace
}  // namespace tracebench
