// Every flow-scope rule but those of RTP: a conversation that passes, one that fails, and the failing one
// after repair.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "rules_frames.h"
#include "rules_verdicts.h"
#include "traffic/rules/checker.h"

namespace tracebench {
namespace {

using namespace rules_test;

constexpr std::uint8_t F = tcp_flag::fin, S = tcp_flag::syn, R = tcp_flag::rst, A = tcp_flag::ack;
constexpr bool client = false, server = true;

struct Segment {
    bool from;
    std::uint8_t flags;
    std::uint32_t sequence, acknowledgement;
    std::uint32_t payload = 0;
    Bytes options = {};
    std::uint16_t window = 1000;
    char letter = 'x';  ///< what the payload is made of
};
using Conversation = std::vector<Segment>;

Bytes bytes_of(const Segment& s) {
    PacketFields f = fields(ip_protocol::tcp);
    if (s.from == server) std::swap(f.src, f.dst);
    f.tcp_flags = s.flags;
    f.sequence = s.sequence;
    f.acknowledgement = s.acknowledgement;
    f.window = s.window;
    f.tcp_options = s.options;
    f.payload.assign(s.payload, static_cast<std::uint8_t>(s.letter));
    f.payload_length = s.payload;
    return build_packet(f);
}

Trace trace_of(const Conversation& conversation) {
    Trace trace;
    std::int64_t time = 0;
    for (const Segment& segment : conversation) trace.append(time += 1'000'000, bytes_of(segment));
    return trace;
}

Conversation join(Conversation a, const Conversation& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

/// SYN 100, SYN-ACK 500, ACK.
const Conversation opening{{client, S, 100, 0}, {server, S | A, 500, 101}, {client, A, 101, 501}};
Conversation opened(const Conversation& rest) {
    return join(opening, rest);
}

Bytes timestamps(std::uint8_t value, std::uint8_t echo) {
    return {1, 1, 8, 10, 0, 0, 0, value, 0, 0, 0, echo};
}
/// The same with timestamps agreed on; the client's clock is at 12, the server's at 50.
Conversation timed(const Conversation& rest) {
    return join({{client, S, 100, 0, 0, timestamps(10, 0)},
                 {server, S | A, 500, 101, 0, timestamps(50, 10)},
                 {client, A, 101, 501, 0, timestamps(12, 50)}},
                rest);
}
const Bytes sack_permitted{1, 1, 4, 2};
Bytes sack(std::uint16_t left, std::uint16_t right) {
    return {1,
            1,
            5,
            10,
            0,
            0,
            static_cast<std::uint8_t>(left >> 8),
            static_cast<std::uint8_t>(left),
            0,
            0,
            static_cast<std::uint8_t>(right >> 8),
            static_cast<std::uint8_t>(right)};
}
Conversation selective(const Conversation& rest) {
    return join({{client, S, 100, 0, 0, sack_permitted},
                 {server, S | A, 500, 101, 0, sack_permitted},
                 {client, A, 101, 501}},
                rest);
}

struct Example {
    std::string_view rule;
    Conversation good, bad;  ///< the rule passes somewhere in the one, and fails somewhere in the other
};
void PrintTo(const Example& example, std::ostream* out) {
    *out << example.rule;
}

std::vector<Example> examples() {
    return {
        {"tcp.flow.handshake", opening, {{client, S, 100, 0}, {server, A, 500, 101, 10}}},
        {"tcp.flow.handshake",
         opening,
         {{client, A, 100, 500}, {server, A, 500, 100}, {server, S | A, 900, 100}}},
        {"tcp.flow.syn_repeated",
         join({{client, S, 100, 0}}, opening),
         {{client, S, 100, 0}, {server, S | A, 500, 101}, {server, S | A, 501, 101}}},
        {"tcp.flow.syn_acknowledged", opening, {{client, S, 100, 0}, {server, S | A, 500, 100}}},
        {"tcp.flow.options_answered",
         selective({}),
         {{client, S, 100, 0}, {server, S | A, 500, 101, 0, sack_permitted}}},
        {"tcp.flow.options_answered",
         timed({}),
         {{client, S, 100, 0}, {server, S | A, 500, 101, 0, timestamps(50, 0)}}},
        {"tcp.flow.options_answered",
         {{client, S, 100, 0, 0, {1, 3, 3, 7}}, {server, S | A, 500, 101, 0, {1, 3, 3, 2}}},
         {{client, S, 100, 0}, {server, S | A, 500, 101, 0, {1, 3, 3, 2}}}},
        {"tcp.flow.early_data",
         {{client, S, 100, 0}, {server, S | A, 500, 101}, {client, A, 101, 501, 5}},
         {{client, S, 100, 0}, {server, S | A, 500, 101}, {server, A, 501, 101, 5}}},
        {"tcp.flow.early_data", {{client, S, 100, 0, 5, {34, 2, 1, 1}}}, {{client, S, 100, 0, 5}}},
        {"tcp.flow.after_fin", opened({{client, F | A, 101, 501}, {client, F | A, 101, 501}}),
         opened({{client, F | A, 101, 501}, {client, A, 102, 501, 7}})},
        {"tcp.flow.after_reset", opened({{client, R, 101, 0}, {client, R, 101, 0}}),
         opened({{client, R, 101, 0}, {client, A, 101, 501, 7}})},
        {"tcp.flow.reset_sequence",
         {{client, S, 100, 0}, {server, R | A, 0, 101}},
         opened({{server, R, 70'000'000, 0}})},
        {"tcp.flow.sequence", opened({{client, A, 101, 501, 10}, {client, A, 111, 501, 10}}),
         opened({{client, A, 101, 501, 10}, {client, A, 90'000'000, 501, 10}})},
        {"tcp.flow.sequence", opened({{client, A, 101, 501, 10}}), opened({{client, A, 99, 501, 1}})},
        {"tcp.flow.window", opened({{client, A, 101, 501, 1000}}), opened({{client, A, 101, 501, 1002}})},
        {"tcp.flow.syn_ack_acknowledged",
         opening,
         {{client, S, 100, 0}, {server, S | A, 500, 101}, {client, A, 101, 500}}},
        {"tcp.flow.acknowledgement", opened({{server, A, 501, 101, 10}, {client, A, 101, 511}}),
         opened({{server, A, 501, 101, 10}, {client, A, 101, 511 + 65536}})},
        {"tcp.flow.acknowledged_before", opened({{server, A, 501, 101, 10}, {server, A, 511, 101, 10}}),
         opened({{server, A, 501, 101, 10}, {client, A, 101, 521}, {server, A, 511, 101, 10}})},
        {"tcp.flow.same_data", opened({{client, A, 101, 501, 10}, {client, A, 101, 501, 10}}),
         opened({{client, A, 101, 501, 10}, {client, A, 101, 501, 10, {}, 1000, 'y'}})},
        {"tcp.flow.fin_repeated",
         opened({{client, A, 101, 501, 5}, {client, F | A, 106, 501}, {client, F | A, 101, 501, 5}}),
         opened({{client, A, 101, 501, 5}, {client, F | A, 106, 501}, {client, F | A, 101, 501, 4}})},
        {"tcp.flow.same_data", opened({{client, A, 101, 501, 10}, {client, A, 101, 501, 20}}),
         opened({{client, A, 101, 501, 10}, {client, A, 101, 501, 20, {}, 1000, 'y'}})},
        {"tcp.flow.fin_last", opened({{client, A, 101, 501, 10}, {client, F | A, 111, 501}}),
         opened({{client, A, 101, 501, 10}, {client, F | A, 101, 501, 8}})},
        {"tcp.flow.refusal",
         {{client, S, 100, 0}, {server, R | A, 0, 101}},
         {{client, S, 100, 0}, {server, R | A, 0, 102}}},
        {"tcp.flow.refusal",
         {{client, S, 100, 0}, {server, R | A, 0, 101}},
         {{client, S, 100, 0}, {server, R, 0, 101}}},
        {"tcp.flow.acknowledgement_order",
         opened({{server, A, 501, 101, 10}, {client, A, 101, 511}, {client, A, 101, 501}}),
         opened({{server, A, 501, 101, 10}, {client, A, 101, 511}, {client, A, 101, 501, 5}})},
        {"tcp.flow.timestamps_negotiated", timed({{client, A, 101, 501, 5, timestamps(13, 50)}}),
         timed({{client, A, 101, 501, 5}})},
        {"tcp.flow.timestamps_negotiated", opened({{client, A, 101, 501, 5}}),
         opened({{client, A, 101, 501, 5, timestamps(13, 50)}})},
        {"tcp.flow.timestamps_order", timed({{client, A, 101, 501, 5, timestamps(12, 50)}}),
         timed({{client, A, 101, 501, 5, timestamps(11, 50)}})},
        {"tcp.flow.timestamp_echo", timed({{client, A, 101, 501, 5, timestamps(13, 50)}}),
         timed({{client, A, 101, 501, 5, timestamps(13, 49)}})},
        {"tcp.flow.timestamp_echo", timed({}),
         timed({{client, A, 101, 501, 5, {1, 1, 8, 10, 0, 0, 0, 13, 0, 1, 0, 0}}})},
        {"tcp.flow.sack_negotiated",
         selective({{server, A, 511, 101, 10}, {client, A, 101, 501, 0, sack(511, 521)}}),
         opened({{server, A, 511, 101, 10}, {client, A, 101, 501, 0, sack(511, 521)}})},
        {"tcp.flow.sack_range",
         selective({{server, A, 511, 101, 10}, {client, A, 101, 501, 0, sack(511, 521)}}),
         selective({{server, A, 511, 101, 10}, {client, A, 101, 501, 0, sack(511, 9521)}})},
        {"tcp.flow.ecn_negotiated",
         {{client, S | tcp_flag::ece | tcp_flag::cwr, 100, 0},
          {server, S | A | tcp_flag::ece, 500, 101},
          {client, A | tcp_flag::ece, 101, 501}},
         {{client, S, 100, 0}, {server, S | A, 500, 101}, {client, A | tcp_flag::ece, 101, 501}}},
    };
}

class FlowRule : public testing::TestWithParam<Example> {};

TEST_P(FlowRule, PassesTheLegalConversationAndFailsTheOther) {
    const ComplianceResult good = check_compliance(trace_of(GetParam().good));
    EXPECT_GT(result_of(good, GetParam().rule).checked, 0U);
    EXPECT_EQ(result_of(good, GetParam().rule).failed, 0U);
    const ComplianceResult bad = check_compliance(trace_of(GetParam().bad));
    EXPECT_EQ(result_of(bad, GetParam().rule).failed, 1U);
    EXPECT_THAT(result_of(bad, GetParam().rule).examples, testing::ElementsAre(GetParam().bad.size()));
}

TEST_P(FlowRule, RepairMakesTheConversationLegal) {
    RepairReport report;
    const Trace repaired = repair_trace(trace_of(GetParam().bad), report);
    EXPECT_EQ(failures(repaired), "");
    EXPECT_EQ(repaired.size(), GetParam().bad.size());
    EXPECT_GT(report.packets_changed, 0U);
}

TEST_P(FlowRule, RepairLeavesTheLegalConversationAlone) {
    const Trace before = trace_of(GetParam().good);
    ASSERT_EQ(failures(before), "");
    RepairReport report;
    const Trace after = repair_trace(before, report);
    ASSERT_EQ(after.size(), before.size());
    for (std::size_t i = 0; i < after.size(); ++i)
        EXPECT_TRUE(std::ranges::equal(after.packets[i].bytes, before.packets[i].bytes)) << i;
    EXPECT_EQ(report.packets_changed, 0U);
}

std::string example_name(const testing::TestParamInfo<Example>& example) {
    std::string name = std::to_string(example.index) + "_" + std::string(example.param.rule);
    std::replace(name.begin(), name.end(), '.', '_');
    return name;
}
INSTANTIATE_TEST_SUITE_P(Table, FlowRule, testing::ValuesIn(examples()), example_name);

Trace echoes(int version, std::uint32_t reply) {
    Trace trace;
    const bool v6 = version == 6;
    PacketFields f = fields(v6 ? ip_protocol::icmpv6 : ip_protocol::icmp, version);
    f.icmp_type = v6 ? 128 : 8;
    f.icmp_rest = 0x00010007;
    trace.append(0, build_packet(f));
    std::swap(f.src, f.dst);
    f.icmp_type = v6 ? 129 : 0;
    f.icmp_rest = reply;
    trace.append(1, build_packet(f));
    return trace;
}

TEST(FlowRules, EchoRepliesAnswerRequests) {
    for (const auto& [version, rule] :
         {std::pair{4, "icmp.flow.echo_reply"}, std::pair{6, "icmpv6.flow.echo_reply"}}) {
        const ComplianceResult good = check_compliance(echoes(version, 0x00010007));
        EXPECT_EQ(result_of(good, rule).checked, 1U);
        EXPECT_EQ(result_of(good, rule).failed, 0U);
        EXPECT_EQ(result_of(check_compliance(echoes(version, 0x00010008)), rule).failed, 1U);
        RepairReport report;
        EXPECT_EQ(failures(repair_trace(echoes(version, 0x00010008), report)), "");
    }
}

TEST(FlowRules, EveryRuleHasAnExample) {
    std::set<std::string_view> shown{"icmp.flow.echo_reply", "icmpv6.flow.echo_reply"};
    for (const Example& example : examples()) shown.insert(example.rule);
    for (const Rule& rule : rule_table()) {
        if (!rule.check_flow || rule.layer == RuleLayer::udp) continue;  // RTP: rules_rtp_test.cpp
        EXPECT_TRUE(shown.count(rule.id)) << rule.id << " needs a good and a bad conversation";
    }
}

TEST(FlowRules, ConversationsThatBeganBeforeTheCaptureAreNotBlamed) {
    const Conversation middle{
        {client, A, 7000, 9000, 100}, {server, A, 9000, 7100, 50}, {client, A, 7100, 9050}};
    EXPECT_EQ(failures(trace_of(middle)), "");
    const ComplianceResult result = check_compliance(trace_of(middle));
    EXPECT_EQ(result_of(result, "tcp.flow.handshake").not_checkable, 1U);
    EXPECT_EQ(result_of(result, "tcp.flow.handshake").checked, 0U);
    EXPECT_GT(result_of(result, "tcp.flow.sequence").checked, 0U);
}

TEST(FlowRules, SegmentsThatTheCaptureMissedAreNotBlamed) {
    // 511 to 521 was never seen, then 521 to 541: the client's acknowledgements are all that tells of them.
    const Conversation lossy = opened({{server, A, 501, 101, 10},
                                       {server, A, 521, 101, 10},
                                       {client, A, 101, 531},
                                       {client, A, 101, 541},
                                       {server, A, 541, 101, 10},
                                       {client, A, 101, 551}});
    EXPECT_EQ(failures(trace_of(lossy)), "");
    const RuleResult rule = result_of(check_compliance(trace_of(lossy)), "tcp.flow.acknowledgement");
    EXPECT_EQ(rule.not_checkable, 2U);
    EXPECT_EQ(rule.failed, 0U);
    RepairReport report;
    repair_trace(trace_of(lossy), report);
    EXPECT_EQ(report.packets_changed, 0U);
}

TEST(FlowRules, DataThatTheCaptureSwappedWithTheirAcknowledgementAreNotBlamed) {
    Trace swapped;
    std::int64_t time = 0;
    for (const Segment& segment : opened({{server, A, 501, 101, 10}, {client, A, 101, 521}}))
        swapped.append(time += 1'000'000, bytes_of(segment));
    swapped.append(time + 20'000, bytes_of({server, A, 511, 101, 10}));
    EXPECT_EQ(result_of(check_compliance(swapped), "tcp.flow.acknowledged_before").not_checkable, 1U);
}

// RFC 7323 section 5.4: a clock may wrap; 2^30 + 51 after 50 an echo of 49 is as far behind as ahead.
TEST(FlowRules, EchoesOfAClockThatRanFarCannotBeChecked) {
    const Bytes far{1, 1, 8, 10, 0x40, 0, 0, 101, 0, 0, 0, 12};
    const Conversation wrapped =
        timed({{server, A, 501, 101, 5, far}, {client, A, 101, 506, 5, timestamps(13, 49)}});
    const RuleResult rule = result_of(check_compliance(trace_of(wrapped)), "tcp.flow.timestamp_echo");
    EXPECT_EQ(rule.failed, 0U);
    EXPECT_EQ(rule.not_checkable, 1U);
}

TEST(FlowRules, KeepAliveBytesNeedNotBeTheSame) {
    const Conversation kept = opened({{client, A, 101, 501, 1}, {client, A, 101, 501, 1, {}, 1000, 'y'}});
    EXPECT_EQ(result_of(check_compliance(trace_of(kept)), "tcp.flow.same_data").checked, 0U);
}

TEST(FlowRules, AnAcknowledgementMayOvertakeTheFinBeforeIt) {
    const Conversation overtaken =
        opened({{client, A, 101, 501, 10}, {client, A, 112, 501}, {client, F | A, 111, 501}});
    EXPECT_EQ(failures(trace_of(overtaken)), "");
}

TEST(FlowRules, AFinOfASenderThatWasNotSeenBeforeCannotBeChecked) {
    const RuleResult rule =
        result_of(check_compliance(trace_of({{client, F | A, 101, 501}})), "tcp.flow.fin_last");
    EXPECT_EQ(rule.checked, 0U);
    EXPECT_EQ(rule.not_checkable, 1U);
}

TEST(FlowRules, OneDirectionAloneIsNotBlamed) {
    const Conversation one_way{{client, S, 100, 0},
                               {client, A, 101, 501},
                               {client, A, 101, 501, 90},
                               {client, A, 191, 700, 90},
                               {client, F | A, 281, 900}};
    EXPECT_EQ(failures(trace_of(one_way)), "");
}

TEST(FlowRules, RetransmissionsAndLateSegmentsAreLegal) {
    const Conversation lossy = opened({{client, A, 101, 501, 100},
                                       {client, A, 301, 501, 100},  // 201 was lost on the way here
                                       {server, A, 501, 201},
                                       {server, A, 501, 201},
                                       {client, A, 201, 501, 100},
                                       {client, A, 101, 501, 100},
                                       {server, A, 501, 401}});
    EXPECT_EQ(failures(trace_of(lossy)), "");
}

TEST(FlowRules, SequenceNumbersWrapAround) {
    const Conversation wrapping{{client, S, 0xFFFFFFF0, 0},
                                {server, S | A, 0xFFFFFFFF, 0xFFFFFFF1},
                                {client, A, 0xFFFFFFF1, 0, 20},
                                {server, A, 0, 5},
                                {client, A, 5, 0, 20},
                                {server, F | A, 0, 25},
                                {client, A, 25, 1}};
    EXPECT_EQ(failures(trace_of(wrapping)), "");
}

TEST(FlowRules, ScaledWindowsAreScaled) {
    const Conversation scaled{{client, S, 100, 0, 0, {1, 3, 3, 7}},
                              {server, S | A, 500, 101, 0, {1, 3, 3, 3}},
                              {client, A, 101, 501},
                              {client, A, 101, 501, 1400, {}, 10}};
    // The window of the SYN-ACK, 1000, is not scaled: 1400 bytes are too many until the server says more.
    EXPECT_EQ(failures(trace_of(scaled)), "tcp.flow.window ");
    Conversation legal(scaled.begin(), scaled.begin() + 3);
    legal.push_back({server, A, 501, 101, 10, {}, 1000});  // 8000 bytes
    legal.push_back({client, A, 101, 511, 1400});
    EXPECT_EQ(failures(trace_of(legal)), "");
}

TEST(FlowRules, OneBadSegmentFailsOnce) {
    Conversation conversation = opening;
    std::uint32_t sequence = 101;
    for (int i = 0; i < 20; ++i) {
        conversation.push_back({client, A, sequence, 501, 100});
        sequence += 100;
        conversation.push_back({server, A, 501, i == 10 ? 0x70000000U : sequence});
    }
    const ComplianceResult result = check_compliance(trace_of(conversation));
    EXPECT_EQ(result.packets_failed, 1U);
    EXPECT_EQ(result.packets, conversation.size());
    EXPECT_DOUBLE_EQ(result.score(), 1 - 1.0 / 43);
}

TEST(FlowRules, RepairClosesGapsAndMovesAcknowledgementsAlong) {
    // The acknowledgement at the end is far beyond what was sent.
    const Conversation gap =
        opened({{client, A, 101, 501, 100}, {client, A, 251, 501, 100}, {server, A, 501, 70'351}});
    RepairReport report;
    const Trace repaired = repair_trace(trace_of(gap), report);
    const Conversation expected =
        opened({{client, A, 101, 501, 100}, {client, A, 201, 501, 100}, {server, A, 501, 301}});
    const Trace wanted = trace_of(expected);
    for (std::size_t i = 0; i < wanted.size(); ++i)
        EXPECT_TRUE(std::ranges::equal(repaired.packets[i].bytes, wanted.packets[i].bytes)) << i;
    EXPECT_EQ(report.packets_changed, 2U);
}

TEST(FlowRules, RepairLetsTheConversationGoOnAfterAnEarlyFin) {
    const Conversation early =
        opened({{client, F | A, 101, 501}, {client, A, 101, 501, 100}, {server, A, 501, 201}});
    RepairReport report;
    const Trace repaired = repair_trace(trace_of(early), report);
    EXPECT_EQ(failures(repaired), "");
    const RulePacket third = read_rule_packet(repaired.packets[3]),
                     fourth = read_rule_packet(repaired.packets[4]);
    EXPECT_EQ(third.segment()[13], A);
    EXPECT_EQ(read_segment(fourth)->payload, 100U);
}

TEST(FlowRules, RepairCanForceAHandshake) {
    const Conversation middle{{client, A, 7000, 9000, 100},
                              {server, A, 9000, 7100, 50},
                              {client, A, 7100, 9050},
                              {client, A, 7100, 9050, 10},
                              {server, A, 9050, 7110}};
    RepairReport report;
    EXPECT_EQ(repair_trace(trace_of(middle), report).size(), 5U);
    EXPECT_EQ(report.packets_changed, 0U);
    RepairOptions options;
    options.force_handshake = true;
    const Trace repaired = repair_trace(trace_of(middle), report, options);
    EXPECT_EQ(failures(repaired), "");
    std::vector<int> flags;
    for (const PacketView& packet : repaired.packets) flags.push_back(read_rule_packet(packet).segment()[13]);
    EXPECT_THAT(flags, testing::ElementsAre(S, S | A, A, A, A));
}

}  // namespace
}  // namespace tracebench
