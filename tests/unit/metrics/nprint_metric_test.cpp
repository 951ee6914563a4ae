#include "metrics/nprint/nprint_metric.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "metrics/resampling.h"
#include "tests/unit/metrics/traces.h"

namespace tracebench {
namespace {

using testing_traces::random_samples;
using testing_traces::sample_set;

/// The same packets with another TTL in a share of them.
std::vector<LabelledTrace> with_ttl(std::vector<LabelledTrace> samples, std::uint8_t ttl, double share) {
    Random random(3);
    for (LabelledTrace& sample : samples) {
        Trace trace;
        for (const PacketView& packet : sample.trace.packets) {
            std::vector<std::uint8_t> bytes(packet.bytes.begin(), packet.bytes.end());
            if (random.chance(share)) bytes[14 + 8] = ttl;
            trace.append(packet.time_ns, bytes);
        }
        sample.trace = std::move(trace);
    }
    return samples;
}

class Nprint : public testing::Test {
  protected:
    static const MetricValue& find(const MetricResult& result, const std::string& metric,
                                   const std::string& group) {
        for (const MetricValue& value : result.values)
            if (value.metric == metric && value.group == group) return value;
        throw std::out_of_range(metric + " " + group);
    }
    SampleSet train = sample_set("real", random_samples(1, 16)),
              heldout = sample_set("real", random_samples(2, 16)),
              alike = sample_set("alike", random_samples(3, 16)),
              ceiling = sample_set("c", random_samples(4, 16)), none = sample_set("none", {});
};

TEST_F(Nprint, TheSameSamplesAreNotApart) {
    const MetricResult result = NprintMetric().evaluate({train, heldout, heldout, ceiling, 1, 0});
    EXPECT_EQ(result.values.size(), 36u);
    for (const MetricValue& value : result.values)
        if (value.skipped.empty()) {
            EXPECT_EQ(value.value, 0) << value.metric << " " << value.group;
        }
    EXPECT_EQ(find(result, "nprint.jsd", "udp").skipped,
              "occurs neither in held-out nor in synthetic samples");
}

TEST_F(Nprint, ScoresRunFromTheFloorToTheCeiling) {
    const SampleSet far = sample_set("far", with_ttl(random_samples(3, 16), 255, 1));
    const MetricResult near_real = NprintMetric().evaluate({train, heldout, alike, ceiling}),
                       changed = NprintMetric().evaluate({train, heldout, far, ceiling});
    for (const char* metric : {"nprint.jsd", "nprint.tvd", "nprint.hellinger"}) {
        for (const char* group : {"all", "tcp", "active", "everything"}) {
            const MetricValue& value = find(near_real, metric, group);
            EXPECT_GT(value.ceiling, value.floor) << metric << " " << group;
            EXPECT_LT((value.value - value.floor) / (value.ceiling - value.floor), 0.1)
                << metric << " " << group;
        }
        // 255 = 11111111 for 01000000: seven of 816 columns are as far apart as can be.
        EXPECT_NEAR(find(changed, metric, "all").value - find(near_real, metric, "all").value, 7.0 / 816,
                    1e-12);
    }
    EXPECT_EQ(find(changed, "nprint.jsd", "all").unit, "bit");
    EXPECT_EQ(find(changed, "nprint.jsd", "all").area, "packet");
    const nlohmann::json& ttl = changed.details["nprint"]["ipv4_ttl"];
    EXPECT_DOUBLE_EQ(ttl["tvd"], 7.0 / 8);
    EXPECT_EQ(ttl["floor"]["jsd"], 0);
    EXPECT_FALSE(changed.details["nprint"].contains("icmp_type"));
}

TEST_F(Nprint, WithoutVariationThereIsNoCeiling) {
    // One UDP datagram, always the same: nothing is apart, and a model that knows nothing cannot go wrong.
    std::vector<LabelledTrace> samples(4);
    for (LabelledTrace& sample : samples) {
        sample.label = "a";
        testing_traces::append(sample.trace, 0,
                               testing_traces::packet(testing_traces::endpoint(1, 1000),
                                                      testing_traces::endpoint(2, 53), 0, 10));
    }
    const SampleSet constant = sample_set("real", samples);
    const MetricResult result = NprintMetric().evaluate({constant, constant, alike, ceiling});
    const MetricValue& udp = find(result, "nprint.tvd", "udp");
    EXPECT_EQ(udp.value, 1);
    EXPECT_EQ(udp.floor, 0);
    EXPECT_TRUE(std::isnan(udp.ceiling));
    EXPECT_EQ(find(result, "nprint.tvd", "active").skipped, "no column varies in real samples");
}

TEST_F(Nprint, OnlyOneGroupCountsInTheScore) {
    for (const MetricValue& value : NprintMetric().evaluate({train, heldout, alike, ceiling, 1, 0}).values)
        EXPECT_EQ(value.in_score, value.group == "all") << value.group;
}

TEST_F(Nprint, NoiseMovesAwayFromReal) {
    double before = -1;
    for (const double share : {0.0, 0.2, 0.6, 1.0}) {
        const SampleSet noisy = sample_set("noisy", with_ttl(random_samples(3, 16), 128, share));
        const double value =
            find(NprintMetric().evaluate({train, heldout, noisy, ceiling, 1, 0}), "nprint.jsd", "ipv4").value;
        EXPECT_GT(value, before);
        before = value;
    }
}

TEST_F(Nprint, SamplesOfTheSameSourceStayNearTheFloor) {
    double values = 0, floors = 0;
    for (std::uint64_t seed = 100; seed < 124; seed += 3) {
        const SampleSet learned = sample_set("real", random_samples(seed, 12)),
                        unseen = sample_set("real", random_samples(seed + 1, 12)),
                        made = sample_set("made", random_samples(seed + 2, 12));
        const MetricResult result = NprintMetric().evaluate({learned, unseen, made, made, 1, 0});
        values += find(result, "nprint.tvd", "all").value;
        floors += find(result, "nprint.tvd", "all").floor;
    }
    EXPECT_GT(values / floors, 0.8);
    EXPECT_LT(values / floors, 1.2);
}

TEST_F(Nprint, IntervalsHoldTheValueAndFloorsDoNotDependOnTheSeed) {
    const MetricResult a = NprintMetric().evaluate({train, heldout, alike, ceiling, 1, 60}),
                       b = NprintMetric().evaluate({train, heldout, alike, ceiling, 1, 60}),
                       c = NprintMetric().evaluate({train, heldout, alike, ceiling, 2, 60});
    bool other_replicates = false;
    std::size_t intervals = 0;
    for (std::size_t i = 0; i < a.values.size(); ++i) {
        const MetricValue& value = a.values[i];
        EXPECT_EQ(value.replicates, b.values[i].replicates);
        EXPECT_EQ(value.floor, c.values[i].floor);
        EXPECT_EQ(value.value, c.values[i].value);
        other_replicates |= value.replicates != c.values[i].replicates;
        if (!value.skipped.empty()) continue;
        const auto interval = interval95(value.replicates);
        ASSERT_TRUE(interval) << value.group;
        ++intervals;
        EXPECT_LE(interval->low, value.value + 1e-12);
        EXPECT_GE(interval->high, value.value - 1e-12);
        EXPECT_GE(interval->low, 0);
        EXPECT_LE(interval->high, 1);
    }
    EXPECT_TRUE(other_replicates);
    EXPECT_EQ(intervals, 24u);  // all but UDP and ICMP
}

TEST_F(Nprint, NothingIsAsFarAsCanBe) {
    std::vector<LabelledTrace> without_packets(4);
    for (LabelledTrace& sample : without_packets) sample.label = "a";
    const SampleSet empty = sample_set("empty", without_packets);
    const MetricResult result = NprintMetric().evaluate({train, heldout, empty, ceiling});
    const MetricValue& value = find(result, "nprint.jsd", "all");
    EXPECT_EQ(value.value, 1);
    EXPECT_EQ(value.n_synthetic, 0u);
    EXPECT_TRUE(value.replicates.empty());
    EXPECT_GT(value.ceiling, value.floor);
    for (const MetricValue& of_nothing : NprintMetric().evaluate({none, none, none, none}).values)
        EXPECT_NE(of_nothing.skipped, "") << of_nothing.group;
}

TEST_F(Nprint, DescribesItsFields) {
    const auto real = NprintMetric().describe_real(heldout)["nprint"];
    std::size_t columns = 0;
    std::map<std::string, std::string> roles;
    for (const auto& field : real["fields"]) {
        columns += field["columns"].get<std::size_t>();
        roles[field["name"]] = field["role"];
    }
    EXPECT_EQ(columns, 1088u);
    EXPECT_EQ(roles["ipv4_src"], "identifier");
    EXPECT_EQ(roles["tcp_seq"], "counter");
    EXPECT_EQ(roles["ipv4_ttl"], "plain");
    EXPECT_EQ(real["packets"], heldout.observations.packets);
}

}  // namespace
}  // namespace tracebench
