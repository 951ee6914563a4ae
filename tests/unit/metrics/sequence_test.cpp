#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>

#include "metrics/sequence/dtw.h"
#include "metrics/sequence/flow_sequences.h"
#include "metrics/sequence/sequence_metric.h"
#include "tests/unit/metrics/traces.h"
#include "traffic/flow_split.h"

namespace tracebench {
namespace {

using testing::ElementsAre;
using testing_traces::append;
using testing_traces::endpoint;
using testing_traces::packet;
using testing_traces::random_samples;
using testing_traces::sample_set;

using Series = std::vector<float>;
constexpr std::size_t wide = 1000;

/// The definition itself: the least sum over all paths, a diagonal step counting twice, the first cell once.
double by_all_paths(const Series& a, const Series& b, std::size_t i, std::size_t j, double sum) {
    if (i + 1 == a.size() && j + 1 == b.size()) return sum;
    double best = std::numeric_limits<double>::infinity();
    const auto step = [&](std::size_t to_i, std::size_t to_j, double weight) {
        if (to_i >= a.size() || to_j >= b.size()) return;
        const double next = std::abs(static_cast<double>(a[to_i]) - static_cast<double>(b[to_j]));
        best = std::min(best, by_all_paths(a, b, to_i, to_j, sum + weight * next));
    };
    step(i + 1, j, 1);
    step(i, j + 1, 1);
    step(i + 1, j + 1, 2);
    return best;
}

TEST(Dtw, IsTheBestOfAllPaths) {
    Random random(11);
    for (int round = 0; round < 60; ++round) {
        Series a(1 + random.below(6)), b(1 + random.below(6));
        for (float& value : a) value = static_cast<float>(random.uniform(-1, 1));
        for (float& value : b) value = static_cast<float>(random.uniform(-1, 1));
        const double first = std::abs(static_cast<double>(a[0]) - static_cast<double>(b[0]));
        EXPECT_NEAR(dtw_distance(a, b, wide),
                    by_all_paths(a, b, 0, 0, first) / static_cast<double>(a.size() + b.size()), 1e-9);
    }
}

TEST(Dtw, WorkedExamples) {
    // Repeating values costs nothing.
    EXPECT_EQ(dtw_distance(Series{0, 1, 2}, Series{0, 0, 1, 1, 1, 2}, wide), 0);
    // One diagonal step from 0 to 1: 2 (or 1 + 1 around it).
    EXPECT_DOUBLE_EQ(dtw_distance(Series{0, 0}, Series{0, 1}, wide), 1.0 / 4);
    EXPECT_DOUBLE_EQ(dtw_distance(Series{0.5F}, Series{-0.25F}, wide), 0.75 / 2);
    EXPECT_EQ(dtw_distance({}, {}, wide), 0);
    EXPECT_TRUE(std::isinf(dtw_distance({}, Series{1}, wide)));
}

TEST(Dtw, TheBandKeepsToTheDiagonal) {
    // The pulse would have to be moved by four.
    Series early(12), late(12);
    early[2] = late[6] = 1;
    EXPECT_EQ(dtw_distance(early, late, 4), 0);
    EXPECT_DOUBLE_EQ(dtw_distance(early, late, 3), 2.0 / 24);
    // A longer series is still reached end to end.
    EXPECT_EQ(dtw_distance(Series(100, 1.0F), Series(1, 1.0F), 0), 0);
    EXPECT_EQ(dtw_distance(Series(7, 0.5F), Series(100, 0.5F), 1), 0);
}

TEST(Dtw, GivesUpAtTheLimit) {
    const Series a{0, 0, 0}, b{1, 1, 1};
    const double distance = dtw_distance(a, b, wide);
    EXPECT_EQ(dtw_distance(a, b, wide, distance * 1.01), distance);
    EXPECT_TRUE(std::isinf(dtw_distance(a, b, wide, distance)));
}

TEST(FlowSequences, HaveOneTrigramAPacket) {
    LabelledTrace sample{"x", "a", {}};
    const Endpoint client = endpoint(1, 4000), server = endpoint(2, 53);
    append(sample.trace, 1, packet(client, server, 0, 50));    // class 1 forward
    append(sample.trace, 2, packet(server, client, 0, 1300));  // class 4 in reverse: 9
    append(sample.trace, 3, packet(client, endpoint(3, 53), 0, 0));
    const auto flows = flow_sequences({{"empty", "a", {}}, sample}, 10, 1);
    ASSERT_EQ(flows.size(), 2u);
    EXPECT_EQ(flows[0].session, 1u);
    EXPECT_THAT(flows[0].trigrams, ElementsAre((10 * 12 + 1) * 12 + 9, (1 * 12 + 9) * 12 + 11));
    EXPECT_THAT(flows[0].sizes,
                ElementsAre(testing::FloatEq(92.0F / 1500), testing::FloatEq(-1342.0F / 1500)));
    EXPECT_THAT(flows[1].trigrams, ElementsAre((10 * 12 + 0) * 12 + 11));
}

TEST(FlowSequences, AreThinnedAtRandomAndInOrder) {
    std::vector<FlowSequence> flows;
    for (std::uint32_t i = 0; i < 100; ++i) flows.push_back({i, {}, {}});
    const auto sessions = [&](std::size_t count, std::uint64_t seed) {
        std::vector<std::uint32_t> kept;
        for (const FlowSequence& flow : thinned(flows, count, seed)) kept.push_back(flow.session);
        return kept;
    };
    const auto some = sessions(30, 1);
    EXPECT_EQ(some.size(), 30u);
    EXPECT_TRUE(std::is_sorted(some.begin(), some.end()));
    EXPECT_EQ(std::adjacent_find(some.begin(), some.end()), some.end());
    EXPECT_EQ(some, sessions(30, 1));
    EXPECT_NE(some, sessions(30, 2));
    EXPECT_EQ(sessions(200, 1).size(), 100u);
    EXPECT_TRUE(sessions(0, 1).empty());
}

FlowSequence flow_of(std::uint32_t session, Series sizes) {
    return {session, std::move(sizes), {}};
}

TEST(NearestFlows, MeanOfBothWays) {
    // Left 0: {0}, {1}; right: session 1 has {0.5}, session 2 has {0}. One value: distance is half the gap.
    const std::vector<FlowSequence> left{flow_of(0, {0}), flow_of(0, {1})},
        right{flow_of(0, {0.5F}), flow_of(1, {0})};
    const NearestFlows nearest(left, 1, right, 2);
    const std::vector<double> all_left{1, 0, 0}, all_right{0, 1, 1}, only_first{0, 1, 0}, twice{0, 2, 1};
    // Left to right: 0 and 0.25; right to left: 0.25 and 0.
    EXPECT_DOUBLE_EQ(nearest.distance(all_left, all_right), (0.125 + 0.125) / 2);
    EXPECT_DOUBLE_EQ(nearest.distance(all_left, only_first), (0.25 + 0.25) / 2);
    EXPECT_DOUBLE_EQ(nearest.distance(all_left, twice), (0.125 + 0.5 / 3) / 2);
    EXPECT_TRUE(std::isnan(nearest.distance(all_left, std::vector<double>{0, 0, 0})));
}

TEST(NearestFlows, OfAPoolCompareAllSessions) {
    const std::vector<FlowSequence> pool{flow_of(0, {0}), flow_of(0, {1}), flow_of(1, {1}),
                                         flow_of(2, {0.5F})};
    const NearestFlows nearest(pool, 3, {}, 0);
    const std::vector<double> first{1, 0, 0}, second{0, 1, 0}, third{0, 0, 1};
    EXPECT_DOUBLE_EQ(nearest.distance(first, second), (0.25 + 0) / 2);
    EXPECT_DOUBLE_EQ(nearest.distance(third, second), 0.25);
    EXPECT_DOUBLE_EQ(nearest.distance(second, first), nearest.distance(first, second));
}

class Sequence : public testing::Test {
  protected:
    static const MetricValue& find(const MetricResult& result, const std::string& metric) {
        for (const MetricValue& value : result.values)
            if (value.metric == metric) return value;
        throw std::out_of_range(metric);
    }
    /// The same packets at the same times, each flow's contents in another order.
    static std::vector<LabelledTrace> shuffled(std::vector<LabelledTrace> samples) {
        Random random(9);
        for (LabelledTrace& sample : samples) {
            Trace trace;
            for (const FlowPackets& flow : split_flows(sample.trace)) {
                std::vector<std::uint32_t> order = flow.packets;
                random.shuffle(order);
                for (std::size_t i = 0; i < order.size(); ++i)
                    trace.append(sample.trace.packets[flow.packets[i]].time_ns,
                                 sample.trace.packets[order[i]].bytes,
                                 sample.trace.packets[order[i]].original_length);
            }
            trace.sort_by_time();
            sample.trace = std::move(trace);
        }
        return samples;
    }
    SampleSet train = sample_set("real", random_samples(1, 16)),
              heldout = sample_set("real", random_samples(2, 16)),
              alike = sample_set("alike", random_samples(3, 16)),
              mixed = sample_set("mixed", shuffled(random_samples(4, 16))), none = sample_set("none", {});
};

TEST_F(Sequence, TheSameSamplesAreNotApart) {
    const MetricResult result = SequenceMetric().evaluate({train, heldout, heldout, mixed, 1, 0});
    ASSERT_EQ(result.values.size(), 2u);
    for (const MetricValue& value : result.values) {
        EXPECT_EQ(value.value, 0) << value.metric;
        EXPECT_TRUE(value.failed.empty() && value.skipped.empty());
    }
}

TEST_F(Sequence, SeesPacketsInAnotherOrder) {
    const MetricResult good = SequenceMetric().evaluate({train, heldout, alike, mixed}),
                       bad = SequenceMetric().evaluate({train, heldout, mixed, mixed});
    for (const char* metric : {"sequence.jsd", "sequence.dtw"}) {
        const MetricValue &near_real = find(good, metric), &apart = find(bad, metric);
        EXPECT_LT(near_real.value, apart.value) << metric;
        EXPECT_GT(apart.ceiling, apart.floor) << metric;
        EXPECT_DOUBLE_EQ(near_real.floor, apart.floor);
        EXPECT_LT((near_real.value - near_real.floor) / (near_real.ceiling - near_real.floor), 0.5) << metric;
        EXPECT_EQ(near_real.replicates.size(), 200u);
        EXPECT_EQ(near_real.area, "flow");
    }
    EXPECT_EQ(find(good, "sequence.jsd").n_real, 32u);
}

TEST_F(Sequence, RepeatsItself) {
    const MetricResult once = SequenceMetric().evaluate({train, heldout, alike, mixed}),
                       again = SequenceMetric().evaluate({train, heldout, alike, mixed});
    for (std::size_t v = 0; v < once.values.size(); ++v)
        EXPECT_EQ(once.values[v].replicates, again.values[v].replicates);
}

TEST_F(Sequence, SaysWhatItCannotDo) {
    const MetricResult one_side = SequenceMetric().evaluate({train, heldout, none, mixed});
    EXPECT_EQ(find(one_side, "sequence.jsd").value, 1);
    EXPECT_TRUE(find(one_side, "sequence.jsd").failed.empty());
    EXPECT_EQ(find(one_side, "sequence.dtw").failed, "no flow in synthetic samples");
    EXPECT_EQ(find(SequenceMetric().evaluate({train, none, alike, mixed}), "sequence.dtw").failed,
              "no flow in held-out samples");
    for (const MetricValue& value : SequenceMetric().evaluate({train, none, none, mixed}).values) {
        EXPECT_FALSE(value.skipped.empty());
        EXPECT_TRUE(value.failed.empty());
    }
}

}  // namespace
}  // namespace tracebench
