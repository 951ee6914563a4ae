#include "metrics/consistency/consistency_metric.h"

#include <gtest/gtest.h>

#include <cmath>

#include "metrics/consistency/consistency_counts.h"
#include "metrics/resampling.h"
#include "tests/unit/metrics/traces.h"

namespace tracebench {
namespace {

using testing_traces::append;
using testing_traces::endpoint;
using testing_traces::packet;
using testing_traces::random_samples;
using testing_traces::sample_set;

/// A UDP exchange with port 22, which only TCP has, in every `step`th session.
std::vector<LabelledTrace> with_impossible_flows(std::vector<LabelledTrace> samples, std::size_t step) {
    for (std::size_t s = 0; s < samples.size(); s += step) {
        append(samples[s].trace, 100, packet(endpoint(3, 40000), endpoint(4, 22), 0, 30));
        append(samples[s].trace, 101, packet(endpoint(4, 22), endpoint(3, 40000), 0, 30));
    }
    return samples;
}

const MetricValue& find(const MetricResult& result, const std::string& metric, const std::string& group) {
    for (const MetricValue& value : result.values)
        if (value.metric == metric && value.group == group) return value;
    throw std::out_of_range(metric + " " + group);
}

class ConsistencyOf : public testing::Test {
  protected:
    SampleSet train = sample_set("real", random_samples(1, 8)),
              heldout = sample_set("real", random_samples(2, 8)),
              good = sample_set("good", random_samples(3, 8)),
              bad = sample_set("bad", with_impossible_flows(random_samples(3, 8), 1)),
              some = sample_set("some", with_impossible_flows(random_samples(3, 8), 3));
};

TEST_F(ConsistencyOf, RecordsArePackets) {
    const std::vector<Biflow> records = biflows(bad.samples.load().front().trace);
    ASSERT_EQ(records.size(), 3U);
    EXPECT_TRUE(records[0].is_tcp() && records[0].opened && records[0].handshake);
    EXPECT_EQ(records[0].tcp_flags[0] & tcp_flag::syn, tcp_flag::syn);
    const Biflow& udp = records[2];
    EXPECT_TRUE(udp.is_udp());
    EXPECT_EQ(udp.packets[0] + udp.packets[1], 2U);
    EXPECT_EQ(udp.octets[0], 20U + 8 + 30);
    EXPECT_EQ(udp.payload[1], 30U);
    EXPECT_EQ(udp.duration_ns, 1'000'000'000);
    EXPECT_TRUE(biflows({}).empty());
}

TEST_F(ConsistencyOf, SharesOfRecords) {
    // Two good flows a session, and a third, impossible one.
    const ConsistencyCounts counts = count_consistency(bad.samples);
    EXPECT_EQ(counts.consistent.total(), 24U);
    EXPECT_DOUBLE_EQ(counts.consistent.rate(), 2.0 / 3);
    EXPECT_TRUE(std::isnan(count_consistency({}).consistent.rate()));
}

TEST_F(ConsistencyOf, ImpossibleRecordsLowerTheRate) {
    const MetricResult clean = ConsistencyMetric().evaluate({train, heldout, good, bad}),
                       result = ConsistencyMetric().evaluate({train, heldout, some, bad});
    EXPECT_EQ(clean.values.size(), consistency_rules().size() + 1);
    const MetricValue& all_clean = find(clean, "consistency.rate", "");
    EXPECT_EQ(all_clean.value, 1);
    EXPECT_EQ(all_clean.floor, 1);
    EXPECT_DOUBLE_EQ(all_clean.ceiling, 2.0 / 3);
    EXPECT_FALSE(all_clean.lower_is_better);
    const MetricValue& all = find(result, "consistency.rate", "");
    EXPECT_DOUBLE_EQ(all.value, 16.0 / 19);
    EXPECT_EQ(all.n_synthetic, 19U);
    const auto interval = interval95(all.replicates);
    ASSERT_TRUE(interval);
    EXPECT_LT(interval->low, all.value);
    EXPECT_GT(interval->high, all.value);
    EXPECT_LE(interval->high, 1);
    const MetricValue& rule = find(result, "consistency.rate", "ports.tcp_service");
    EXPECT_EQ(rule.value, 0);
    EXPECT_TRUE(std::isnan(rule.floor));  // no real record has such a port
    EXPECT_NE(find(result, "consistency.rate", "address.loopback").skipped, "");
    const nlohmann::json& details = result.details["consistency"]["ports.tcp_service"];
    EXPECT_EQ(details["checked"], 3);
    EXPECT_EQ(details["rate"], 0);
    ASSERT_EQ(details["examples"].size(), 3U);
    EXPECT_EQ(details["examples"][1]["sample"], "s3.pcap");
    EXPECT_EQ(details["examples"][1]["flow"], "UDP 192.0.2.3:40000 > 192.0.2.4:22");
    EXPECT_TRUE(result.details["consistency"]["address.loopback"]["rate"].is_null());
    for (const MetricValue& value : result.values) {
        EXPECT_FALSE(value.in_score) << value.group;
        EXPECT_EQ(value.area, "compliance");
    }
}

TEST_F(ConsistencyOf, ObservedRatesAreComparedWithRealOnes) {
    // A third flow in every session that does not open with SYN, where real ones always do.
    const MetricResult result = ConsistencyMetric().evaluate({train, heldout, bad, good}),
                       same = ConsistencyMetric().evaluate({train, heldout, heldout, good});
    EXPECT_EQ(find(result, "consistency.observed_difference", "observed.opened").value, 0);
    std::vector<LabelledTrace> headless = random_samples(3, 8);
    for (std::size_t s = 0; s < headless.size(); s += 2) {
        Trace cut;
        for (const PacketView& view : headless[s].trace.packets)
            if ((dissect(view).tcp()[13] & tcp_flag::syn) == 0) cut.append(view.time_ns, view.bytes);
        headless[s].trace = std::move(cut);
    }
    const SampleSet cut = sample_set("cut", headless);
    const MetricResult of_cut = ConsistencyMetric().evaluate({train, heldout, cut, cut});
    const MetricValue& opened = find(of_cut, "consistency.observed_difference", "observed.opened");
    EXPECT_DOUBLE_EQ(opened.value, 0.5);
    EXPECT_DOUBLE_EQ(opened.ceiling, 0.5);
    EXPECT_EQ(opened.floor, 0);
    EXPECT_TRUE(opened.lower_is_better);
    EXPECT_EQ(opened.replicates.size(), 200U);
    EXPECT_EQ(find(same, "consistency.observed_difference", "observed.opened").value, 0);
    EXPECT_EQ(find(same, "consistency.observed_difference", "observed.dns_udp").skipped,
              "speaks about no held-out flow record");
}

TEST_F(ConsistencyOf, DescribesTheRealSide) {
    const auto real = ConsistencyMetric().describe_real(heldout)["consistency"];
    ASSERT_EQ(real["rules"].size(), consistency_rules().size());
    for (const auto& rule : real["rules"]) {
        EXPECT_NE(rule["title"], "");
        const auto& counts = real["real"][rule["id"].get<std::string>()];
        EXPECT_TRUE(counts["examples"].empty()) << rule["id"];
    }
    EXPECT_EQ(real["real"]["flags.handshake"]["checked"], 16);
    EXPECT_EQ(real["real"]["flags.handshake"]["rate"], 1);
}

TEST_F(ConsistencyOf, TheSameSeedGivesTheSameIntervals) {
    const MetricResult a = ConsistencyMetric().evaluate({train, heldout, some, bad}),
                       b = ConsistencyMetric().evaluate({train, heldout, some, bad});
    for (std::size_t i = 0; i < a.values.size(); ++i)
        EXPECT_EQ(a.values[i].replicates, b.values[i].replicates) << a.values[i].group;
}

}  // namespace
}  // namespace tracebench
