// Every session-scope rule: packets of which the last passes, fails, or cannot be checked, and the failing
// ones after repair.

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

using Frames = std::vector<Bytes>;

/// Between hosts 192.0.2.`sender` and 192.0.2.`target`.
Bytes arp_message(std::uint8_t operation, std::uint8_t sender, std::uint8_t target) {
    Bytes bytes = arp();
    bytes[21] = operation;
    bytes[31] = sender;
    bytes[41] = target;
    return bytes;
}

/// From 2001:db8::`from` to ::`to`, about ::`about`.
Bytes neighbour(std::uint8_t type, std::uint8_t flags, std::uint8_t from, std::uint8_t to,
                std::uint8_t about) {
    Bytes rest(20);
    rest[0] = flags;
    const Bytes prefix{0x20, 0x01, 0x0D, 0xB8};
    std::copy(prefix.begin(), prefix.end(), rest.begin() + 4);
    rest[19] = about;
    Bytes bytes = icmpv6(type, rest);
    bytes[ip_at + 7] = 255;
    bytes[ip_at + 13] = bytes[ip_at + 29] = 0;
    bytes[ip_at + 23] = from;
    bytes[ip_at + 39] = to;
    MutablePacket packet = whole(bytes);
    RepairReport report;
    repair_packet(packet, report);  // the checksum
    return packet.bytes;
}

Bytes dhcp(bool reply, std::uint8_t client, std::uint8_t transaction) {
    PacketFields f = fields(ip_protocol::udp);
    f.src.port = 68;
    f.dst.port = 67;
    if (reply) std::swap(f.src, f.dst);
    f.payload.assign(240, 0);
    f.payload[0] = reply ? 2 : 1;
    f.payload[1] = 1;
    f.payload[2] = 6;
    f.payload[7] = transaction;
    f.payload[33] = client;
    const Bytes cookie{99, 130, 83, 99};
    std::copy(cookie.begin(), cookie.end(), f.payload.begin() + 236);
    f.payload_length = 240;
    return build_packet(f);
}

/// `size` bytes of an IPv4 datagram of protocol 253, from offset `begin` on.
Bytes fragment4(std::uint16_t identification, std::uint16_t begin, std::uint16_t size, bool more) {
    Bytes bytes = frame(ip_protocol::udp);
    bytes.resize(ip_at + 20);
    bytes.resize(ip_at + 20 + size, 0xAA);
    store16(&bytes[ip_at + 2], static_cast<std::uint16_t>(20 + size));
    store16(&bytes[ip_at + 4], identification);
    store16(&bytes[ip_at + 6], static_cast<std::uint16_t>((more ? 0x2000 : 0) | begin / 8));
    bytes[ip_at + 9] = 253;
    MutablePacket packet = whole(bytes);
    RepairReport report;
    repair_packet(packet, report);
    return packet.bytes;
}
Bytes fragment6(std::uint8_t identification, std::uint16_t begin, std::uint16_t size, bool more) {
    Bytes payload{253, 0, 0, 0, 0, 0, 0, identification};
    store16(&payload[2], static_cast<std::uint16_t>(begin | (more ? 1 : 0)));
    payload.resize(8 + size, 0xAA);
    return ipv6(44, payload);
}

Bytes udp_from(std::uint16_t port, int version = 4) {
    PacketFields f = fields(ip_protocol::udp, version);
    f.src.port = port;
    f.dst.port = 9999;
    return build_packet(f);
}
/// From the other host about a datagram from this port.
Bytes port_unreachable(std::uint16_t port, int version = 4) {
    const Bytes quoted = udp_from(port, version);
    PacketFields f = fields(version == 4 ? ip_protocol::icmp : ip_protocol::icmpv6, version);
    std::swap(f.src, f.dst);
    f.icmp_type = version == 4 ? 3 : 1;
    f.icmp_code = version == 4 ? 3 : 4;
    f.icmp_rest = 0;
    f.payload.assign(quoted.begin() + ip_at, quoted.end());
    f.payload_length = static_cast<std::uint32_t>(f.payload.size());
    return build_packet(f);
}

struct Example {
    std::string_view rule;
    Frames good, bad, unknown;  ///< the last packet passes, fails, or cannot be checked
};
void PrintTo(const Example& example, std::ostream* out) {
    *out << example.rule;
}

