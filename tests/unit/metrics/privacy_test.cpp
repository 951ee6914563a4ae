#include <gtest/gtest.h>

#include "metrics/privacy/memorisation.h"
#include "metrics/privacy/privacy_metric.h"
#include "tests/unit/metrics/traces.h"

namespace tracebench {
namespace {

using testing_traces::random_samples;
using testing_traces::sample_set;

/// The same packets a day later.
std::vector<LabelledTrace> copied(std::vector<LabelledTrace> samples) {
    for (LabelledTrace& sample : samples)
        for (PacketView& packet : sample.trace.packets) packet.time_ns += std::int64_t{86'400'000'000'000};
    return samples;
}

TEST(Privacy, CopiesLightUp) {
    const auto train = view_privacy(random_samples(1, 12)), heldout = view_privacy(random_samples(2, 12));
    const auto copies = view_privacy(copied(random_samples(1, 12)));
    EXPECT_EQ(exact_copies(copies.flows, train.flows).rate(), 1);
    EXPECT_EQ(leaked(copies.identifiers.connections, train.identifiers.connections).rate(), 1);
    const auto proximity = measure_proximity(train, heldout, copies, {});
    ASSERT_TRUE(proximity);
    EXPECT_LT(proximity->distance_ratio, 0.05);
    EXPECT_GT(proximity->auc, 0.95);
    EXPECT_GT(proximity->tpr_at_1pct_fpr, 0.9);
    EXPECT_GT(interval95(proximity->auc_replicates)->low, 0.9);
}

TEST(Privacy, IndependentSamplesGiveNothingAway) {
    const auto train = view_privacy(random_samples(1, 30)), heldout = view_privacy(random_samples(2, 30));
    const auto fresh = view_privacy(random_samples(3, 30));
    EXPECT_EQ(exact_copies(fresh.flows, train.flows).part, 0u);
    const auto proximity = measure_proximity(train, heldout, fresh, {});
    ASSERT_TRUE(proximity);
    EXPECT_NEAR(proximity->distance_ratio, 1, 0.2);
    const auto interval = interval95(proximity->auc_replicates);
    EXPECT_LT(interval->low, 0.5);
    EXPECT_GT(interval->high, 0.5);
    EXPECT_LT(proximity->tpr_at_1pct_fpr, 0.15);
}

TEST(Privacy, ShortFlowsAreNoCopies) {
    std::vector<FlowRecord> flows(3);
    flows[0].packets = min_copy_packets - 1;
    flows[1].packets = flows[2].packets = min_copy_packets;
    flows[1].sequence = "a";
    flows[2].sequence = "b";
    const Share share = exact_copies(flows, {flows[0], flows[1]});
    EXPECT_EQ(share.whole, 2u);
    EXPECT_EQ(share.part, 1u);
    EXPECT_FALSE(exact_copies({}, flows).rate());
}

TEST(Privacy, NothingToCompare) {
    EXPECT_FALSE(measure_proximity(view_privacy({}), view_privacy(random_samples(1, 2)),
                                   view_privacy(random_samples(1, 2)), {}));
}

TEST(Privacy, MetricTellsCopiesFromFreshSamples) {
    const SampleSet train = sample_set("real", random_samples(1, 12)),
                    heldout = sample_set("real", random_samples(2, 12));
    const SampleSet copies = sample_set("copies", copied(random_samples(1, 12))),
                    fresh = sample_set("fresh", random_samples(3, 12));
    const MetricResult bad = PrivacyMetric().evaluate({train, heldout, copies, fresh}),
                       good = PrivacyMetric().evaluate({train, heldout, fresh, fresh});
    ASSERT_EQ(bad.values.size(), good.values.size());
    EXPECT_EQ(bad.values[0].metric, "privacy.copy_rate");
    EXPECT_EQ(bad.values[0].value, 1);
    EXPECT_EQ(good.values[0].value, 0);
    EXPECT_EQ(good.values[0].floor, 0);
    for (const MetricValue& value : bad.values) EXPECT_EQ(value.area, "privacy");
}

}  // namespace
}  // namespace tracebench
