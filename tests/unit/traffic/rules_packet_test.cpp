// Every packet-scope rule of link, network and transport layers: a packet that passes, one that fails, and
// the failing one after repair.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "rules_frames.h"
#include "traffic/rules/application.h"

namespace tracebench {
namespace {

using namespace rules_test;

struct Example {
    std::string_view rule;
    Bytes good, bad;
};

void PrintTo(const Example& example, std::ostream* out) {
    *out << example.rule;
}

constexpr std::uint8_t udp = ip_protocol::udp, tcp = ip_protocol::tcp, icmp = ip_protocol::icmp;
const Bytes tcp4 = frame(tcp), udp4 = frame(udp), udp6 = frame(udp, 6), echo = frame(icmp);
const Bytes request = arp();
const Bytes plain_syn = build_packet([] {
    PacketFields f = fields(tcp);
    f.tcp_flags = tcp_flag::syn;
    f.acknowledgement = f.payload_length = 0;
    return f;
}());

Bytes syn(Bytes options) {
    return tcp_with_options(tcp_flag::syn, std::move(options));
}
Bytes ack(Bytes options) {
    return tcp_with_options(tcp_flag::ack, std::move(options));
}

/// Ethernet, one VLAN tag, then the rest of an IPv4 frame.
Bytes tagged(std::uint16_t vlan) {
    Bytes bytes = udp4;
    const Bytes tag{0x81, 0x00, static_cast<std::uint8_t>(vlan >> 8), static_cast<std::uint8_t>(vlan)};
    bytes.insert(bytes.begin() + 12, tag.begin(), tag.end());
    return bytes;
}

Bytes multicast4(std::initializer_list<std::uint8_t> mac) {
    return set(set(udp4, 30, {224, 0, 0, 251}), 0, mac);
}
Bytes multicast6(std::uint8_t scope) {
    return set(set(udp6, 38, {0xFF, scope}), 0, {0x33, 0x33, udp6[50], udp6[51], udp6[52], udp6[53]});
}

/// Neighbour solicitation for fe80::1 with a source link-layer address.
const Bytes solicitation = set(
    icmpv6(135, {0, 0, 0, 0, 0xFE, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 0, 0, 0, 0, 1}),
    ip_at + 7, {255});
const Bytes listener_report = set(
    icmpv6(131, {0, 0, 0, 0, 0xFF, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}), ip_at + 7, {1, 0xFE, 0x80});
/// With the solicited flag, to a group.
Bytes advertisement(std::uint8_t flags) {
    Bytes rest(20);
    rest[0] = flags;
    rest[4] = 0xFE;
    return set(set(icmpv6(136, rest), ip_at + 7, {255}), ip_at + 24, {0xFF, 2});
}
const Bytes router_advertisement = set(icmpv6(134, Bytes(12)), ip_at + 7, {255, 0xFE, 0x80});

/// A packet-too-big that quotes an IPv6 header naming `next` and the first bytes after it.
Bytes too_big(std::uint8_t version, std::uint8_t next, std::uint8_t first) {
    Bytes rest(4 + 48);
    rest[2] = 5;  // an MTU of 1280
    rest[4] = static_cast<std::uint8_t>(version << 4);
    rest[10] = next;
    rest[44] = first;
    return icmpv6(2, rest);
}
/// One about a packet of this host; it goes to the second.
Bytes back_to(std::uint8_t host) {
    return set(too_big(6, 17, 0), ipv6_transport + 16, {0x20, 0x01, 0x0D, 0xB8, 0, host});
}

const Bytes padding_options{17, 0, 1, 4, 0, 0, 0, 0};  // an options header before UDP: PadN of 4 bytes
const Bytes empty_udp{0xC3, 0x50, 0x01, 0xBB, 0, 8, 0x12, 0x34};
Bytes join(Bytes a, const Bytes& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}
/// Fragment header before 8 bytes of UDP.
Bytes fragment6(std::uint8_t reserved, std::uint16_t field, std::size_t payload = 8) {
    Bytes bytes = join(
        {17, reserved, static_cast<std::uint8_t>(field >> 8), static_cast<std::uint8_t>(field), 0, 0, 0, 1},
        empty_udp);
    bytes.resize(8 + payload);
    return ipv6(44, bytes);
}
Bytes fragment4(std::uint8_t flags, std::uint8_t offset, const Bytes& from = udp4) {
    return set(from, ip_at + 6, {flags, offset});
}

/// The UDP frame with a byte less: its payload is no multiple of 8.
const Bytes odd_sized = set(Bytes(udp4.begin(), udp4.end() - 1), ip_at + 3, {35});

std::vector<Example> examples() {
    const Bytes timestamps{1, 1, 8, 10, 0, 0, 0, 5, 0, 0, 0, 9}, no_echo{1, 1, 8, 10, 0, 0, 0, 5, 0, 0, 0, 0};
    const Bytes sack{1, 1, 5, 10, 0, 0, 0, 5, 0, 0, 0, 9};
    const auto too_large = [](std::uint16_t mtu, std::uint8_t flags) {
        Bytes bytes = set(icmp_error(3, udp4), 35, {4});
        store16(&bytes[40], mtu);
        return set(bytes, 42 + 6, {flags});
    };
    return {
        {"ethernet.header", tcp4, Bytes(tcp4.begin(), tcp4.begin() + 9)},
        {"ethernet.source", tcp4, set(tcp4, 6, {0x03})},
        {"ethernet.length", set(Bytes(60), 12, {0, 46}), set(Bytes(60), 12, {0, 47})},
        {"ethernet.vlan", tagged(0x0FFE), tagged(0x0FFF)},
        {"ethernet.ip_multicast", multicast4({0x01, 0x00, 0x5E, 0, 0, 251}),
         multicast4({0x01, 0x00, 0x5E, 0, 0, 252})},
        {"ethernet.ip_multicast", multicast6(2), set(multicast6(2), 1, {0x34})},
        {"ethernet.ip_unicast", multicast4({0x01, 0x00, 0x5E, 0, 0, 251}), set(udp4, 0, {0x01, 0x00, 0x5E})},
        {"arp.header", request, Bytes(request.begin(), request.begin() + 20)},
        {"arp.hardware_length", request, set(request, 18, {5})},
        {"arp.protocol_length", request, set(request, 19, {3})},
        {"arp.operation", request, set(request, 20, {0, 0})},
        {"arp.operation", set(request, 20, {0, 25}), set(request, 20, {0, 26})},
        {"arp.length", request, Bytes(request.begin(), request.end() - 1)},
        {"arp.sender_address", set(request, 28, {0, 0, 0, 0}), set(request, 28, {224})},
        {"arp.sender", request, set(request, 22, {0xFF})},

        {"ipv4.version", tcp4, set(tcp4, ip_at, {0x55})},
        {"ipv4.version", tcp4, set(tcp4, ip_at, {0x65})},
        {"ipv4.header_length", tcp4, set(tcp4, ip_at, {0x44})},
        {"ipv4.header_length", tcp4, Bytes(tcp4.begin(), tcp4.begin() + ip_at + 19)},
        {"ipv4.header_length", tcp4, Bytes(tcp4.begin(), tcp4.begin() + ip_at + 1)},
        {"ipv4.total_length", tcp4, set(tcp4, ip_at + 2, {0, 49})},
        {"ipv4.total_length", tcp4, set(tcp4, ip_at + 2, {0, 19})},
        {"ipv4.total_length", tcp4, set(tcp4, ip_at + 2, {0, 0})},
        {"ipv4.reserved_flag", tcp4, set(tcp4, ip_at + 6, {0x80})},
        {"ipv4.dont_fragment", fragment4(0x00, 1), fragment4(0x40, 1)},
        {"ipv4.fragment_size", fragment4(0x20, 1), fragment4(0x20, 1, odd_sized)},
        {"ipv4.fragment_end", fragment4(0x1F, 0x00), fragment4(0x1F, 0xFF)},
        {"ipv4.ttl", tcp4, set(tcp4, ip_at + 8, {0})},
        {"ipv4.protocol", tcp4, set(tcp4, ip_at + 9, {146})},
        {"ipv4.protocol", tcp4, set(tcp4, ip_at + 9, {58})},
        {"ipv4.source", tcp4, set(tcp4, ip_at + 12, {224})},
        {"ipv4.source", tcp4, set(tcp4, ip_at + 12, {255, 255, 255, 255})},
        {"ipv4.source", set(tcp4, ip_at + 12, {0, 0, 0, 0}), set(tcp4, ip_at + 12, {0, 0, 0, 1})},
        {"ipv4.destination", tcp4, set(tcp4, ip_at + 16, {0})},
        {"ipv4.destination", set(tcp4, ip_at + 16, {255, 255, 255, 255}),
         set(tcp4, ip_at + 16, {255, 255, 255, 254})},
        {"ipv4.loopback", tcp4, set(tcp4, ip_at + 12, {127})},
        {"ipv4.loopback", tcp4, set(tcp4, ip_at + 16, {127})},
        {"ipv4.tiny_fragment", fragment4(0x20, 0, tcp4), fragment4(0x00, 1, tcp4)},
        {"ipv4.tiny_fragment", fragment4(0x00, 3, tcp4), set(fragment4(0x20, 0, tcp4), ip_at + 2, {0, 28})},
        {"ipv4.option_repeated", ipv4_with_options({7, 3, 4, 0}),
         ipv4_with_options({7, 3, 4, 1, 7, 3, 4, 0})},
        {"ipv4.option_repeated", ipv4_with_options({131, 3, 4, 0}),
         ipv4_with_options({131, 3, 4, 1, 137, 3, 4, 0})},
        {"ipv4.options_format", ipv4_with_options({148, 4, 0, 0}), ipv4_with_options({148, 5, 0, 0})},
        {"ipv4.options_format", ipv4_with_options({1, 1, 1, 0}), ipv4_with_options({1, 1, 1, 7})},
        {"ipv4.options_padding", ipv4_with_options({1, 1, 0, 0}), ipv4_with_options({1, 1, 0, 1})},
        {"ipv4.option_class", ipv4_with_options({148, 4, 0, 0}), ipv4_with_options({0x34, 4, 0, 0})},
        {"ipv4.option_contents", ipv4_with_options({7, 7, 4, 0, 0, 0, 0, 0}),
         ipv4_with_options({7, 6, 4, 0, 0, 0, 0, 0})},
        {"ipv4.option_contents", ipv4_with_options({7, 7, 4, 0, 0, 0, 0, 0}),
         ipv4_with_options({7, 7, 3, 0, 0, 0, 0, 0})},
        {"ipv4.option_contents", ipv4_with_options({148, 4, 0, 0}), ipv4_with_options({148, 3, 0, 0})},
        {"ipv4.checksum", tcp4, set(tcp4, ip_at + 10, {0x12, 0x34})},

        {"ipv6.version", udp6, set(udp6, ip_at, {0x50})},
        {"ipv6.header", udp6, Bytes(udp6.begin(), udp6.begin() + ip_at + 39)},
        {"ipv6.payload_length", udp6, set(udp6, ip_at + 4, {0, 17})},
        {"ipv6.payload_length", ipv6(59, {}), set(udp6, ip_at + 4, {0, 0})},
        {"ipv6.hop_limit", udp6, set(udp6, ip_at + 7, {0})},
        {"ipv6.source", udp6, set(udp6, ip_at + 8, {0xFF})},
        {"ipv6.destination", udp6, set(udp6, ip_at + 24, {0, 0, 0, 0, 0, 0})},
        {"ipv6.loopback", udp6, set(set(udp6, ip_at + 8, {0, 0, 0, 0, 0, 0}), ip_at + 23, {1})},
        {"ipv6.multicast_scope", multicast6(5), multicast6(0x0F)},
        {"ipv6.multicast_flags", set(multicast6(2), 39, {0x12}), set(multicast6(2), 39, {0x22})},
        {"ipv6.multicast_flags", set(multicast6(2), 39, {0x72}), set(multicast6(2), 39, {0x82})},
        {"ipv6.mapped_address", udp6, set(udp6, ip_at + 8, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF})},
        {"ipv6.mapped_address", udp6, set(udp6, ip_at + 24, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF})},
        {"ipv6.fragment_chain", fragment6(0, 1), set(fragment6(0, 1), ipv6_transport, {6})},
        {"ipv6.routing_type", ipv6(43, join({17, 0, 4, 0, 0, 0, 0, 0}, empty_udp)),
         ipv6(43, join({17, 0, 0, 0, 0, 0, 0, 0}, empty_udp))},
        {"ipv6.extension_chain", ipv6(60, join(padding_options, empty_udp)),
         ipv6(60, {17, 2, 1, 4, 0, 0, 0, 0})},
        {"ipv6.hop_by_hop_first", ipv6(0, join(padding_options, empty_udp)),
         ipv6(60, join(join({0, 0, 1, 4, 0, 0, 0, 0}, padding_options), empty_udp))},
        {"ipv6.extension_repeated",
         ipv6(60, join(join({60, 0, 1, 4, 0, 0, 0, 0}, padding_options), empty_udp)),
         ipv6(60, join(join({60, 0, 1, 4, 0, 0, 0, 0}, {60, 0, 1, 4, 0, 0, 0, 0}),
                       join(padding_options, empty_udp)))},
        {"ipv6.options_format", ipv6(60, join(padding_options, empty_udp)),
         ipv6(60, join({17, 0, 1, 5, 0, 0, 0, 0}, empty_udp))},
        {"ipv6.fragment_reserved", fragment6(0, 0), fragment6(1, 0)},
        {"ipv6.fragment_reserved", fragment6(0, 8), fragment6(0, 8 | 2)},
        {"ipv6.fragment_size", fragment6(0, 1, 8), fragment6(0, 1, 9)},
        {"ipv6.fragment_end", fragment6(0, 0xFF00), fragment6(0, 0xFFF8)},
        {"ipv6.protocol", udp6, set(udp6, ip_at + 6, {1})},
        {"ipv6.protocol", ipv6(60, join(padding_options, empty_udp)),
         ipv6(60, join({200, 0, 1, 4, 0, 0, 0, 0}, empty_udp))},

