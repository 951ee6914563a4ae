#include "metrics/netshare/netshare_metric.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <numbers>

#include "metrics/netshare/trace_comparison.h"
#include "metrics/resampling.h"
#include "tests/unit/metrics/traces.h"

namespace tracebench {
namespace {

using testing_traces::append;
using testing_traces::endpoint;
using testing_traces::packet;
using testing_traces::random_samples;
using testing_traces::sample_set;

const MetricValue& find(const MetricResult& result, const std::string& group) {
    for (const MetricValue& value : result.values)
        if (value.group == group) return value;
    throw std::out_of_range(group);
}

class Netshare : public testing::Test {
  protected:
    SampleSet train = sample_set("real", random_samples(1, 12)),
              heldout = sample_set("real", random_samples(2, 12)),
              alike = sample_set("alike", random_samples(3, 12)), none = sample_set("none", {});
};

/// One session: a request of 10 bytes at 1 s, answers of 20 and 30 at 2 and 4 s; another client at 5 s.
std::vector<LabelledTrace> small_session() {
    LabelledTrace sample{"a.pcap", "a", {}};
    append(sample.trace, 1, packet(endpoint(1, 5000), endpoint(2, 53), 0, 10));
    append(sample.trace, 2, packet(endpoint(2, 53), endpoint(1, 5000), 0, 20));
    append(sample.trace, 4, packet(endpoint(2, 53), endpoint(1, 5000), 0, 30));
    append(sample.trace, 5, packet(endpoint(3, 6000), endpoint(2, 443), tcp_flag::ack, 0));
    return {sample};
}

TEST_F(Netshare, ArrivalTimesOfLongSamplesArePutTogether) {
    constexpr std::size_t packets = 2 * most_arrival_times + 1;  // in groups of three
    LabelledTrace sample{"a.pcap", "a", {}};
    const std::vector<std::uint8_t> frame = build_packet(packet(endpoint(1, 5000), endpoint(2, 53), 0, 10));
    for (std::size_t i = 0; i < packets; ++i)
        sample.trace.packets.push_back({static_cast<std::int64_t>(i) * 1'000'000'000,
                                        static_cast<std::uint32_t>(frame.size()), link_type::ethernet, i + 1,
                                        frame});
    AddressCodes addresses;
    const TraceRecords records = trace_records({sample}, addresses);
    const Column& times = records.fields[6];
    ASSERT_EQ(trace_fields[6].name, "packet.PAT");
    EXPECT_EQ(times.total(), packets);
    EXPECT_EQ(times.values.size(), (packets + 2) / 3);
    std::map<double, std::uint32_t> counts;
    for (std::size_t i = 0; i < times.values.size(); ++i) counts[times.values[i]] += times.count(i);
    EXPECT_EQ(counts.begin()->first, 1);  // seconds 0, 1 and 2
    EXPECT_EQ(counts.begin()->second, 3U);
    EXPECT_EQ(counts.rbegin()->first, packets - 2.0);
}

TEST_F(Netshare, RecordsByHand) {
    AddressCodes addresses;
    const TraceRecords records = trace_records(small_session(), addresses);
    const auto values = [&](const std::string& name) {
        for (std::size_t i = 0; i < trace_fields.size(); ++i)
            if (trace_fields[i].name == name) {
                std::vector<double> sorted = records.fields[i].values;
                std::sort(sorted.begin(), sorted.end());
                return sorted;
            }
        throw std::out_of_range(name);
    };
    using Values = std::vector<double>;
    EXPECT_EQ(records.sessions, 1U);
    EXPECT_EQ(values("packet.SA"), (Values{0, 1, 1, 2}));
    EXPECT_EQ(values("packet.DA"), (Values{0, 0, 1, 1}));
    EXPECT_EQ(values("packet.SP"), (Values{53, 53, 5000, 6000}));
    EXPECT_EQ(values("packet.DP"), (Values{53, 443, 5000, 5000}));
    EXPECT_EQ(values("packet.PR"), (Values{6, 17, 17, 17}));
    EXPECT_EQ(values("packet.PS"), (Values{38, 40, 48, 58}));
    EXPECT_EQ(values("packet.PAT"), (Values{0, 1, 3, 4}));
    EXPECT_EQ(values("packet.FS"), (Values{1, 1, 2}));
    EXPECT_EQ(values("flow.SP"), (Values{53, 5000, 6000}));
    EXPECT_EQ(values("flow.TS"), (Values{0, 1, 4}));
    EXPECT_EQ(values("flow.TD"), (Values{0, 0, 2}));
    EXPECT_EQ(values("flow.PKT"), (Values{1, 1, 2}));
    EXPECT_EQ(values("flow.BYT"), (Values{38, 40, 106}));
}

TEST_F(Netshare, TheSameSamplesAreNotApart) {
    const MetricResult result = NetshareMetric().evaluate({train, heldout, heldout, alike, 1, 0});
    ASSERT_EQ(result.values.size(), trace_fields.size());
    for (const MetricValue& value : result.values) {
        EXPECT_EQ(value.value, 0) << value.group;
        EXPECT_GT(value.n_real, 0U) << value.group;
        EXPECT_FALSE(value.in_score) << value.group;
    }
}

TEST_F(Netshare, RanksOfAddressesNotAddressesCount) {
    // The same packets between other hosts: nothing is apart but what no field looks at.
    std::vector<LabelledTrace> moved = random_samples(2, 12);
    for (LabelledTrace& sample : moved) {
        Trace trace;
        for (const PacketView& view : sample.trace.packets) {
            std::vector<std::uint8_t> bytes(view.bytes.begin(), view.bytes.end());
            bytes[14 + 12] = bytes[14 + 16] = 10;  // 192.0.2.x becomes 10.0.2.x
            trace.append(view.time_ns, bytes);
        }
        sample.trace = std::move(trace);
    }
    const SampleSet elsewhere = sample_set("moved", moved);
    for (const MetricValue& value :
         NetshareMetric().evaluate({train, heldout, elsewhere, alike, 1, 0}).values)
        EXPECT_NEAR(value.value, 0, 1e-12) << value.group;
}

TEST_F(Netshare, DisjointPortsAreAsFarAsCanBe) {
    const Column a{{}, {53, 80}, {0, 0}, {2, 1}}, b{{}, {443}, {0}}, nothing;
    EXPECT_NEAR(*TraceComparison(TraceDistance::jsd, a, 1, b, 1).distance(), std::numbers::ln2, 1e-15);
    EXPECT_NEAR(*TraceComparison(TraceDistance::emd, a, 1, b, 1).distance(), (2 * 390.0 + 363) / 3, 1e-9);
    // Ranks: (2/3, 1/3) against (1, 0).
    const double m = 5.0 / 6;
    const double expected = (2.0 / 3 * std::log(2.0 / 3 / m) + 1.0 / 3 * std::log(2.0) + std::log(1 / m)) / 2;
    EXPECT_NEAR(*TraceComparison(TraceDistance::rank_jsd, a, 1, b, 1).distance(), expected, 1e-15);
    EXPECT_FALSE(TraceComparison(TraceDistance::jsd, a, 1, nothing, 0).distance());
}

TEST_F(Netshare, IntervalsFloorsAndCeilings) {
    std::vector<LabelledTrace> longer = random_samples(3, 12);
    for (LabelledTrace& sample : longer)
        for (int i = 0; i < 400; ++i)
            append(sample.trace, 20 + i, packet(endpoint(7, 7000), endpoint(8, 53), 0, 1000));
    const SampleSet far = sample_set("far", longer);
    const MetricResult near_real = NetshareMetric().evaluate({train, heldout, alike, far}),
                       changed = NetshareMetric().evaluate({train, heldout, far, far}),
                       other_seed = NetshareMetric().evaluate({train, heldout, alike, far, 2});
    for (std::size_t i = 0; i < near_real.values.size(); ++i) {
        const MetricValue &near_value = near_real.values[i], &far_value = changed.values[i];
        const auto interval = interval95(near_value.replicates);
        ASSERT_TRUE(interval) << near_value.group;
        EXPECT_LE(interval->low, near_value.value + 1e-12) << near_value.group;
        EXPECT_GE(interval->high, near_value.value - 1e-12) << near_value.group;
        EXPECT_EQ(near_value.floor, other_seed.values[i].floor);
        EXPECT_GE(near_value.floor, 0);
        if (!std::isnan(far_value.ceiling)) {
            EXPECT_NEAR(far_value.value, far_value.ceiling, 1e-12) << far_value.group;
            EXPECT_GT(far_value.ceiling, far_value.floor);
        }
    }
    for (const char* group : {"packet.PS", "packet.PAT", "packet.PR", "flow.TD", "flow.PKT", "flow.BYT"})
        EXPECT_FALSE(std::isnan(find(changed, group).ceiling)) << group;
    EXPECT_NE(near_real.values[0].replicates, other_seed.values[0].replicates);
}

TEST_F(Netshare, WhatIsMissingIsSaid) {
    std::vector<LabelledTrace> without_packets(4);
    for (LabelledTrace& sample : without_packets) sample.label = "a";
    const SampleSet empty = sample_set("empty", without_packets);
    for (const MetricValue& value : NetshareMetric().evaluate({train, heldout, empty, alike}).values) {
        if (value.metric == "netshare.jsd")
            EXPECT_EQ(value.value, std::numbers::ln2) << value.group;
        else
            EXPECT_EQ(value.failed, "no synthetic sample has this field") << value.group;
        EXPECT_TRUE(value.replicates.empty());
    }
    for (const MetricValue& value : NetshareMetric().evaluate({none, none, none, none}).values)
        EXPECT_NE(value.skipped, "") << value.group;
}

}  // namespace
}  // namespace tracebench
