#include "metrics/joint/joint_metric.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "metrics/joint/features.h"
#include "metrics/joint/joint_measures.h"
#include "tests/unit/metrics/traces.h"

namespace tracebench {
namespace {

using testing_traces::random_samples;
using testing_traces::sample_set;

std::size_t place(const std::vector<Feature>& features, const std::string& name) {
    for (std::size_t f = 0; f < features.size(); ++f)
        if (features[f].name == name) return f;
    throw std::out_of_range(name);
}

TEST(JointFeatures, OneVectorAFlowASessionAndAPacket) {
    const SampleSet set = sample_set("real", random_samples(1, 6));
    const FeatureVectors vectors = feature_vectors(set);
    EXPECT_EQ(vectors.flows.size(), set.observations.flows);
    EXPECT_EQ(vectors.sessions.size(), 6u);
    EXPECT_EQ(vectors.packets.size(), set.observations.packets);
    for (const Points* points : {&vectors.flows, &vectors.sessions, &vectors.packets}) {
        EXPECT_EQ(points->sessions, 6u);
        EXPECT_EQ(points->values.size(), points->size() * points->width);
        EXPECT_TRUE(std::is_sorted(points->session.begin(), points->session.end()));
    }
    const Column& packets = *set.observations.find("flow.packets");
    for (std::size_t i = 0; i < vectors.flows.size(); ++i) {
        const auto row = vectors.flows.row(i);
        EXPECT_NEAR(row[place(joint_flow_features(), "flow.packets")], std::log(packets.values[i] + 1e-6),
                    1e-12);
        EXPECT_EQ(row[0], 1);  // TCP
        EXPECT_EQ(row[1], 0);
    }
}

TEST(JointFeatures, WhatAPacketDoesNotHaveIsMissing) {
    std::vector<LabelledTrace> samples(2);
    testing_traces::append(
        samples[0].trace, 1,
        testing_traces::packet(testing_traces::endpoint(1, 5000), testing_traces::endpoint(2, 53), 0, 30));
    const FeatureVectors vectors = feature_vectors(sample_set("udp", samples));
    ASSERT_EQ(vectors.flows.size(), 1u);
    EXPECT_TRUE(std::isnan(vectors.flows.row(0)[place(joint_flow_features(), "flow.rtt")]));
    EXPECT_EQ(vectors.flows.row(0)[1], 1);
    EXPECT_EQ(vectors.sessions.size(), 1u);  // the other sample has no packet
    EXPECT_EQ(vectors.sessions.sessions, 2u);
    const auto packet = vectors.packets.row(0);
    const auto& features = joint_packet_features();
    EXPECT_TRUE(std::isnan(packet[place(features, "packet.iat")]));
    EXPECT_TRUE(std::isnan(packet[place(features, "tcp.flags")]));
    EXPECT_EQ(packet[place(features, "ip.protocol")], 17);
    EXPECT_EQ(packet[place(features, "service.port")], 53);
    EXPECT_EQ(packet[place(features, "payload")], 30);
    EXPECT_EQ(packet_numbers(vectors.packets).width, 6u);
}

class Joint : public testing::Test {
  protected:
    static SampleSet set(const std::string& name, std::uint64_t seed, std::size_t sessions = 12) {
        return sample_set(name, random_samples(seed, sessions));
    }
    /// Sessions of flows with `longer` more data packets each.
    static SampleSet longer(std::size_t more) {
        Random random(3);
        std::vector<LabelledTrace> samples;
        for (std::size_t s = 0; s < 12; ++s) {
            Trace trace;
            for (int flow = 0; flow < 2; ++flow)
                testing_traces::append_flow(trace, random, static_cast<std::uint8_t>(1 + random.below(100)),
                                            static_cast<std::uint16_t>(32768 + random.below(20000)),
                                            6 + more + random.below(20));
            samples.push_back({std::to_string(s), s % 2 ? "b" : "a", std::move(trace)});
        }
        return sample_set("longer", std::move(samples));
    }
    static const MetricValue& find(const MetricResult& result, const std::string& metric,
                                   const std::string& group) {
        for (const MetricValue& value : result.values)
            if (value.metric == "joint." + metric && value.group == group) return value;
        throw std::out_of_range(metric + " " + group);
    }
    SampleSet train = set("real", 1), heldout = set("real", 2), alike = set("alike", 3),
              ceiling = set("c", 4);
};

TEST_F(Joint, EveryGroupHasItsMeasuresAndCountsOnce) {
    const MetricResult result = JointMetric().evaluate({train, heldout, alike, ceiling, 1, 40});
    std::map<std::string, std::set<std::string>> measures, scored;
    for (const MetricValue& value : result.values) {
        EXPECT_EQ(value.area, value.group);
        EXPECT_TRUE(value.failed.empty()) << value.metric << " " << value.group << " " << value.failed;
        EXPECT_TRUE(value.skipped.empty());
        EXPECT_TRUE(std::isfinite(value.value) && std::isfinite(value.floor)) << value.metric;
        EXPECT_GT(value.n_real, 0u);
        EXPECT_TRUE(measures[value.group].insert(value.metric).second) << value.metric << " twice";
        if (value.in_score) scored[value.group].insert(value.metric);
    }
    EXPECT_EQ(measures["flow"].size(), 11u);
    EXPECT_EQ(measures["session"], measures["flow"]);
    EXPECT_EQ(measures["packet"], (std::set<std::string>{"joint.mutual_information", "joint.correlation",
                                                         "joint.rank_correlation"}));
    EXPECT_EQ(scored["flow"], (std::set<std::string>{"joint.energy", "joint.coverage", "joint.correlation"}));
    EXPECT_EQ(scored["packet"], std::set<std::string>{"joint.mutual_information"});
    EXPECT_FALSE(find(result, "coverage", "flow").lower_is_better);
    // Nine packet fields make 36 pairs.
    const auto& pairs = result.details["joint"]["mutual_information"];
    ASSERT_EQ(pairs.size(), 36u);
    EXPECT_EQ(pairs[0]["fields"], (nlohmann::json{"frame.length", "packet.iat"}));
    EXPECT_NEAR(pairs[7]["real"].get<double>(), pairs[7]["synthetic"].get<double>(), 0.1);
    EXPECT_EQ(pairs[7]["fields"][1], "payload");
    EXPECT_GT(pairs[7]["real"].get<double>(), 0.9);
}

TEST_F(Joint, SamplesOfTheSameSourceStayNearTheFloor) {
    std::map<std::string, double> values, floors;
    for (std::uint64_t seed = 100; seed < 142; seed += 3) {
        const SampleSet learned = set("real", seed), unseen = set("real", seed + 1),
                        made = set("made", seed + 2);
        for (const MetricValue& value : JointMetric().evaluate({learned, unseen, made, made, 1, 0}).values) {
            values[value.metric + " " + value.group] += value.value;
            floors[value.metric + " " + value.group] += value.floor;
        }
    }
    for (const char* measure : {"energy flow", "sliced_wasserstein flow", "precision flow", "recall flow",
                                "coverage flow", "frechet flow", "correlation flow", "energy session",
                                "coverage session", "mutual_information packet"}) {
        const std::string name = std::string("joint.") + measure;
        EXPECT_NEAR(values.at(name) / floors.at(name), 1, 0.25) << name;
    }
}

TEST_F(Joint, OtherFlowsAreFarther) {
    std::map<std::string, double> before;
    for (const std::size_t more : {0, 10, 40, 160}) {
        const MetricResult result = JointMetric().evaluate({train, heldout, longer(more), ceiling, 1, 0});
        for (const char* measure : {"energy", "sliced_wasserstein", "mmd", "frechet"}) {
            const double value = find(result, measure, "flow").value;
            if (more > 0) {
                EXPECT_GT(value, before[measure]) << measure << " " << more;
            }
            before[measure] = value;
        }
        if (more == 160) {
            EXPECT_LT(find(result, "coverage", "flow").value, 0.1);
            EXPECT_LT(find(result, "precision", "session").value, 0.1);
        }
    }
}

TEST_F(Joint, CallsRepeatAndFloorsDoNotDependOnTheSeedOrTheGenerator) {
    const MetricResult a = JointMetric().evaluate({train, heldout, alike, ceiling, 1, 30}),
                       b = JointMetric().evaluate({train, heldout, alike, ceiling, 1, 30}),
                       c = JointMetric().evaluate({train, heldout, longer(9), ceiling, 2, 30});
    bool other_replicates = false;
    std::size_t intervals = 0;
    for (std::size_t i = 0; i < a.values.size(); ++i) {
        EXPECT_EQ(a.values[i].value, b.values[i].value);
        EXPECT_EQ(a.values[i].replicates, b.values[i].replicates);
        EXPECT_EQ(a.values[i].floor, c.values[i].floor) << a.values[i].metric;
        other_replicates |= a.values[i].replicates != c.values[i].replicates;
        const auto interval = interval95(a.values[i].replicates);
        if (!interval) continue;
        ++intervals;
        EXPECT_LE(interval->low, a.values[i].value + 1e-12) << a.values[i].metric;
        EXPECT_GE(interval->high, a.values[i].value - 1e-12) << a.values[i].metric;
    }
    EXPECT_TRUE(other_replicates);
    EXPECT_EQ(intervals, a.values.size());
    EXPECT_EQ(a.details, b.details);
}

TEST_F(Joint, NothingIsNotNear) {
    std::vector<LabelledTrace> without_packets(4);
    for (LabelledTrace& sample : without_packets) sample.label = "a";
    const SampleSet none = sample_set("none", without_packets);
    const MetricResult result = JointMetric().evaluate({train, heldout, none, ceiling});
    EXPECT_EQ(find(result, "coverage", "flow").value, 0);
    EXPECT_EQ(find(result, "coverage", "flow").failed, "");
    EXPECT_EQ(find(result, "recall", "session").value, 0);
    EXPECT_EQ(find(result, "energy", "flow").failed, "no flows in synthetic samples");
    EXPECT_EQ(find(result, "mutual_information", "packet").failed, "no packets in synthetic samples");
    EXPECT_EQ(find(JointMetric().evaluate({train, none, alike, ceiling}), "mmd", "flow").failed,
              "no flows in held-out samples");
    for (const MetricValue& value : JointMetric().evaluate({none, none, none, none}).values)
        EXPECT_NE(value.skipped, "") << value.metric;
    // Four sessions have no fifth neighbour.
    const MetricResult few = JointMetric().evaluate({train, heldout, set("few", 9, 4), ceiling});
    EXPECT_EQ(find(few, "coverage", "session").failed, "needs more than 5 on either side");
    EXPECT_EQ(find(few, "energy", "session").failed, "");
}

/// Pairs of features that belong together, or the same ones independent of each other; a session each.
Points pairs(std::uint64_t seed, bool together) {
    Random random(seed);
    Points points{2, {}, {}, 200};
    for (std::uint32_t s = 0; s < 200; ++s) {
        const double x = random.normal(), y = together ? x : random.normal();
        points.add(std::vector{x, y}, s);
    }
    return points;
}

TEST_F(Joint, SeesWhatNoFieldAloneShows) {
    SampleSet sessions;
    sessions.observations.session_labels.assign(200, "a");
    const MetricInput input{sessions, sessions, sessions, sessions, 1, 0};
    const ComparisonPlan plan(input);
    const JointPoints points{pairs(1, true), pairs(2, true), pairs(3, false), pairs(4, false)};
    std::vector<JointFamily> families = pairwise_families(1, 2);
    for (JointFamily& family : linear_families(1)) families.push_back(std::move(family));
    for (const MetricValue& value : evaluate_families(plan, points, families, "flow", "flows")) {
        // Independent features are what the ceiling is made of.
        if (value.metric == "joint.recall") continue;      // a plane's balls hold the line
        if (value.metric == "joint.mmd_linear") continue;  // too noisy at this size
        ASSERT_TRUE(std::isfinite(value.ceiling)) << value.metric;
        EXPECT_NEAR((value.value - value.floor) / (value.ceiling - value.floor), 1, 0.35) << value.metric;
    }
}

}  // namespace
}  // namespace tracebench