        {"tcp.header", tcp4, set(tcp4, ip_at + 2, {0, 39})},
        {"tcp.data_offset", tcp4, set(tcp4, 46, {0x40})},
        {"tcp.data_offset", tcp4, set(tcp4, 46, {0x80})},
        {"tcp.ports", tcp4, set(tcp4, 34, {0, 0})},
        {"tcp.ports", tcp4, set(tcp4, 36, {0, 0})},
        {"tcp.reserved", set(tcp4, 46, {0x51}), set(tcp4, 46, {0x52})},
        {"tcp.unicast", tcp4, set(tcp4, ip_at + 16, {224})},
        {"tcp.unicast", frame(tcp, 6), set(frame(tcp, 6), ip_at + 24, {0xFF, 2})},
        {"tcp.syn_fin", plain_syn, set(plain_syn, 47, {0x03})},
        {"tcp.syn_rst", plain_syn, set(plain_syn, 47, {0x06})},
        {"tcp.fin_rst", tcp4, set(tcp4, 47, {0x15})},
        {"tcp.ack_flag", tcp4, set(tcp4, 47, {0x00})},
        {"tcp.ack_flag", set(tcp4, 47, {0x04}), set(tcp4, 47, {0x01})},
        {"tcp.syn_acknowledgement", plain_syn, set(plain_syn, 42, {0, 0, 0, 1})},
        {"tcp.urgent_pointer", set(tcp4, 47, {0x30, 0xFF, 0xFF, 0, 0, 0, 1}), set(tcp4, 52, {0, 1})},
        {"tcp.options_format", syn({2, 4, 5, 0xB4}), syn({2, 5, 5, 0xB4})},
        {"tcp.options_format", syn({1, 1, 1, 0}), syn({1, 1, 1, 2})},
        {"tcp.options_padding", ack({1, 0, 0, 0}), ack({1, 0, 0, 1})},
        {"tcp.options_repeated", syn({2, 4, 5, 0xB4}), syn({2, 4, 5, 0xB4, 2, 4, 5, 0xB4})},
        {"tcp.option_mss", syn({2, 4, 5, 0xB4}), ack({2, 4, 5, 0xB4})},
        {"tcp.option_mss", syn({2, 4, 0, 1}), syn({2, 4, 0, 0})},
        {"tcp.option_mss", syn({2, 4, 0, 1}), syn({2, 3, 1, 0})},
        {"tcp.option_window_scale", syn({1, 3, 3, 7}), ack({1, 3, 3, 7})},
        {"tcp.window_scale_range", syn({1, 3, 3, 14}), syn({1, 3, 3, 15})},
        {"tcp.option_sack_permitted", syn({1, 1, 4, 2}), ack({1, 1, 4, 2})},
        {"tcp.option_sack", ack(sack), syn(sack)},
        {"tcp.option_sack", ack(sack), ack({1, 1, 5, 10, 0, 0, 0, 9, 0, 0, 0, 9})},
        {"tcp.option_sack", ack(sack), ack({1, 5, 7, 0, 0, 0, 5, 0})},
        {"tcp.option_timestamps", ack(timestamps), ack({8, 9, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0})},
        {"tcp.timestamp_echo", syn(no_echo), syn(timestamps)},
        {"tcp.option_lengths", syn({34, 2, 1, 1}), syn({34, 3, 1, 1})},
        {"tcp.option_lengths", ack({28, 4, 0, 0}), ack({28, 3, 0, 0})},
        {"tcp.sack_acknowledges", ack(sack), tcp_with_options(tcp_flag::rst, sack)},
        {"tcp.option_fast_open", syn({34, 2, 1, 1}), ack({34, 2, 1, 1})},
        {"tcp.checksum", tcp4, set(tcp4, 50, {0x12, 0x34})},
        {"tcp.checksum", tcp4, set(tcp4, 50, {0, 0})},

