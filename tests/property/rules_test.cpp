// Whatever the bytes: repair ends in legal packets and conversations, and leaves legal ones alone.

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <sstream>

#include "traffic/packet_builder.h"
#include "traffic/rules/checker.h"
#include "traffic/rules/repair.h"

namespace tracebench {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes any_bytes(std::size_t size) {
    return *rc::gen::container<Bytes>(size, rc::gen::arbitrary<std::uint8_t>());
}

/// What applications begin with, to be damaged.
struct Message {
    std::uint8_t protocol;
    std::uint16_t port;
    Bytes start;
};
Message any_message() {
    const Bytes dns{0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 'a', 0, 0, 1, 0, 1};
    const Bytes dhcp{1, 1, 6, 0, 1, 2, 3, 4}, ntp{0x23, 0}, quic{0xC0, 0, 0, 0, 1, 2, 7, 7, 1, 9, 0, 30};
    const Bytes tls{22, 3, 1, 0, 47, 1, 0, 0, 43, 3, 3},
        mqtt{0x10, 12, 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 60, 0, 0};
    const Bytes request{'G', 'E', 'T', ' ', '/', ' ', 'H', 'T', 'T', 'P', '/', '1', '.', '1', '\r', '\n'};
    const Bytes status{'H', 'T', 'T', 'P', '/', '1', '.', '1', ' ', '2', '0', '0', ' ', '\r', '\n'};
    constexpr std::uint8_t tcp = ip_protocol::tcp, udp = ip_protocol::udp;
    return *rc::gen::elementOf(std::vector<Message>{{udp, 53, dns},
                                                    {udp, 67, dhcp},
                                                    {udp, 123, ntp},
                                                    {udp, 443, quic},
                                                    {tcp, 443, tls},
                                                    {tcp, 80, request},
                                                    {tcp, 80, status},
                                                    {tcp, 1883, mqtt}});
}

PacketFields any_fields(std::uint8_t protocol, bool v6) {
    PacketFields f;
    f.src.address.version = f.dst.address.version = v6 ? 6 : 4;
    for (std::size_t i = 0; i < (v6 ? 16 : 4); ++i) {
        f.src.address.bytes[i] = *rc::gen::arbitrary<std::uint8_t>();
        f.dst.address.bytes[i] = *rc::gen::arbitrary<std::uint8_t>();
    }
    f.protocol = protocol;
    f.src.port = *rc::gen::arbitrary<std::uint16_t>();
    f.dst.port = *rc::gen::arbitrary<std::uint16_t>();
    f.tcp_flags = *rc::gen::arbitrary<std::uint8_t>();
    f.sequence = *rc::gen::arbitrary<std::uint32_t>();
    f.acknowledgement = *rc::gen::arbitrary<std::uint32_t>();
    f.tcp_options = {2, 4, 5, 0xB4, 1, 3, 3, 7, 4, 2, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8};
    f.icmp_type = *rc::gen::arbitrary<std::uint8_t>();
    f.payload_length = *rc::gen::inRange<std::uint32_t>(0, 200);
    f.payload = any_bytes(f.payload_length);
    return f;
}

/// A built frame of any protocol with some bytes of its headers changed, cut or with padding behind it.
MutablePacket damaged_packet() {
    const bool v6 = *rc::gen::arbitrary<bool>();
    const auto protocol =
        *rc::gen::element(ip_protocol::tcp, ip_protocol::udp, v6 ? ip_protocol::icmpv6 : ip_protocol::icmp);
    MutablePacket packet;
    packet.bytes = build_packet(any_fields(protocol, v6));
    const int changes = *rc::gen::inRange(0, 8);
    const std::size_t headers = std::min<std::size_t>(packet.bytes.size(), 90);
    for (int i = 0; i < changes; ++i)
        packet.bytes[*rc::gen::inRange<std::size_t>(14, headers)] = *rc::gen::arbitrary<std::uint8_t>();
    if (*rc::gen::inRange(0, 4) == 0)
        packet.bytes.resize(*rc::gen::inRange<std::size_t>(15, packet.bytes.size() + 30));
    packet.original_length = static_cast<std::uint32_t>(packet.bytes.size());
    if (*rc::gen::inRange(0, 4) == 0)
        packet.bytes.resize(*rc::gen::inRange<std::size_t>(15, packet.bytes.size() + 1));
    return packet;
}

/// Nothing but an EtherType of IP, or none at all on a raw IP link.
MutablePacket random_packet() {
    MutablePacket packet;
    packet.bytes = any_bytes(*rc::gen::inRange<std::size_t>(15, 200));
    const int kind = *rc::gen::inRange(0, 4);
    if (kind == 0) {
        packet.link = link_type::raw_ip;
    } else {
        packet.bytes[12] = kind == 1 ? 0x86 : 0x08;
        packet.bytes[13] = kind == 1 ? 0xDD : kind == 2 ? 0x06 : 0x00;
    }
    packet.original_length = static_cast<std::uint32_t>(packet.bytes.size());
    return packet;
}

std::string failing_packet_rules(const MutablePacket& packet) {
    std::string failing;
    const RulePacket p = read_rule_packet(packet.view());
    for (const Rule& rule : rule_table())
        if (rule.check_packet && check_rule(rule, p) == Verdict::failed)
            failing += std::string(rule.id) + " ";
    return failing;
}

/// An application's message of some length, with some of its bytes changed.
MutablePacket damaged_message() {
    const Message message = any_message();
    PacketFields f;
    f.src = {{4, {192, 0, 2, 1}}, 50000};
    f.dst = {{4, {198, 51, 100, 7}}, message.port};
    if (*rc::gen::arbitrary<bool>()) std::swap(f.src, f.dst);
    f.protocol = message.protocol;
    f.tcp_flags = 0x18;
    f.payload = message.start;
    f.payload.resize(*rc::gen::element<std::size_t>(message.start.size(), 60, 260, 1300));
    const int changes = *rc::gen::inRange(0, 6);
    for (int i = 0; i < changes; ++i)
        f.payload[*rc::gen::inRange<std::size_t>(0, f.payload.size())] = *rc::gen::arbitrary<std::uint8_t>();
    f.payload_length = static_cast<std::uint32_t>(f.payload.size());
    MutablePacket packet;
    packet.bytes = build_packet(f);
    packet.original_length = static_cast<std::uint32_t>(packet.bytes.size());
    if (*rc::gen::inRange(0, 3) == 0)
        packet.bytes.resize(*rc::gen::inRange<std::size_t>(42, packet.bytes.size()));
    return packet;
}

void check_repair(MutablePacket packet) {
    const bool was_legal = failing_packet_rules(packet).empty();
    const Bytes before = packet.bytes;
    const std::uint32_t missing = packet.original_length - static_cast<std::uint32_t>(packet.bytes.size());
    RepairReport report;
    repair_packet(packet, report);
    RC_ASSERT(failing_packet_rules(packet) == "");
    RC_ASSERT(packet.original_length >= packet.bytes.size());
    RC_ASSERT(missing > 0 || packet.original_length == packet.bytes.size());
    RC_ASSERT(was_legal == (report.packets_changed == 0));
    if (was_legal) RC_ASSERT(packet.bytes == before);
    const Bytes repaired = packet.bytes;
    repair_packet(packet, report);
    RC_ASSERT(packet.bytes == repaired);
}

TEST(RulesProperty, AnyDamagedPacketCanBeRepaired) {
    EXPECT_TRUE(rc::check([] { check_repair(damaged_packet()); }));
}

TEST(RulesProperty, AnyBytesCanBeRepaired) {
    EXPECT_TRUE(rc::check([] { check_repair(random_packet()); }));
}

TEST(RulesProperty, AnyMessageCanBeRepaired) {
    EXPECT_TRUE(rc::check([] { check_repair(damaged_message()); }));
}

std::string failing_rules(const Trace& trace) {
    std::string failing;
    for (const RuleResult& result : check_compliance(trace).rules)
        if (result.failed > 0) failing += std::string(result.rule->id) + " ";
    return failing;
}

/// Segments between two hosts on a few ports with numbers, flags and options that mean nothing together.
Trace any_conversations() {
    Trace trace;
    const int size = *rc::gen::inRange(1, 25);
    for (int i = 0; i < size; ++i) {
        PacketFields f;
        f.src = {{4, {192, 0, 2, 1}}, static_cast<std::uint16_t>(*rc::gen::inRange(5000, 5002))};
        f.dst = {{4, {198, 51, 100, 7}}, 443};
        if (*rc::gen::arbitrary<bool>()) std::swap(f.src, f.dst);
        const bool usual = *rc::gen::arbitrary<bool>();
        f.tcp_flags =
            usual ? static_cast<std::uint8_t>(*rc::gen::element(0x02, 0x12, 0x10, 0x18, 0x11, 0x04, 0x14))
                  : *rc::gen::arbitrary<std::uint8_t>();
        f.sequence = usual ? *rc::gen::inRange<std::uint32_t>(0, 3000) : *rc::gen::arbitrary<std::uint32_t>();
        f.acknowledgement =
            usual ? *rc::gen::inRange<std::uint32_t>(0, 3000) : *rc::gen::arbitrary<std::uint32_t>();
        f.window = *rc::gen::arbitrary<std::uint16_t>();
        f.payload_length = *rc::gen::element(0U, 0U, 1U, 100U, 1400U);
        if (*rc::gen::arbitrary<bool>())
            f.tcp_options = {1, 1, 8, 10,
                             0, 0, 0, *rc::gen::arbitrary<std::uint8_t>(),
                             0, 0, 0, *rc::gen::arbitrary<std::uint8_t>()};
        if (*rc::gen::inRange(0, 4) == 0) f.tcp_options.insert(f.tcp_options.end(), {1, 3, 3, 2, 1, 1, 4, 2});
        if (*rc::gen::inRange(0, 4) == 0)
            f.tcp_options.insert(f.tcp_options.end(), {5, 10, 0, 0, 1, 0, 0, 0, 2, 0});
        trace.append(i * 1'000'000LL, build_packet(f));
    }
    return trace;
}

/// One segment a line, for counterexamples.
std::string describe(const Trace& trace) {
    std::ostringstream text;
    for (const PacketView& packet : trace.packets) {
        const RulePacket p = read_rule_packet(packet);
        const auto s = read_segment(p);
        if (!s) continue;
        text << load16(p.segment()) << ">" << load16(p.segment() + 2) << " flags " << int{s->flags} << " seq "
             << s->sequence << " ack " << s->acknowledgement << " win " << s->window << " len " << s->payload
             << " ws " << int{s->window_scale};
        if (s->timestamps) text << " ts " << s->timestamp << "/" << s->timestamp_echo;
        if (s->sack_blocks) text << " sack " << s->sack[0] << "-" << s->sack[1];
        text << "\n";
    }
    return text.str();
}

bool same_bytes(const Trace& a, const Trace& b) {
    return std::equal(
        a.packets.begin(), a.packets.end(), b.packets.begin(), b.packets.end(),
        [](const PacketView& x, const PacketView& y) { return std::ranges::equal(x.bytes, y.bytes); });
}

void check_trace_repair(const RepairOptions& options) {
    const Trace before = any_conversations();
    RepairReport report;
    const Trace after = repair_trace(before, report, options);
    RC_LOG() << "before:\n" << describe(before) << "after:\n" << describe(after);
    RC_ASSERT(after.size() == before.size());
    RC_ASSERT(failing_rules(after) == "");
    RepairReport again;
    RC_ASSERT(same_bytes(repair_trace(after, again, options), after));
    RC_ASSERT(again.packets_changed == 0U);
    if (failing_rules(before).empty() && !options.force_handshake) RC_ASSERT(same_bytes(before, after));
}

TEST(RulesProperty, AnyConversationsCanBeRepaired) {
    EXPECT_TRUE(rc::check([] { check_trace_repair({}); }));
}

/// Datagrams that may be RTP, mostly of one source and in order.
Trace any_datagrams() {
    Trace trace;
    const int size = *rc::gen::inRange(1, 20);
    for (int i = 0; i < size; ++i) {
        PacketFields f;
        f.src = {{4, {192, 0, 2, 1}}, 5004};
        f.dst = {{4, {198, 51, 100, 7}}, 5006};
        if (*rc::gen::inRange(0, 4) == 0) std::swap(f.src, f.dst);
        f.protocol = ip_protocol::udp;
        const bool usual = *rc::gen::inRange(0, 4) != 0;
        const auto sequence = usual ? static_cast<std::uint16_t>(i) : *rc::gen::arbitrary<std::uint16_t>();
        f.payload = {usual ? std::uint8_t{0x80} : *rc::gen::arbitrary<std::uint8_t>(),
                     *rc::gen::element<std::uint8_t>(96, 72, 200),
                     static_cast<std::uint8_t>(sequence >> 8),
                     static_cast<std::uint8_t>(sequence),
                     0,
                     0,
                     0,
                     0,
                     0,
                     0,
                     0,
                     *rc::gen::element<std::uint8_t>(1, 1, 1, 2)};
        f.payload.resize(*rc::gen::element<std::size_t>(12, 16, 40));
        f.payload_length = static_cast<std::uint32_t>(f.payload.size());
        trace.append(i * 1'000'000LL, build_packet(f));
    }
    return trace;
}

TEST(RulesProperty, AnyRtpCanBeRepaired) {
    EXPECT_TRUE(rc::check([] {
        const Trace before = any_datagrams();
        RepairReport report, again;
        const Trace after = repair_trace(before, report);
        RC_ASSERT(failing_rules(after) == "");
        RC_ASSERT(same_bytes(repair_trace(after, again), after));
        if (failing_rules(before).empty()) RC_ASSERT(same_bytes(before, after));
    }));
}

/// A datagram of `payload` from one of three hosts to another; `port` at the receiver, or at the sender.
Bytes any_datagram(std::uint16_t port, const Bytes& payload, std::uint8_t protocol = ip_protocol::udp) {
    PacketFields f;
    f.src = {{4, {192, 0, 2, *rc::gen::element<std::uint8_t>(1, 2, 3)}},
             *rc::gen::element<std::uint16_t>(5000, 5001)};
    f.dst = {{4, {192, 0, 2, *rc::gen::element<std::uint8_t>(1, 2, 3)}}, port};
    f.protocol = protocol;
    if (*rc::gen::arbitrary<bool>()) std::swap(f.src, f.dst);
    f.payload = payload;
    f.payload_length = static_cast<std::uint32_t>(payload.size());
    f.icmp_type = 3;
    return build_packet(f);
}
Bytes any_arp() {
    const auto host = [] { return *rc::gen::element<std::uint8_t>(1, 2, 3); };
    return {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 2,   0, 0,     0,      0,
            1,    8,    6,    0,    1,    8,    0,   6, 4,     0,      *rc::gen::element<std::uint8_t>(1, 2),
            2,    0,    0,    0,    0,    1,    192, 0, 2,     host(), 0,
            0,    0,    0,    0,    0,    192,  0,   2, host()};
}
Bytes any_fragment() {
    const bool v6 = *rc::gen::arbitrary<bool>();
    const auto begin = *rc::gen::element<std::uint16_t>(0, 8, 16, 24),
               more = *rc::gen::element<std::uint16_t>(0, 1);
    const auto size = *rc::gen::element<std::size_t>(8, 16, 5, 40);
    PacketFields f;
    f.src = v6 ? Endpoint{{6, {0x20, 0x01, 0x0D, 0xB8, 1}}, 5000} : Endpoint{{4, {192, 0, 2, 1}}, 5000};
    f.dst = v6 ? Endpoint{{6, {0x20, 0x01, 0x0D, 0xB8, 2}}, 53} : Endpoint{{4, {192, 0, 2, 2}}, 53};
    f.protocol = ip_protocol::udp;
    Bytes bytes = build_packet(f);
    if (v6) {
        bytes.resize(14 + 40);
        bytes.insert(bytes.end(), {17, 0, 0, static_cast<std::uint8_t>(begin | more), 0, 0, 0, 1});
        bytes[14 + 6] = 44;
    } else {
        bytes.resize(14 + 20);
        bytes[14 + 5] = 1;
        bytes[14 + 6] = static_cast<std::uint8_t>(more << 5);
        bytes[14 + 7] = static_cast<std::uint8_t>(begin / 8);
    }
    const Bytes data = any_bytes(size);
    bytes.insert(bytes.end(), data.begin(), data.end());
    const std::size_t length = bytes.size() - 14 - (v6 ? 40 : 0);
    bytes[14 + (v6 ? 5 : 3)] = static_cast<std::uint8_t>(length);
    return bytes;
}

/// Questions, answers, fragments and errors that mean nothing together.
Trace any_session() {
    Trace trace;
    const int size = *rc::gen::inRange(1, 20);
    for (int i = 0; i < size; ++i) {
        const auto small = [] { return *rc::gen::element<std::uint8_t>(1, 2); };
        Bytes ntp(48), dhcp(240);
        ntp[0] = *rc::gen::element<std::uint8_t>(0x23, 0x24);
        ntp[31] = small();
        ntp[47] = small();
        dhcp[0] = small();
        dhcp[1] = 1, dhcp[2] = 6, dhcp[7] = small(), dhcp[33] = small();
        dhcp[236] = 99, dhcp[237] = 130, dhcp[238] = 83, dhcp[239] = 99;
        const Bytes dns{0, small(), *rc::gen::element<std::uint8_t>(1, 0x81),  0, 0, 1, 0, 0, 0, 0, 0,
                        0, 1,       *rc::gen::element<std::uint8_t>('a', 'b'), 0, 0, 1, 0, 1};
        const Bytes quic{0xE0, 0, 0, 0, 1, 1, small(), 1, small(), 2, 0, 0};
        Bytes bytes;
        switch (*rc::gen::inRange(0, 8)) {
            case 0:
                bytes = any_arp();
                break;
            case 1:
                bytes = any_datagram(53, dns);
                break;
            case 2:
                bytes = any_datagram(123, ntp);
                break;
            case 3:
                bytes = any_datagram(67, dhcp);
                break;
            case 4:
                bytes = any_datagram(443, quic);
                break;
            case 5: {
                const Bytes quoted = any_datagram(53, dns);
                bytes = any_datagram(0, {quoted.begin() + 14, quoted.begin() + 14 + 28}, ip_protocol::icmp);
                break;
            }
            default:
                bytes = any_fragment();
        }
        trace.append(i * 1'000'000LL, bytes);
    }
    return trace;
}

TEST(RulesProperty, AnySessionCanBeRepaired) {
    EXPECT_TRUE(rc::check([] {
        const Trace before = any_session();
        RepairReport report, again;
        const Trace after = repair_trace(before, report);
        RC_LOG() << "before: " << failing_rules(before) << "\nafter: " << failing_rules(after) << "\n";
        RC_ASSERT(after.size() == before.size());
        RC_ASSERT(failing_rules(after) == "");
        RC_ASSERT(same_bytes(repair_trace(after, again), after));
        if (failing_rules(before).empty()) RC_ASSERT(same_bytes(before, after));
    }));
}

TEST(RulesProperty, AnyConversationsCanBeGivenHandshakes) {
    EXPECT_TRUE(rc::check([] {
        RepairOptions options;
        options.force_handshake = true;
        check_trace_repair(options);
    }));
}

}  // namespace
}  // namespace tracebench
