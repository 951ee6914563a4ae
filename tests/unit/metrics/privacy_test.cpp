#include <gtest/gtest.h>

#include "metrics/privacy/copies.h"
#include "metrics/privacy/privacy_evaluation.h"
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

PrivacyEvaluation evaluated(const PrivacyView& train, const PrivacyView& heldout,
                            const PrivacyView& synthetic, const ModelLosses* losses = nullptr) {
    PrivacyComparison comparison{train, heldout, synthetic};
    comparison.synthetic_seed = 2;
    return evaluate_privacy(comparison, losses);
}

const Finding& find(const PrivacyEvaluation& evaluation, const std::string& metric,
                    const std::string& group = "") {
    for (const Finding& finding : evaluation.findings)
        if (finding.value.metric == "privacy." + metric && finding.value.group == group) return finding;
    throw std::out_of_range(metric + " " + group);
}

std::string level(const PrivacyEvaluation& evaluation, const std::string& area) {
    for (const PrivacyVerdict& verdict : evaluation.verdicts)
        if (verdict.area == area) return privacy_level_name(verdict.level);
    return "none";
}

TEST(Privacy, CopiesLightUp) {
    const auto train = view_privacy(random_samples(1, 12)), heldout = view_privacy(random_samples(2, 12));
    const auto result = evaluated(train, heldout, view_privacy(copied(random_samples(1, 12))));
    for (const char* area : {"copies", "membership", "identifiers"})
        EXPECT_EQ(level(result, area), "high") << area;
    for (const auto& [metric, group] : {std::pair{"copy_rate", ""},
                                        {"near_copy_rate", "0.9"},
                                        {"near_copy_rate", "0.7"},
                                        {"shared_run", ""},
                                        {"extracted_flows", "exact"},
                                        {"extracted_flows", "near"},
                                        {"dcr_share", ""},
                                        {"recovered_identifiers", "connections"},
                                        {"leaked_identifiers", "connections"}})
        EXPECT_EQ(find(result, metric, group).value.value, 1) << metric << group;
    EXPECT_LT(find(result, "distance_ratio").value.value, 0.05);
    EXPECT_EQ(find(result, "dcr").value.value, 0);
    EXPECT_GT(find(result, "dcr").value.floor, 0);
    for (const char* attack : {"distance", "sequence", "density_ratio", "session"}) {
        EXPECT_GT(find(result, "membership_auc", attack).value.value, 0.95) << attack;
        EXPECT_GT(find(result, "membership_tpr", attack).value.value, 0.9) << attack;
        EXPECT_GT(interval95(find(result, "membership_auc", attack).value.replicates)->low, 0.9) << attack;
    }
}

TEST(Privacy, IndependentSamplesGiveNothingAway) {
    const auto train = view_privacy(random_samples(1, 30)), heldout = view_privacy(random_samples(2, 30));
    const auto result = evaluated(train, heldout, view_privacy(random_samples(3, 30)));
    EXPECT_EQ(level(result, "copies"), "low");
    EXPECT_EQ(level(result, "membership"), "low");
    EXPECT_EQ(find(result, "copy_rate").value.value, 0);
    EXPECT_NEAR(find(result, "distance_ratio").value.value, 1, 0.2);
    for (const char* attack : {"distance", "sequence", "density_ratio", "session"}) {
        const auto interval = interval95(find(result, "membership_auc", attack).value.replicates);
        EXPECT_LT(interval->low, 0.5) << attack;
        EXPECT_GT(interval->high, 0.5) << attack;
        EXPECT_LT(find(result, "membership_tpr", attack).value.value, 0.15) << attack;
    }
}

TEST(Privacy, GrowsWithTheShareOfCopies) {
    const auto train = view_privacy(random_samples(1, 20)), heldout = view_privacy(random_samples(2, 20));
    double last_area = 0;
    for (const std::size_t copies : {0, 5, 10, 20}) {
        std::vector<LabelledTrace> samples = random_samples(3, 20);
        const std::vector<LabelledTrace> members = copied(random_samples(1, 20));
        std::copy_n(members.begin(), copies, samples.begin());
        const auto result = evaluated(train, heldout, view_privacy(samples));
        const double share = static_cast<double>(copies) / 20;
        EXPECT_DOUBLE_EQ(find(result, "copy_rate").value.value, share);
        EXPECT_DOUBLE_EQ(find(result, "extracted_flows", "exact").value.value, share);
        const double area = find(result, "membership_auc", "distance").value.value;
        EXPECT_GT(area, last_area) << copies;
        last_area = area;
        EXPECT_EQ(level(result, "copies"), copies == 0 ? "low" : "high") << copies;
    }
}