        {"udp.header", udp4, set(udp4, ip_at + 2, {0, 27})},
        {"udp.length", udp4, set(udp4, 38, {0, 7})},
        {"udp.length", udp4, set(udp4, 38, {0, 17})},
        {"udp.destination_port", set(udp4, 34, {0, 0}), set(udp4, 36, {0, 0})},
        {"udp.checksum", udp4, set(udp4, 40, {0x12, 0x34})},
        {"udp.checksum_present", udp6, set(udp6, 60, {0, 0})},

        {"icmp.header", echo, set(echo, ip_at + 2, {0, 27})},
        {"icmp.type", echo, set(echo, 34, {7})},
        {"icmp.code", icmp_error(3, udp4), set(icmp_error(3, udp4), 35, {16})},
        {"icmp.code", echo, set(echo, 35, {1})},
        {"icmp.error_quote", icmp_error(3, udp4), set(icmp_error(3, udp4), 42, {0x65})},
        {"icmp.error_quote", icmp_error(11, udp4), set(echo, 34, {11})},
        {"icmp.error_about_error", icmp_error(3, echo), icmp_error(3, icmp_error(3, udp4))},
        {"icmp.error_unicast", icmp_error(3, udp4), set(icmp_error(3, udp4), ip_at + 16, {224})},
        {"icmp.error_unicast", icmp_error(3, udp4), set(icmp_error(3, udp4), 42 + 16, {255})},
        {"icmp.error_destination", icmp_error(3, udp4), set(icmp_error(3, udp4), 42 + 12, {9})},
        {"icmp.query_length", set(frame(icmp), 34, {17}), set(frame(icmp), 34, {13})},
        {"icmp.next_hop_mtu", too_large(576, 0x40), too_large(67, 0x40)},
        {"icmp.next_hop_mtu", too_large(0, 0x40), too_large(1, 0x40)},
        {"icmp.fragmentation_needed", too_large(576, 0x40), too_large(576, 0)},
        {"icmp.checksum", echo, set(echo, 36, {0x12, 0x34})},