std::vector<Example> examples() {
    constexpr std::uint8_t ask = 1, reply = 2, solicitation = 135, advertisement = 136, solicited = 0x60;
    return {
        {"arp.session.reply",
         {arp_message(ask, 1, 2), arp_message(reply, 2, 1)},
         {arp_message(ask, 1, 2), arp_message(reply, 3, 1)},
         {arp_message(ask, 5, 2), arp_message(reply, 2, 1)}},
        {"icmpv6.session.solicited",
         {neighbour(solicitation, 0, 1, 2, 2), neighbour(advertisement, solicited, 2, 1, 2)},
         {neighbour(solicitation, 0, 1, 2, 2), neighbour(advertisement, solicited, 3, 1, 3)},
         {neighbour(solicitation, 0, 5, 2, 2), neighbour(advertisement, solicited, 2, 1, 2)}},
        {"dhcp.session.reply",
         {dhcp(false, 1, 7), dhcp(true, 1, 7)},
         {dhcp(false, 1, 7), dhcp(true, 1, 8)},
         {dhcp(false, 2, 7), dhcp(true, 1, 7)}},
        {"ipv4.session.fragment_overlap",
         {fragment4(1, 0, 16, true), fragment4(1, 0, 16, true), fragment4(1, 16, 16, true)},
         {fragment4(1, 0, 16, true), fragment4(1, 8, 16, true)},
         {}},
        {"ipv4.session.fragment_last",
         {fragment4(1, 8, 16, false), fragment4(1, 0, 8, true)},
         {fragment4(1, 0, 8, true), fragment4(1, 8, 8, false), fragment4(2, 8, 8, false),
          fragment4(2, 16, 8, true)},
         {}},
        {"ipv4.session.fragment_last",
         {fragment4(1, 16, 8, true), fragment4(1, 24, 3, false)},
         {fragment4(1, 24, 8, true), fragment4(1, 8, 8, false)},
         {}},
        {"ipv6.session.fragment_overlap",
         {fragment6(1, 0, 16, true), fragment6(1, 0, 16, true), fragment6(1, 16, 16, true)},
         {fragment6(1, 0, 16, true), fragment6(1, 8, 16, true)},
         {}},
        {"ipv6.session.fragment_last",
         {fragment6(1, 8, 16, false), fragment6(1, 0, 8, true)},
         {fragment6(1, 8, 8, false), fragment6(1, 16, 8, true)},
         {}},
        {"icmp.session.error_about",
         {udp_from(1000), port_unreachable(1000)},
         {udp_from(1000), port_unreachable(1001)},
         {port_unreachable(1000)}},
        {"icmpv6.session.error_about",
         {udp_from(1000, 6), port_unreachable(1000, 6)},
         {udp_from(1000, 6), port_unreachable(1001, 6)},
         {port_unreachable(1000, 6)}},
    };
}

Trace trace_of(const Frames& frames, std::int64_t step_ns = 1'000'000) {
    Trace trace;
    std::int64_t time = 0;
    for (const Bytes& bytes : frames) trace.append(time += step_ns, bytes);
    return trace;
}

class SessionRule : public testing::TestWithParam<Example> {};

TEST_P(SessionRule, PassesFailsAndCannotBeChecked) {
    const auto& [rule, good, bad, unknown] = GetParam();
    EXPECT_EQ(failures(trace_of(good)), "");
    EXPECT_GT(result_of(trace_of(good), rule).checked, 0U);
    EXPECT_EQ(failures(trace_of(bad)), std::string(rule) + " ");
    EXPECT_EQ(result_of(trace_of(bad), rule).failed, 1U);
    EXPECT_THAT(result_of(trace_of(bad), rule).examples, testing::ElementsAre(bad.size()));
    EXPECT_EQ(result_of(trace_of(unknown), rule).checked, 0U);
    EXPECT_EQ(result_of(trace_of(unknown), rule).not_checkable, unknown.empty() ? 0U : 1U);
}

TEST_P(SessionRule, RepairMendsTheBadAndLeavesTheGood) {
    RepairReport report;
    const Trace good = trace_of(GetParam().good), same = repair_trace(good, report);
    EXPECT_EQ(report.packets_changed, 0U);
    ASSERT_EQ(same.size(), good.size());
    for (std::size_t i = 0; i < good.size(); ++i)
        EXPECT_TRUE(std::ranges::equal(good.packets[i].bytes, same.packets[i].bytes)) << i;
    const Trace mended = repair_trace(trace_of(GetParam().bad), report);
    EXPECT_EQ(failures(mended), "");
    EXPECT_EQ(mended.size(), GetParam().bad.size());
    EXPECT_EQ(report.repaired.count(std::string(GetParam().rule)), 1U);
}

