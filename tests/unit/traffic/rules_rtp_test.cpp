// Every rule of RTP: five packets of one source, of which the last passes or fails.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <set>

#include "rules_frames.h"
#include "rules_verdicts.h"
#include "traffic/rules/checker.h"

namespace tracebench {
namespace {

using namespace rules_test;

/// One RTP packet a sequence number, 20 bytes of it; `last` is changed by the example.
struct RtpExample {
    std::string_view rule;
    std::function<void(Bytes&)> good, bad;
};
std::vector<RtpExample> rtp_examples() {
    const auto sequence = [](std::uint16_t number) {
        return [number](Bytes& rtp) { store16(&rtp[2], number); };
    };
    const auto first = [](std::uint8_t value) { return [value](Bytes& rtp) { rtp[0] = value; }; };
    return {
        {"rtp.flow.header", first(0x82), first(0x83)},  // two contributing sources, three: 20 and 24 bytes
        {"rtp.flow.header", first(0x91), first(0x92)},  // an extension of no words behind one, behind two
        {"rtp.flow.payload_type", [](Bytes& rtp) { rtp[1] = 71; }, [](Bytes& rtp) { rtp[1] = 72; }},
        {"rtp.flow.sequence", sequence(13 + 2999), sequence(13 + 3000)},
        {"rtp.flow.sequence", sequence(65536 + 13 - 99), sequence(65536 + 13 - 100)},
    };
}
Trace rtp_trace(const std::function<void(Bytes&)>& change, int packets = 5) {
    Trace trace;
    for (int i = 0; i < packets; ++i) {
        PacketFields f = fields(ip_protocol::udp);
        f.dst.port = 5004;
        f.payload = {0x80, 96, 0, static_cast<std::uint8_t>(10 + i), 0, 0, 0, 0, 1, 2, 3, 4};
        f.payload.resize(20);
        f.payload_length = 20;
        if (i + 1 == packets) change(f.payload);
        trace.append(i, build_packet(f));
    }
    return trace;
}

TEST(RtpRules, IsCheckedOnceItsSequenceNumbersShowIt) {
    for (const RtpExample& example : rtp_examples()) {
        const ComplianceResult good = check_compliance(rtp_trace(example.good));
        EXPECT_EQ(result_of(good, example.rule).checked, 1U) << example.rule;
        EXPECT_EQ(result_of(good, example.rule).failed, 0U) << example.rule;
        const ComplianceResult bad = check_compliance(rtp_trace(example.bad));
        EXPECT_EQ(result_of(bad, example.rule).failed, 1U) << example.rule;
        EXPECT_THAT(result_of(bad, example.rule).examples, testing::ElementsAre(5));
        EXPECT_EQ(result_of(check_compliance(rtp_trace(example.bad, 4)), example.rule).checked, 0U);
        RepairReport report;
        EXPECT_EQ(failures(repair_trace(rtp_trace(example.bad), report)), "") << example.rule;
        EXPECT_EQ(report.packets_changed, 1U) << example.rule;
    }
}

TEST(RtpRules, OtherDatagramsAreLeftAlone) {
    const auto other_source = [](Bytes& rtp) { rtp[1] = 72, rtp[11] = 9; };  // RTCP on the same port
    EXPECT_EQ(result_of(check_compliance(rtp_trace(other_source)), "rtp.flow.payload_type").checked, 0U);
    const auto other_version = [](Bytes& rtp) { rtp[0] = 0x40, rtp[1] = 72; };
    EXPECT_EQ(result_of(check_compliance(rtp_trace(other_version)), "rtp.flow.payload_type").checked, 0U);
}

TEST(RtpRules, EveryRuleHasAnExample) {
    std::set<std::string_view> shown;
    for (const RtpExample& example : rtp_examples()) shown.insert(example.rule);
    for (const Rule& rule : rule_table())
        EXPECT_TRUE(!rule.id.starts_with("rtp.") || shown.count(rule.id)) << rule.id;
}

}  // namespace
}  // namespace tracebench