        {"icmpv6.header", icmpv6(128, {0, 1, 0, 1}), icmpv6(128, {0, 1, 0})},
        {"icmpv6.type", icmpv6(128, {0, 1, 0, 1}), icmpv6(5, {0, 1, 0, 1})},
        {"icmpv6.code", icmpv6(128, {0, 1, 0, 1}), set(icmpv6(128, {0, 1, 0, 1}), 55, {1})},
        {"icmpv6.error_quote", too_big(6, 17, 0), too_big(4, 17, 0)},
        {"icmpv6.error_quote", too_big(6, 17, 0), icmpv6(1, Bytes(40))},
        {"icmpv6.error_about_error", too_big(6, 58, 128), too_big(6, 58, 1)},
        {"icmpv6.error_destination", back_to(2), back_to(3)},
        {"icmpv6.discovery_hop_limit", solicitation, set(solicitation, ip_at + 7, {254})},
        {"icmpv6.discovery_length", solicitation, set(icmpv6(136, Bytes(12)), ip_at + 7, {255})},
        {"icmpv6.discovery_options", solicitation, set(solicitation, ipv6_transport + 25, {0})},
        {"icmpv6.discovery_options", solicitation, set(solicitation, ipv6_transport + 25, {2})},
        {"icmpv6.discovery_target", solicitation, set(solicitation, ipv6_transport + 8, {0xFF})},
        {"icmpv6.listener_hop_limit", listener_report, set(listener_report, ip_at + 7, {2})},
        {"icmpv6.too_big_mtu", too_big(6, 17, 0), set(too_big(6, 17, 0), ipv6_transport + 6, {4})},
        {"icmpv6.router_source", router_advertisement, set(router_advertisement, ip_at + 8, {0x20, 0x01})},
        {"icmpv6.advertisement_solicited", advertisement(0x20), advertisement(0x60)},
        {"icmpv6.listener_source", listener_report, set(listener_report, ip_at + 8, {0x20, 0x01})},
        {"icmpv6.checksum", frame(ip_protocol::icmpv6, 6),
         set(frame(ip_protocol::icmpv6, 6), 56, {0x12, 0x34})},
    };
}