std::string example_name(const testing::TestParamInfo<Example>& example) {
    std::string name = std::to_string(example.index) + "_" + std::string(example.param.rule);
    std::replace(name.begin(), name.end(), '.', '_');
    return name;
}
INSTANTIATE_TEST_SUITE_P(Table, SessionRule, testing::ValuesIn(examples()), example_name);

TEST(SessionRules, EveryRuleHasAnExample) {
    std::set<std::string_view> shown;
    for (const Example& example : examples()) shown.insert(example.rule);
    for (const Rule& rule : rule_table())
        EXPECT_EQ(rule.scope() == RuleScope::session, shown.count(rule.id) == 1) << rule.id;
}

TEST(SessionRules, AnnouncementsAnswerNobody) {
    const Trace trace = trace_of({arp_message(1, 1, 2), arp_message(2, 3, 3)});
    EXPECT_EQ(result_of(trace, "arp.session.reply").checked, 0U);
    EXPECT_EQ(result_of(trace, "arp.session.reply").not_checkable, 0U);
    const Trace unsolicited = trace_of({neighbour(135, 0, 1, 2, 2), neighbour(136, 0x20, 3, 1, 3)});
    EXPECT_EQ(result_of(unsolicited, "icmpv6.session.solicited").checked, 0U);
}

TEST(SessionRules, RequestsMayNotBeHeardWhereRepliesToAllAre) {
    Bytes reply = dhcp(true, 1, 8);
    for (std::size_t i = 0; i < 4; ++i) reply[ip_at + 16 + i] = 255;
    const RuleResult rule = result_of(trace_of({dhcp(false, 1, 7), reply}), "dhcp.session.reply");
    EXPECT_EQ(rule.failed, 0U);
    EXPECT_EQ(rule.not_checkable, 1U);
}

TEST(SessionRules, ClientsWithoutAddressCannotBeToldApart) {
    const RuleResult rule = result_of(trace_of({dhcp(false, 0, 7), dhcp(true, 0, 8)}), "dhcp.session.reply");
    EXPECT_EQ(rule.checked + rule.not_checkable, 0U);
}

TEST(SessionRules, AnIdentificationMayBeUsedAgain) {
    // Of a datagram that is whole, and of one whose rest did not come in time.
    const Frames whole_first{fragment4(1, 0, 16, true), fragment4(1, 16, 8, false),
                             fragment4(1, 0, 24, true)},
        broken_first{fragment4(1, 0, 16, true), fragment4(1, 0, 24, true)};
    EXPECT_EQ(failures(trace_of(whole_first)), "");
    EXPECT_EQ(failures(trace_of(broken_first)), "ipv4.session.fragment_overlap ");
    EXPECT_EQ(failures(trace_of(broken_first, 16'000'000'000)), "");
    // IPv6 waits a minute.
    const Frames ipv6_frames{fragment6(1, 0, 16, true), fragment6(1, 0, 24, true)};
    EXPECT_EQ(failures(trace_of(ipv6_frames, 16'000'000'000)), "ipv6.session.fragment_overlap ");
    EXPECT_EQ(failures(trace_of(ipv6_frames, 61'000'000'000)), "");
}

TEST(SessionRules, MemoryIsBoundedAndForgettingIsNoExcuseToBlame) {
    SeenSet set(3);
    for (const std::uint64_t value : {1, 2, 3, 3}) set.add(value);
    EXPECT_FALSE(set.forgot());
    set.add(4);
    EXPECT_TRUE(set.forgot());
    EXPECT_FALSE(set.contains(1));
    EXPECT_TRUE(set.contains(2) && set.contains(4));
    // More questions than are remembered, then an answer to none of them.
    ComplianceChecker checker;
    std::int64_t time = 0;
    const auto add = [&](const Bytes& bytes) {
        checker.add({++time, static_cast<std::uint32_t>(bytes.size()), link_type::ethernet, 1, bytes});
    };
    for (std::uint32_t i = 0; i <= 1U << 16; ++i) {
        Bytes question = arp_message(1, 1, 2);
        store32(&question[38], 0x0A000000 + i);
        add(question);
    }
    add(arp_message(2, 9, 1));
    for (const RuleResult& rule : checker.finish().rules)
        if (rule.rule->id == "arp.session.reply") {
            EXPECT_EQ(rule.failed, 0U);
            EXPECT_EQ(rule.not_checkable, 1U);
        }
}

}  // namespace
}  // namespace tracebench
