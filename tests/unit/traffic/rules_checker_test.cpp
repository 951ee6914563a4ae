// The checker over whole captures, the table itself, and its documentation.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "base/file.h"
#include "base/parallel.h"
#include "rules_frames.h"
#include "traffic/rules/checker.h"
#include "traffic/rules/rule_list.h"

namespace tracebench {
namespace {

using namespace rules_test;

const RuleResult& result_of(const ComplianceResult& result, std::string_view rule) {
    return *std::find_if(result.rules.begin(), result.rules.end(),
                         [&](const RuleResult& r) { return r.rule->id == rule; });
}

const Bytes legal = frame(ip_protocol::udp);
const Bytes no_ttl = set(legal, ip_at + 8, {0});  // which makes the header checksum wrong too

TEST(Checker, CountsPacketsThatFailOnceEach) {
    Trace trace;
    for (int i = 0; i < 6; ++i) trace.append(i, i % 3 == 0 ? no_ttl : legal);
    const ComplianceResult result = check_compliance(trace);
    EXPECT_EQ(result.packets, 6U);
    EXPECT_EQ(result.packets_checked, 6U);
    EXPECT_EQ(result.packets_failed, 2U);
    EXPECT_DOUBLE_EQ(result.score(), 4.0 / 6);
    EXPECT_EQ(result_of(result, "ipv4.ttl").checked, 6U);
    EXPECT_EQ(result_of(result, "ipv4.ttl").failed, 2U);
    EXPECT_THAT(result_of(result, "ipv4.ttl").examples, testing::ElementsAre(1, 4));
    EXPECT_EQ(result_of(result, "ipv4.checksum").failed, 2U);
    EXPECT_EQ(result_of(result, "tcp.ports").checked, 0U);
    EXPECT_EQ(result_of(result, "tcp.ports").not_checkable, 0U);
}

TEST(Checker, KeepsAtMostTenExamples) {
    Trace trace;
    for (int i = 0; i < 15; ++i) trace.append(i, no_ttl);
    EXPECT_EQ(result_of(check_compliance(trace), "ipv4.ttl").examples.size(), 10U);
}

TEST(Checker, NothingToCheckScoresOne) {
    EXPECT_DOUBLE_EQ(check_compliance({}).score(), 1);
    Trace unknown;
    unknown.append(0, Bytes{1, 2, 3}, 0, 65000);
    const ComplianceResult result = check_compliance(unknown);
    EXPECT_EQ(result.packets, 1U);
    EXPECT_EQ(result.packets_checked, 0U);
    EXPECT_DOUBLE_EQ(result.score(), 1);
}

TEST(Checker, MergesCounts) {
    Trace good, bad;
    good.append(0, legal);
    bad.append(0, no_ttl);
    ComplianceResult sum = check_compliance(good);
    sum.merge(check_compliance(bad));
    EXPECT_EQ(sum.packets, 2U);
    EXPECT_DOUBLE_EQ(sum.score(), 0.5);
    EXPECT_EQ(result_of(sum, "ipv4.ttl").checked, 2U);
    EXPECT_EQ(result_of(sum, "ipv4.ttl").failed, 1U);
    EXPECT_THAT(result_of(sum, "ipv4.ttl").examples, testing::ElementsAre(1));
}

/// Many batches of packets, with failures of packet and flow rules among them.
Trace long_capture() {
    const Bytes tcp = frame(ip_protocol::tcp);
    Trace trace;
    for (std::uint32_t i = 0; i < 20'000; ++i) {
        Bytes bytes = i % 7 == 0 ? legal : i % 211 == 5 ? no_ttl : tcp;
        if (i % 7 != 0 && i % 211 != 5) store32(&bytes[38], i * i);  // sequence numbers that leap
        trace.append(i, bytes);
    }
    return trace;
}

TEST(Checker, ManyThreadsFindTheSame) {
    const Trace trace = long_capture();
    const ComplianceResult expected = check_compliance(trace);
    ASSERT_GT(result_of(expected, "ipv4.ttl").failed, 10U);
    for (const unsigned threads : {1U, 2U, 5U}) {
        set_compute_threads(threads);
        const ComplianceResult result =
            stream_compliance([&trace, at = std::size_t{0}](PacketView& packet) mutable {
                if (at == trace.size()) return false;
                packet = trace.packets[at++];
                return true;
            });
        EXPECT_EQ(result.packets, expected.packets);
        EXPECT_EQ(result.packets_checked, expected.packets_checked);
        EXPECT_EQ(result.packets_failed, expected.packets_failed);
        for (std::size_t i = 0; i < expected.rules.size(); ++i) {
            const RuleResult &rule = result.rules[i], &same = expected.rules[i];
            EXPECT_EQ(rule.checked, same.checked) << same.rule->id;
            EXPECT_EQ(rule.failed, same.failed) << same.rule->id;
            EXPECT_EQ(rule.not_checkable, same.not_checkable) << same.rule->id;
            EXPECT_EQ(rule.offloaded, same.offloaded) << same.rule->id;
            EXPECT_EQ(rule.examples, same.examples) << same.rule->id;
        }
        for (std::size_t i = 0; i < expected.observed.size(); ++i) {
            EXPECT_EQ(result.observed[i].count, expected.observed[i].count);
            EXPECT_EQ(result.observed[i].of, expected.observed[i].of);
        }
    }
    set_compute_threads(0);
}

TEST(Checker, OffloadedChecksumsAreCountedApart) {
    Bytes bytes = frame(ip_protocol::tcp);
    // 192.0.2.1 > 198.51.100.7, protocol 6, 28 bytes: C000 + 0201 + C633 + 6407 + 0006 + 001C, folded.
    store16(&bytes[50], 0xEC5E);
    Trace trace;
    trace.append(0, bytes);
    const ComplianceResult result = check_compliance(trace);
    EXPECT_EQ(result_of(result, "tcp.checksum").offloaded, 1U);
    EXPECT_EQ(result_of(result, "tcp.checksum").not_checkable, 1U);
    EXPECT_EQ(result_of(result, "tcp.checksum").checked, 0U);
    EXPECT_EQ(result.packets_failed, 0U);
}

TEST(RuleTable, IdsAreUniqueAndEveryRuleIsComplete) {
    std::set<std::string_view> ids;
    for (const Rule& rule : rule_table()) {
        EXPECT_TRUE(ids.insert(rule.id).second) << rule.id;
        EXPECT_FALSE(rule.title.empty()) << rule.id;
        EXPECT_FALSE(rule.reference.empty()) << rule.id;
        EXPECT_FALSE(rule.remedy.empty()) << rule.id;
        const int checks =
            (rule.check_packet != nullptr) + (rule.check_flow != nullptr) + (rule.check_session != nullptr);
        EXPECT_EQ(checks, 1) << rule.id;
        EXPECT_EQ(rule.check_packet != nullptr, rule.repair_packet != nullptr) << rule.id;
        EXPECT_EQ(rule.check_flow != nullptr, rule.repair_flow != nullptr) << rule.id;
        EXPECT_EQ(rule.check_session != nullptr, rule.repair_session != nullptr) << rule.id;
        EXPECT_EQ(find_rule(rule.id), &rule);
    }
    EXPECT_GE(ids.size(), 170U);
    EXPECT_EQ(find_rule("ipv5.version"), nullptr);
}

TEST(RuleTable, DocumentationIsUpToDate) {
    const std::string path = std::string(TRACEBENCH_SOURCE_DIR) + "/docs/rules.md";
    EXPECT_EQ(read_file(path), rule_list_markdown())
        << "run: tracebench compliance --list-rules > docs/rules.md";
}

}  // namespace
}  // namespace tracebench