class PacketRule : public testing::TestWithParam<Example> {};

TEST_P(PacketRule, PassesTheLegalPacketAndFailsTheOther) {
    const Rule* const rule = find_rule(GetParam().rule);
    ASSERT_NE(rule, nullptr);
    const MutablePacket good = whole(GetParam().good), bad = whole(GetParam().bad);
    EXPECT_EQ(check_rule(*rule, read_rule_packet(good.view())), Verdict::passed);
    EXPECT_EQ(check_rule(*rule, read_rule_packet(bad.view())), Verdict::failed);
}

TEST_P(PacketRule, RepairMakesThePacketLegal) {
    MutablePacket packet = whole(GetParam().bad);
    RepairReport report;
    repair_packet(packet, report);
    EXPECT_EQ(failing_rules(packet), "");
    EXPECT_EQ(report.packets_changed, 1U);
    EXPECT_GE(report.repaired[std::string(GetParam().rule)], 1U);
}

std::string example_name(const testing::TestParamInfo<Example>& example) {
    std::string name = std::to_string(example.index) + "_" + std::string(example.param.rule);
    std::replace(name.begin(), name.end(), '.', '_');
    return name;
}
INSTANTIATE_TEST_SUITE_P(Table, PacketRule, testing::ValuesIn(examples()), example_name);

