#include "metrics/compliance/compliance_metric.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/unit/metrics/traces.h"

namespace tracebench {
namespace {

using testing_traces::random_samples;
using testing_traces::sample_set;

/// TTL 0 in every third packet, with the header checksum as it was.
std::vector<LabelledTrace> damaged(std::vector<LabelledTrace> samples) {
    for (LabelledTrace& sample : samples) {
        Trace trace;
        for (std::size_t i = 0; i < sample.trace.size(); ++i) {
            const PacketView& packet = sample.trace.packets[i];
            std::vector<std::uint8_t> bytes(packet.bytes.begin(), packet.bytes.end());
            if (i % 3 == 0) bytes[14 + 8] = 0;
            trace.append(packet.time_ns, bytes);
        }
        sample.trace = std::move(trace);
    }
    return samples;
}

const MetricValue* find(const MetricResult& result, const std::string& metric, const std::string& group) {
    for (const MetricValue& value : result.values)
        if (value.metric == metric && value.group == group) return &value;
    return nullptr;
}

TEST(ComplianceMetric, DamageLowersThePassRate) {
    const SampleSet train = sample_set("real", random_samples(1, 6)),
                    heldout = sample_set("real", random_samples(2, 6)),
                    good = sample_set("good", random_samples(3, 6)),
                    bad = sample_set("bad", damaged(random_samples(3, 6)));
    const MetricResult result = ComplianceMetric().evaluate({train, heldout, bad, bad}),
                       clean = ComplianceMetric().evaluate({train, heldout, good, bad});
    const MetricValue* rate = find(result, "compliance.pass_rate", "");
    ASSERT_NE(rate, nullptr);
    EXPECT_FALSE(rate->lower_is_better);
    EXPECT_LE(rate->value, 0.7);
    EXPECT_EQ(rate->replicates.size(), 200u);
    // The ceiling samples are these very ones.
    EXPECT_NEAR(rate->ceiling, rate->value, 1e-12);
    EXPECT_GT(rate->floor, rate->value);
    EXPECT_NEAR(find(clean, "compliance.pass_rate", "")->value,
                find(clean, "compliance.pass_rate", "")->floor, 0.02);

    const MetricValue* checksum = find(result, "compliance.failure_rate", "ipv4.checksum");
    ASSERT_NE(checksum, nullptr);
    EXPECT_NEAR(checksum->value, 1.0 / 3, 0.05);
    EXPECT_EQ(checksum->floor, 0);
    const auto& details = result.details["compliance"]["ipv4.checksum"];
    EXPECT_GT(details["failed"], 0);
    EXPECT_EQ(details["examples"][0]["frame"], 1);
    EXPECT_EQ(details["examples"][0]["sample"], "s0.pcap");
}

TEST(ComplianceMetric, DescribesTheRealSide) {
    const auto real = ComplianceMetric().describe_real(sample_set("real", random_samples(1, 2)));
    EXPECT_GE(real["compliance"]["rules"].size(), 40u);
    for (const auto& rule : real["compliance"]["rules"])
        EXPECT_TRUE(real["compliance"]["real"].contains(rule["id"].get<std::string>()));
}

/// The other choice about fragmentation in the first `changed` packets of every ten.
std::vector<LabelledTrace> fragmenting(std::vector<LabelledTrace> samples, std::size_t changed) {
    for (LabelledTrace& sample : samples) {
        Trace trace;
        for (std::size_t i = 0; i < sample.trace.size(); ++i) {
            const PacketView& packet = sample.trace.packets[i];
            std::vector<std::uint8_t> bytes(packet.bytes.begin(), packet.bytes.end());
            if (i % 10 < changed) bytes[14 + 6] ^= 0x40;
            trace.append(packet.time_ns, bytes);
        }
        sample.trace = std::move(trace);
    }
    return samples;
}

TEST(ComplianceMetric, BehaviourIsComparedAndNotScored) {
    const SampleSet train = sample_set("real", random_samples(1, 6)),
                    heldout = sample_set("real", random_samples(2, 6)),
                    same = sample_set("same", random_samples(3, 6)),
                    other = sample_set("other", fragmenting(random_samples(3, 6), 10));
    const MetricResult far = ComplianceMetric().evaluate({train, heldout, other, other}),
                       near = ComplianceMetric().evaluate({train, heldout, same, other});
    const MetricValue* value = find(far, "observed.rate", "ipv4.dont_fragment");
    ASSERT_NE(value, nullptr);
    // No packet of the one side forbids fragmentation, every one of the other does.
    EXPECT_DOUBLE_EQ(value->value, 1);
    EXPECT_EQ(value->floor, 0);
    EXPECT_TRUE(std::isnan(value->ceiling));
    EXPECT_EQ(value->replicates, std::vector<double>(200, 1.0));
    EXPECT_FALSE(value->in_score);
    EXPECT_TRUE(value->lower_is_better);
    EXPECT_EQ(far.details["observed"]["ipv4.dont_fragment"]["of"], value->n_synthetic);
    const MetricValue* none = find(near, "observed.rate", "ipv4.dont_fragment");
    EXPECT_EQ(none ? none->value : 0, 0);

    const SampleSet some = sample_set("some", fragmenting(random_samples(3, 6), 3));
    const MetricResult part = ComplianceMetric().evaluate({train, heldout, some, other});
    EXPECT_NEAR(find(part, "observed.rate", "ipv4.dont_fragment")->value, 0.3, 0.05);
    EXPECT_EQ(find(part, "observed.rate", "ipv4.options"), nullptr);  // on neither side
}

}  // namespace
}  // namespace tracebench
