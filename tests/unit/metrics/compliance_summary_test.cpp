#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "metrics/compliance/compliance.h"
#include "traffic/packet_builder.h"

namespace tracebench {
namespace {

std::vector<std::uint8_t> packet(std::uint8_t ttl) {
    PacketFields f;
    f.src = {{4, {192, 0, 2, 1}}, 50'000};
    f.dst = {{4, {198, 51, 100, 7}}, 53};
    f.protocol = ip_protocol::udp;
    f.ttl = ttl;
    return build_packet(f);
}

/// A sample of packets with these times to live; 0 breaks a rule.
LabelledTrace sample(const std::string& id, const std::vector<std::uint8_t>& ttls) {
    LabelledTrace result{id, "dns", {}};
    for (const std::uint8_t ttl : ttls) result.trace.append(0, packet(ttl));
    return result;
}

const RuleSummary& rule(const ComplianceSummary& summary, std::string_view id) {
    return *std::find_if(summary.rules.begin(), summary.rules.end(),
                         [&](const RuleSummary& r) { return r.rule->id == id; });
}

TEST(ComplianceSummary, CountsByRuleAndBySample) {
    const ComplianceSummary summary =
        summarise_compliance({sample("a", {64, 0, 0}), sample("b", {64}), sample("c", {0})});
    EXPECT_EQ(summary.packets, 5U);
    EXPECT_DOUBLE_EQ(summary.score, 2.0 / 5);
    EXPECT_THAT(summary.session_scores, testing::ElementsAre(testing::DoubleEq(1.0 / 3), 1, 0));
    EXPECT_THAT(summary.session_packets_checked, testing::ElementsAre(3, 1, 1));
    EXPECT_THAT(summary.session_packets_failed, testing::ElementsAre(2, 0, 1));
    const RuleSummary& ttl = rule(summary, "ipv4.ttl");
    EXPECT_EQ(ttl.checked, 5U);
    EXPECT_EQ(ttl.failed, 3U);
    EXPECT_DOUBLE_EQ(ttl.pass_rate(), 2.0 / 5);
    EXPECT_THAT(ttl.session_checked, testing::ElementsAre(3, 1, 1));
    EXPECT_THAT(ttl.session_failed, testing::ElementsAre(2, 0, 1));
    EXPECT_THAT(ttl.session_not_checkable, testing::ElementsAre(0, 0, 0));
    EXPECT_DOUBLE_EQ(ttl.checkable_share(), 1);
    EXPECT_DOUBLE_EQ(rule(summary, "tcp.ports").pass_rate(), 1);
}

TEST(ComplianceSummary, ExamplesComeFromDifferentSamplesFirst) {
    const ComplianceSummary summary =
        summarise_compliance({sample("a", {64, 0, 0}), sample("b", {64}), sample("c", {0})});
    std::vector<std::pair<std::string, std::uint64_t>> examples;
    for (const ComplianceExample& example : rule(summary, "ipv4.ttl").examples)
        examples.emplace_back(example.sample, example.frame);
    EXPECT_THAT(examples,
                testing::ElementsAre(testing::Pair("a", 2), testing::Pair("c", 1), testing::Pair("a", 3)));
}

TEST(ComplianceSummary, NoSamplesGiveEveryRuleWithoutCounts) {
    const ComplianceSummary summary = summarise_compliance({});
    EXPECT_EQ(summary.rules.size(), rule_table().size());
    EXPECT_DOUBLE_EQ(summary.score, 1);
    EXPECT_DOUBLE_EQ(summary.rules[0].checkable_share(), 1);
    EXPECT_TRUE(summary.session_scores.empty());
}

}  // namespace
}  // namespace tracebench