TEST(PacketRules, EveryRuleHasAnExample) {
    std::set<std::string_view> shown;
    for (const Example& example : examples()) shown.insert(example.rule);
    for (const Rule& rule : rule_table()) {
        if (!rule.check_packet || is_application(rule.layer)) continue;
        EXPECT_TRUE(shown.count(rule.id)) << rule.id << " needs a good and a bad packet";
    }
}

TEST(PacketRules, BuiltPacketsAreLegalAndStayAsTheyAre) {
    for (const Bytes& bytes :
         {tcp4, udp4, udp6, echo, frame(tcp, 6), frame(ip_protocol::icmpv6, 6), plain_syn, request}) {
        EXPECT_EQ(failing_rules(whole(bytes)), "");
        MutablePacket packet = whole(bytes);
        RepairReport report;
        repair_packet(packet, report);
        EXPECT_EQ(packet.bytes, bytes);
        EXPECT_EQ(report.packets_changed, 0U);
        EXPECT_EQ(report.packets, 1U);
    }
}

TEST(PacketRules, RepairChangesNoMoreThanItMust) {
    PacketFields f = fields(tcp);
    f.ttl = 0;
    MutablePacket packet = whole(build_packet(f));
    RepairReport report;
    repair_packet(packet, report);
    EXPECT_EQ(packet.bytes, tcp4);  // which has 64
    EXPECT_THAT(report.repaired,
                testing::ElementsAre(testing::Pair("ipv4.checksum", 1), testing::Pair("ipv4.ttl", 1)));
}

