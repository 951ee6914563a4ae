#include "metrics/flow/cicflow_metric.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "metrics/distance/ordered.h"
#include "metrics/flow/cic_features.h"
#include "metrics/resampling.h"
#include "tests/unit/metrics/traces.h"
#include "traffic/flow_split.h"

namespace tracebench {
namespace {

using testing_traces::random_samples;
using testing_traces::sample_set;

/// The same packets, times stretched.
std::vector<LabelledTrace> slower(std::vector<LabelledTrace> samples, int factor) {
    for (LabelledTrace& sample : samples) {
        Trace trace;
        const std::int64_t start = sample.trace.packets.front().time_ns;
        for (const PacketView& packet : sample.trace.packets)
            trace.append(start + factor * (packet.time_ns - start), packet.bytes, packet.original_length);
        sample.trace = std::move(trace);
    }
    return samples;
}

/// One feature of every flow, with the traces' own code for splitting flows.
std::vector<double> feature(const SampleSet& set, const std::string& name) {
    const auto list = cic_features();
    const auto at =
        std::find_if(list.begin(), list.end(), [&](const CicFeature& f) { return f.name == name; });
    std::vector<double> values;
    for (const LabelledTrace& sample : set.samples) {
        for (const FlowPackets& flow : split_flows(sample.trace)) {
            CicFlow features;
            for (std::size_t i = 0; i < flow.packets.size(); ++i) {
                const PacketView& packet = sample.trace.packets[flow.packets[i]];
                features.add(cic_packet(packet, dissect(packet), flow.directions[i]));
            }
            values.push_back(features.values()[static_cast<std::size_t>(at - list.begin())]);
        }
    }
    return values;
}

class Cicflow : public testing::Test {
  protected:
    static const MetricValue& find(const MetricResult& result, const std::string& metric,
                                   const std::string& group) {
        for (const MetricValue& value : result.values)
            if (value.metric == metric && value.group == group) return value;
        throw std::out_of_range(metric + " " + group);
    }
    SampleSet train = sample_set("real", random_samples(1, 12)),
              heldout = sample_set("real", random_samples(2, 12)),
              alike = sample_set("alike", random_samples(3, 12)),
              slow = sample_set("slow", slower(random_samples(3, 12), 3)), none = sample_set("none", {});
};

TEST_F(Cicflow, TheSameSamplesAreNotApart) {
    const MetricResult result = CicflowMetric().evaluate({train, heldout, heldout, slow, 1, 0});
    ASSERT_EQ(result.values.size(), 2 * cic_feature_count);
    for (const MetricValue& value : result.values) {
        EXPECT_EQ(value.value, 0) << value.group;
        EXPECT_FALSE(value.in_score);
        EXPECT_EQ(value.area, "flow");
    }
}

TEST_F(Cicflow, FindsWhichFeaturesDiffer) {
    const MetricResult result = CicflowMetric().evaluate({train, heldout, slow, slow});
    const MetricValue& duration = find(result, "cicflow.ks", "Flow Duration");
    EXPECT_NEAR(duration.value,
                kolmogorov_smirnov(feature(heldout, "Flow Duration"), feature(slow, "Flow Duration")), 1e-12);
    EXPECT_GT(duration.value, 3 * duration.floor);
    EXPECT_GT(duration.ceiling, duration.floor);
    EXPECT_EQ(duration.n_real, 24u);
    const auto interval = interval95(duration.replicates);
    ASSERT_TRUE(interval);
    EXPECT_LT(interval->low, duration.value);
    EXPECT_GT(interval->high, duration.value);
    // Sizes are those of another seed's traffic, not of another kind.
    const MetricValue& length = find(result, "cicflow.ks", "Packet Length Mean");
    EXPECT_LT(length.value, 2.5 * length.floor);
    // Never set on any side: nothing to tell a ceiling from.
    EXPECT_EQ(find(result, "cicflow.jsd", "URG Flag Count").value, 0);
    EXPECT_TRUE(std::isnan(find(result, "cicflow.jsd", "URG Flag Count").ceiling));
}

TEST_F(Cicflow, SaysWhatItCannotDo) {
    for (const MetricValue& value : CicflowMetric().evaluate({train, heldout, none, slow}).values) {
        EXPECT_EQ(value.value, 1);
        EXPECT_TRUE(value.replicates.empty());
        EXPECT_TRUE(value.skipped.empty());
    }
    for (const MetricValue& value : CicflowMetric().evaluate({none, none, none, none}).values)
        EXPECT_FALSE(value.skipped.empty());
}

}  // namespace
}  // namespace tracebench
