// Every rule of an application layer: first bytes that pass, some that fail, and the failing ones after
// repair.

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "rules_frames.h"
#include "traffic/rules/application.h"

namespace tracebench {
namespace {

using namespace rules_test;

Bytes text(std::string_view letters) {
    return {letters.begin(), letters.end()};
}
Bytes join(Bytes a, const Bytes& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

/// A client's message to a server's port, or back. `length`: on the wire and captured, zeros at the end.
Bytes message(std::uint8_t protocol, std::uint16_t port, const Bytes& payload, bool from_server = false,
              std::size_t length = 0) {
    PacketFields f = fields(protocol);
    f.dst.port = port;
    if (from_server) std::swap(f.src, f.dst);
    f.payload = payload;
    f.payload.resize(std::max(length, payload.size()));
    f.payload_length = static_cast<std::uint32_t>(f.payload.size());
    return build_packet(f);
}
Bytes datagram(std::uint16_t port, const Bytes& payload, bool from_server = false, std::size_t length = 0) {
    return message(ip_protocol::udp, port, payload, from_server, length);
}
Bytes segment(std::uint16_t port, const Bytes& payload, bool from_server = false) {
    return message(ip_protocol::tcp, port, payload, from_server);
}

/// RFC 1035: a query for the name `a.b`, type A, class IN.
const Bytes query{0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 'a', 1, 'b', 0, 0, 1, 0, 1};
Bytes dns(const Bytes& payload, bool from_server = false) {
    return datagram(53, payload, from_server);
}

Bytes dhcp(std::size_t at, std::initializer_list<std::uint8_t> values) {
    Bytes payload(244);
    payload[0] = payload[1] = 1;
    payload[2] = 6;
    const Bytes cookie{99, 130, 83, 99, 53, 1, 1, 255};
    std::copy(cookie.begin(), cookie.end(), payload.begin() + 236);
    PacketFields f = fields(ip_protocol::udp);
    f.src.port = 68;
    f.dst.port = 67;
    f.payload = set(payload, at, values);
    f.payload_length = 244;
    return build_packet(f);
}

Bytes ntp(std::uint8_t first, std::uint8_t stratum = 0, std::size_t length = 48) {
    return datagram(123, {first, stratum}, false, length);
}

/// RFC 9000 section 17.2.2: version 1, an Initial with identifiers of 2 and 1 bytes, no token, 30 bytes.
const Bytes initial{0xC0, 0, 0, 0, 1, 2, 7, 7, 1, 9, 0, 30};
Bytes quic(const Bytes& payload, bool from_server = false, std::size_t length = 1200) {
    return datagram(443, payload, from_server, length);
}

/// RFC 8446 section 4.1.2: a ClientHello with one cipher suite and no extensions.
Bytes client_hello() {
    Bytes bytes{22, 3, 1, 0, 47, 1, 0, 0, 43, 3, 3};
    bytes.resize(43, 0x5A);  // the random number
    return join(bytes, {0, 0, 2, 0x13, 0x01, 1, 0, 0, 0});
}
Bytes server_hello() {
    Bytes bytes{22, 3, 3, 0, 44, 2, 0, 0, 40, 3, 3};
    bytes.resize(43, 0x5A);
    return join(bytes, {0, 0x13, 0x01, 0, 0, 0});
}
Bytes tls(const Bytes& payload, bool from_server = false) {
    return segment(443, payload, from_server);
}

Bytes http(std::string_view letters, bool from_server = false) {
    return segment(80, text(letters), from_server);
}

const Bytes connect{0x10, 12, 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 60, 0, 0};
Bytes mqtt(std::size_t at, std::uint8_t value) {
    return segment(1883, set(connect, at, {value}));
}

struct Example {
    std::string_view rule;
    Bytes good, bad;
};
void PrintTo(const Example& example, std::ostream* out) {
    *out << example.rule;
}

std::vector<Example> examples() {
    const Bytes client = client_hello(), server = server_hello();
    Bytes long_name = query;
    long_name.insert(long_name.begin() + 12, 4 * 64, 63);  // four labels of 63 bytes
    return {
        {"dns.header", dns(query), dns(Bytes(query.begin(), query.begin() + 11))},
        {"dns.opcode", dns(query), dns(set(query, 2, {0x19}))},
        {"dns.opcode", dns(set(query, 2, {0x30})), dns(set(query, 2, {0x38}))},
        {"dns.direction", dns(query), dns(set(query, 2, {0x81}))},
        {"dns.direction", dns(set(query, 2, {0x81}), true), dns(query, true)},
        {"dns.reserved", dns(set(query, 3, {0x30})), dns(set(query, 3, {0x40}))},
        {"dns.response_code", dns(query), dns(set(query, 3, {3}))},
        {"dns.response_code", dns(set(query, 2, {0x81, 3}), true), dns(set(query, 2, {0x81, 12}), true)},
        {"dns.question_count", dns(query), dns(set(query, 5, {2}))},
        {"dns.counts", dns(query), dns(set(query, 7, {1}))},
        {"dns.counts", dns(set(query, 4, {0, 0})), dns(set(query, 6, {1, 0}))},
        {"dns.name", dns(query), dns(set(query, 12, {64}))},
        {"dns.name", dns(query), dns(set(query, 12, {9}))},
        {"dns.name", dns(query), dns(set(query, 12, {0xC0, 12}))},
        {"dns.name", dns(query), dns(long_name)},
        {"dhcp.header", dhcp(0, {1}), datagram(67, {1, 1, 6, 0}, false, 239)},
        {"dhcp.operation", dhcp(0, {1}), dhcp(0, {3})},
        {"dhcp.direction", dhcp(0, {1}), dhcp(0, {2})},
        {"dhcp.hardware_length", dhcp(2, {6}), dhcp(2, {16})},
        {"dhcp.hops", dhcp(3, {16}), dhcp(3, {17})},
        {"dhcp.cookie", dhcp(236, {99}), dhcp(236, {98})},
        {"ntp.header", ntp(0x23), ntp(0x23, 0, 47)},
        {"ntp.version", ntp(0x23), ntp(0x2B)},
        {"ntp.version", ntp(0x0B), ntp(0x03)},
        {"ntp.mode", ntp(0x23), ntp(0x20)},
        {"ntp.stratum", ntp(0x24, 16), ntp(0x24, 17)},
        {"quic.header", quic(initial), quic(set(initial, 8, {20}), false, 28)},
        {"quic.fixed_bit", quic(initial), quic(set(initial, 0, {0x80}))},
        {"quic.connection_ids", quic(initial), quic(set(initial, 5, {21}))},
        {"quic.connection_ids", quic(initial), quic(set(initial, 8, {21}))},
        {"quic.server_token", quic(initial, true, 60), quic(set(initial, 10, {1}), true)},
        {"quic.initial_size", quic(initial), quic(initial, false, 1199)},
        // Version 2 numbers its types otherwise (RFC 9369 section 3.2): 0xC0 is a Retry there.
        {"quic.initial_size", quic(set(initial, 0, {0xD0, 0x6B, 0x33, 0x43, 0xCF})),
         quic(set(initial, 0, {0xD0, 0x6B, 0x33, 0x43, 0xCF}), false, 1199)},
        {"quic.length", quic(initial, true, 42), quic(initial, true, 41)},
        {"quic.length", quic(initial), quic(set(initial, 10, {0x7F, 0xFF}))},
        {"tls.record_version", tls(client), tls(set(client, 2, {4}))},
        {"tls.record_length", tls(client), tls(set(client, 3, {0, 0}))},
        {"tls.record_length", tls(set(client, 3, {0x40, 0})), tls(set(client, 3, {0x40, 1}))},
        {"tls.direction", tls(client), tls(client, true)},
        {"tls.direction", tls(server, true), tls(server)},
        {"tls.hello_length", tls(client), tls(set(client, 8, {40}))},
        {"tls.hello_length", tls(server, true), tls(set(server, 8, {37}), true)},
        {"tls.hello_version", tls(client), tls(set(client, 10, {4}))},
        {"tls.hello_version", tls(client), tls(set(client, 9, {2}))},
        {"tls.session_id", tls(client), tls(set(client, 43, {33}))},
        {"tls.cipher_suites", tls(client), tls(set(client, 45, {3}))},
        {"tls.cipher_suites", tls(client), tls(set(client, 44, {0, 0}))},
        {"tls.cipher_suites", tls(client), tls(set(client, 44, {1, 0}))},
        {"tls.compression", tls(client), tls(set(client, 49, {1}))},
        {"tls.compression", tls(server, true), tls(set(server, 46, {2}), true)},
        {"http.line_end", http("GET / HTTP/1.1\r\n"), http("GET / HTTP/1.1\n")},
        {"http.request_line", http("GET / HTTP/1.1\r\n"), http("GET / HTTP\r\n")},
        {"http.request_line", http("GET / HTTP/1.0\r\n"), http("GET HTTP/1.1\r\n")},
        {"http.request_target", http("GET /a%20b HTTP/1.1\r\n"), http("GET /a b HTTP/1.1\r\n")},
        {"http.status_line", http("HTTP/1.1 200 OK\r\n", true), http("HTTP/1.1 20 OK\r\n", true)},
        {"http.status_line", http("HTTP/1.1 204\r\n", true), http("HTTP/1.1 2040\r\n", true)},
        {"http.status_code", http("HTTP/1.1 599 \r\n", true), http("HTTP/1.1 600 \r\n", true)},
        {"http.version", http("GET / HTTP/1.0\r\n"), http("GET / HTTP/0.9\r\n")},
        {"http.version", http("HTTP/1.1 200 OK\r\n", true), http("HTTP/2.0 200 OK\r\n", true)},
        {"http.direction", http("HTTP/1.1 200 OK\r\n", true), http("HTTP/1.1 200 OK\r\n")},
        {"http.direction", http("GET / HTTP/1.1\r\n"), http("GET / HTTP/1.1\r\n", true)},
        {"mqtt.reserved_flags", mqtt(0, 0x10), mqtt(0, 0x12)},
        {"mqtt.remaining_length", mqtt(1, 12), mqtt(1, 11)},
        {"mqtt.protocol_level", mqtt(8, 5), mqtt(8, 3)},
        {"mqtt.connect_flags", mqtt(9, 0x2C), mqtt(9, 0x03)},
        {"mqtt.connect_flags", mqtt(9, 0x14), mqtt(9, 0x1C)},
        {"mqtt.connect_flags", mqtt(9, 0x02), mqtt(9, 0x20)},
        {"mqtt.direction", segment(1883, connect), segment(1883, connect, true)},
    };
}

Verdict verdict(std::string_view rule, const Bytes& bytes, std::size_t captured = SIZE_MAX) {
    MutablePacket packet = whole(bytes);
    packet.bytes.resize(std::min(captured, bytes.size()));
    return check_rule(*find_rule(rule), read_rule_packet(packet.view()));
}

class ApplicationRule : public testing::TestWithParam<Example> {};

TEST_P(ApplicationRule, PassesTheLegalMessageAndFailsTheOther) {
    ASSERT_NE(find_rule(GetParam().rule), nullptr);
    EXPECT_EQ(verdict(GetParam().rule, GetParam().good), Verdict::passed);
    EXPECT_EQ(verdict(GetParam().rule, GetParam().bad), Verdict::failed);
    EXPECT_EQ(failing_rules(whole(GetParam().good)), "");
}

TEST_P(ApplicationRule, RepairMakesTheMessageLegal) {
    MutablePacket packet = whole(GetParam().bad);
    RepairReport report;
    repair_packet(packet, report);
    EXPECT_EQ(failing_rules(packet), "");
    EXPECT_GE(report.repaired[std::string(GetParam().rule)], 1U);
}

TEST_P(ApplicationRule, PayloadThatWasCutOrBlankedIsNotChecked) {
    const std::size_t headers = GetParam().bad[ip_at + 9] == ip_protocol::udp ? 42 : 54;
    EXPECT_EQ(verdict(GetParam().rule, GetParam().bad, headers), Verdict::not_checkable);
    Bytes blank = GetParam().bad;
    std::fill(blank.begin() + static_cast<std::ptrdiff_t>(headers), blank.end(), std::uint8_t{0});
    EXPECT_EQ(verdict(GetParam().rule, blank), Verdict::not_checkable);
}

std::string example_name(const testing::TestParamInfo<Example>& example) {
    std::string name = std::to_string(example.index) + "_" + std::string(example.param.rule);
    std::replace(name.begin(), name.end(), '.', '_');
    return name;
}
INSTANTIATE_TEST_SUITE_P(Table, ApplicationRule, testing::ValuesIn(examples()), example_name);

TEST(ApplicationRules, EveryRuleHasAnExample) {
    std::set<std::string_view> shown;
    for (const Example& example : examples()) shown.insert(example.rule);
    for (const Rule& rule : rule_table())
        EXPECT_TRUE(!rule.check_packet || !is_application(rule.layer) || shown.count(rule.id)) << rule.id;
}

TEST(ApplicationRules, OtherBytesOnTheSamePortsAreLeftAlone) {
    const Bytes other{0x90, 0x60, 1, 2,  3,  4,  5,  6,
                      7,    8,    9, 10, 11, 12, 13, 14};  // RTP has the long-header bit
    EXPECT_EQ(verdict("quic.fixed_bit", datagram(443, other)), Verdict::not_applicable);
    EXPECT_EQ(verdict("tls.record_version", segment(443, other)), Verdict::not_applicable);
    EXPECT_EQ(verdict("tls.record_version", tls({23, 3, 9, 0, 1, 1})), Verdict::not_applicable);
    EXPECT_EQ(verdict("http.request_line", segment(80, other)), Verdict::not_applicable);
    EXPECT_EQ(verdict("mqtt.reserved_flags", segment(1883, other)), Verdict::not_applicable);
    EXPECT_EQ(verdict("ntp.version", ntp(0x3E)), Verdict::not_applicable);  // a control message
    EXPECT_EQ(verdict("dns.opcode", datagram(54, query)), Verdict::not_applicable);
    EXPECT_EQ(verdict("dns.opcode", dns({})), Verdict::not_applicable);
}

TEST(ApplicationRules, ALineThatGoesOnInTheNextSegmentIsNotChecked) {
    EXPECT_EQ(verdict("http.request_line", http("GET /a b")), Verdict::not_checkable);
    EXPECT_EQ(verdict("http.status_code", http("HTTP/1.1 ", true)), Verdict::not_checkable);
}

TEST(ApplicationRules, MulticastDnsHasQuestionsBothWays) {
    PacketFields f = fields(ip_protocol::udp);
    f.src.port = f.dst.port = 5353;
    f.payload = set(query, 5, {1});
    f.payload_length = static_cast<std::uint32_t>(query.size());
    EXPECT_EQ(verdict("dns.direction", build_packet(f)), Verdict::not_applicable);
    EXPECT_EQ(verdict("dns.opcode", build_packet(f)), Verdict::passed);
}

}  // namespace
}  // namespace tracebench