// RFC 1071 section 3's numbers and a header often used to explain RFC 791 (checksum B861).
TEST(PacketRules, KnownHeaderHasItsKnownChecksum) {
    Bytes bytes(14);
    bytes[12] = 0x08;
    const Bytes header{0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11,
                       0xB8, 0x61, 0xC0, 0xA8, 0x00, 0x01, 0xC0, 0xA8, 0x00, 0xC7};
    bytes.insert(bytes.end(), header.begin(), header.end());
    bytes.resize(14 + 0x73);
    const Rule& rule = *find_rule("ipv4.checksum");
    EXPECT_EQ(check_rule(rule, read_rule_packet(whole(bytes).view())), Verdict::passed);
    EXPECT_EQ(check_rule(rule, read_rule_packet(whole(set(bytes, 24, {0xB8, 0x60})).view())),
              Verdict::failed);
}

Verdict verdict(std::string_view rule, const MutablePacket& packet) {
    return check_rule(*find_rule(rule), read_rule_packet(packet.view()));
}

TEST(PacketRules, WhatWasNotCapturedIsNotChecked) {
    MutablePacket cut = whole(ack({1, 1, 8, 10, 0, 0, 0, 5, 0, 0, 0, 9}));
    cut.bytes.resize(60);  // in the options
    EXPECT_EQ(verdict("tcp.checksum", cut), Verdict::not_checkable);
    EXPECT_EQ(verdict("tcp.options_format", cut), Verdict::not_checkable);
    EXPECT_EQ(verdict("tcp.data_offset", cut), Verdict::passed);
    EXPECT_EQ(verdict("ipv4.total_length", cut), Verdict::passed);
    cut.bytes.resize(45);
    EXPECT_EQ(verdict("tcp.ports", cut), Verdict::not_checkable);
    EXPECT_EQ(verdict("tcp.header", cut), Verdict::passed);
    cut.bytes.resize(20);
    EXPECT_EQ(verdict("ipv4.ttl", cut), Verdict::not_checkable);
    EXPECT_EQ(verdict("ipv4.version", cut), Verdict::passed);
    EXPECT_EQ(verdict("tcp.ports", cut), Verdict::not_applicable);
    for (const auto& [rule, bytes] : {std::pair{"icmp.error_destination", icmp_error(3, udp4)},
                                      std::pair{"icmpv6.error_destination", back_to(2)}}) {
        MutablePacket error = whole(bytes);
        EXPECT_EQ(verdict(rule, error), Verdict::passed);
        error.bytes.resize(error.bytes.size() - 20);  // in the quote
        EXPECT_EQ(verdict(rule, error), Verdict::not_checkable) << rule;
    }
    cut.bytes.resize(14);
    EXPECT_EQ(verdict("ipv4.version", cut), Verdict::not_checkable);
}

TEST(PacketRules, ASourceRouteIsSummedAtItsEnd) {
    // A routing header of 8 bytes before UDP; after it the destination is the final one.
    Bytes udp_bytes(udp6.begin() + ipv6_transport, udp6.end());
    Bytes payload{17, 0, 253, 0, 0, 0, 0, 0};
    payload.insert(payload.end(), udp_bytes.begin(), udp_bytes.end());
    const Bytes finished = ipv6(43, payload), on_its_way = set(finished, ipv6_transport + 3, {1});
    EXPECT_EQ(verdict("udp.checksum", whole(finished)), Verdict::passed);
    EXPECT_EQ(verdict("udp.checksum", whole(set(finished, ipv6_transport + 15, {1, 2}))), Verdict::failed);
    EXPECT_EQ(verdict("udp.checksum", whole(on_its_way)), Verdict::not_checkable);
}

TEST(PacketRules, FragmentsAreNotSummed) {
    const MutablePacket first = whole(fragment4(0x20, 0, udp4));
    EXPECT_EQ(verdict("udp.checksum", first), Verdict::not_checkable);
    EXPECT_EQ(verdict("udp.length", first), Verdict::not_checkable);
    EXPECT_EQ(verdict("udp.destination_port", first), Verdict::passed);
    EXPECT_EQ(verdict("udp.destination_port", whole(fragment4(0x20, 1, udp4))), Verdict::not_applicable);
}