TEST(Privacy, ShortFlowsAreNoCopies) {
    std::vector<FlowRecord> records(3);
    for (std::size_t i = 0; i < records.size(); ++i) {
        records[i].session = static_cast<std::uint32_t>(i);
        records[i].sequence.assign(min_copy_packets, static_cast<std::uint32_t>(i));
        records[i].packets = min_copy_packets;
    }
    records[0].packets = min_copy_packets - 1;
    const Flows flows = {&records[0], &records[1], &records[2]};
    const SessionShare share = exact_copies(flows, {&records[0], &records[1]}, 3);
    EXPECT_EQ(share.whole(), 2);
    EXPECT_EQ(share.part(), 1);
    EXPECT_FALSE(exact_copies({}, flows, 3).rate());
}

TEST(Privacy, NothingToCompareIsSkippedWithItsReason) {
    const auto few = view_privacy(random_samples(1, 2)), none = view_privacy({});
    for (const auto& [train, heldout, synthetic] :
         {std::tuple{&none, &few, &few}, {&few, &none, &few}, {&few, &few, &none}, {&none, &none, &none}}) {
        const auto result = evaluated(*train, *heldout, *synthetic);
        EXPECT_EQ(find(result, "membership_auc", "distance").value.skipped,
                  "no flows in train, held-out or synthetic samples");
        EXPECT_FALSE(find(result, "distance_ratio").value.skipped.empty());
        for (const PrivacyVerdict& verdict : result.verdicts)
            EXPECT_NE(verdict.level, PrivacyLevel::high) << verdict.metric;
    }
    const auto blind = evaluated(few, none, few);
    EXPECT_EQ(find(blind, "copy_rate").value.value, 1);
    EXPECT_TRUE(std::isnan(find(blind, "copy_rate").value.floor));
    for (const char* area : {"copies", "membership", "identifiers"}) EXPECT_EQ(level(blind, area), "unknown");
}

TEST(Privacy, LossesOfTheModelAreAnAttack) {
    const auto train = view_privacy(random_samples(1, 8)), heldout = view_privacy(random_samples(2, 8)),
               synthetic = view_privacy(random_samples(3, 8));
    ModelLosses losses{std::vector<double>(8, 1.0),
                       std::vector<double>(8, std::numeric_limits<double>::infinity())};
    const auto told = evaluated(train, heldout, synthetic, &losses);
    EXPECT_EQ(find(told, "membership_auc", "loss").value.value, 1);
    EXPECT_EQ(level(told, "model"), "high");
    EXPECT_EQ(level(evaluated(train, heldout, synthetic), "model"), "unknown");
    EXPECT_EQ(find(evaluated(train, heldout, synthetic), "membership_auc", "loss").value.skipped,
              "the generator does not tell its losses");
    losses.train.pop_back();
    EXPECT_EQ(find(evaluated(train, heldout, synthetic, &losses), "membership_auc", "loss").value.skipped,
              "the generator's losses are of other samples");
    losses.train.assign(8, std::numeric_limits<double>::quiet_NaN());
    EXPECT_FALSE(
        find(evaluated(train, heldout, synthetic, &losses), "membership_auc", "loss").value.skipped.empty());
}

TEST(Privacy, MetricTellsCopiesFromFreshSamples) {
    const SampleSet train = sample_set("real", random_samples(1, 12)),
                    heldout = sample_set("real", random_samples(2, 12));
    const SampleSet copies = sample_set("copies", copied(random_samples(1, 12))),
                    fresh = sample_set("fresh", random_samples(3, 12));
    const MetricResult bad = PrivacyMetric().evaluate({train, heldout, copies, fresh}),
                       good = PrivacyMetric().evaluate({train, heldout, fresh, fresh}),
                       again = PrivacyMetric().evaluate({train, heldout, fresh, fresh});
    ASSERT_EQ(bad.values.size(), good.values.size());
    EXPECT_EQ(bad.values[0].metric, "privacy.copy_rate");
    EXPECT_EQ(bad.values[0].value, 1);
    EXPECT_EQ(good.values[0].value, 0);
    EXPECT_EQ(good.values[0].floor, 0);
    EXPECT_EQ(good.details.dump(), again.details.dump());
    for (std::size_t i = 0; i < good.values.size(); ++i) {
        EXPECT_EQ(bad.values[i].area, "privacy");
        EXPECT_EQ(good.values[i].replicates, again.values[i].replicates);
        // A number is real or there is a reason why not.
        EXPECT_TRUE(std::isfinite(good.values[i].value) || !good.values[i].skipped.empty())
            << good.values[i].metric << good.values[i].group;
    }
}

}  // namespace
}  // namespace tracebench