TEST(PacketRules, ZeroUdpChecksumIsLegalOverIpv4Only) {
    EXPECT_EQ(verdict("udp.checksum", whole(set(udp4, 40, {0, 0}))), Verdict::not_applicable);
    EXPECT_EQ(verdict("udp.checksum_present", whole(set(udp4, 40, {0, 0}))), Verdict::not_applicable);
    const Bytes vxlan = set(udp6, 56, {0x12, 0xB5});
    EXPECT_EQ(verdict("udp.checksum_present", whole(set(vxlan, 60, {0, 0}))), Verdict::not_applicable);
}

/// The sum of addresses, protocol and length, as a host leaves it to its network card.
std::uint16_t partial_checksum(const Bytes& bytes) {
    std::uint32_t sum = bytes[ip_at + 9] + (load16(&bytes[ip_at + 2]) - 20U);
    for (std::size_t at = ip_at + 12; at < ip_at + 20; at += 2) sum += load16(&bytes[at]);
    while (sum >> 16) sum = (sum & 0xFFFF) + (sum >> 16);
    return static_cast<std::uint16_t>(sum);
}

TEST(PacketRules, ChecksumsLeftToTheNetworkCardAreNotChecked) {
    Bytes bytes = tcp4;
    store16(&bytes[50], partial_checksum(tcp4));
    EXPECT_EQ(verdict("tcp.checksum", whole(bytes)), Verdict::offloaded);
    EXPECT_EQ(verdict("ipv4.checksum", whole(set(bytes, ip_at + 10, {0, 0}))), Verdict::offloaded);
    EXPECT_EQ(verdict("ipv4.checksum", whole(set(tcp4, ip_at + 10, {0, 0}))), Verdict::failed);
    store16(&bytes[50], static_cast<std::uint16_t>(~partial_checksum(tcp4)));
    EXPECT_EQ(verdict("tcp.checksum", whole(bytes)), Verdict::failed);
    Bytes datagram = udp4;
    store16(&datagram[40], partial_checksum(udp4));
    EXPECT_EQ(verdict("udp.checksum", whole(datagram)), Verdict::offloaded);
}

TEST(PacketRules, OnlyLargeSegmentsMayLeaveTheirLengthToTheNetworkCard) {
    PacketFields f = fields(tcp);
    f.payload_length = 8000;
    f.payload.resize(8000);
    const Bytes large = set(build_packet(f), ip_at + 2, {0, 0});
    EXPECT_EQ(verdict("ipv4.total_length", whole(large)), Verdict::offloaded);
    EXPECT_EQ(verdict("ipv4.total_length", whole(set(tcp4, ip_at + 2, {0, 0}))), Verdict::failed);
}

TEST(PacketRules, LoopbackInterfacesAreNoWire) {
    const Bytes local = set(tcp4, ip_at + 12, {127, 0, 0, 1, 127, 0, 0, 1});
    EXPECT_EQ(verdict("ipv4.loopback", whole(local)), Verdict::failed);
    EXPECT_EQ(verdict("ipv4.loopback", whole(set(local, 0, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}))),
              Verdict::not_checkable);
    const Bytes raw(local.begin() + ip_at, local.end());
    EXPECT_EQ(verdict("ipv4.loopback", whole(raw, link_type::raw_ip)), Verdict::not_checkable);
}

TEST(PacketRules, LengthsOfCutPacketsStayThoseOnTheWire) {
    PacketFields f = fields(tcp);
    f.payload_length = 1000;
    f.payload.clear();
    MutablePacket packet = whole(build_packet(f));
    packet.bytes.resize(60);
    packet.bytes[ip_at + 2] = 0xFF;  // longer than the frame
    RepairReport report;
    repair_packet(packet, report);
    EXPECT_EQ(failing_rules(packet), "");
    EXPECT_EQ(packet.original_length, 1054U);
    EXPECT_EQ(packet.bytes.size(), 60U);
    EXPECT_EQ(load16(&packet.bytes[ip_at + 2]), 1040);
}

}  // namespace
}  // namespace tracebench
