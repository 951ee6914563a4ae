// Answers over UDP: DNS, NTP, QUIC. For each rule an answer that passes, one that fails and its repair, and
// what cannot be checked.

#include <gtest/gtest.h>

#include <algorithm>

#include "rules_frames.h"
#include "rules_verdicts.h"
#include "traffic/rules/checker.h"

namespace tracebench {
namespace {

using namespace rules_test;

struct Datagram {
    bool from_server;
    Bytes payload;
};

Bytes datagram(const Datagram& d, std::uint16_t port) {
    PacketFields f = fields(ip_protocol::udp);
    f.dst.port = port;
    if (d.from_server) std::swap(f.src, f.dst);
    f.payload = d.payload;
    f.payload_length = static_cast<std::uint32_t>(d.payload.size());
    return build_packet(f);
}
Trace exchange(std::uint16_t port, const std::vector<Datagram>& datagrams) {
    Trace trace;
    std::int64_t time = 0;
    for (const Datagram& d : datagrams) trace.append(time += 1'000'000, datagram(d, port));
    return trace;
}

void expect_verdicts(const Trace& trace, std::string_view rule, std::uint64_t checked, std::uint64_t failed,
                     std::uint64_t not_checkable) {
    const RuleResult result = result_of(trace, rule);
    EXPECT_EQ(result.checked, checked) << rule;
    EXPECT_EQ(result.failed, failed) << rule;
    EXPECT_EQ(result.not_checkable, not_checkable) << rule;
}
Trace repaired(const Trace& trace) {
    RepairReport report;
    return repair_trace(trace, report);
}

/// A query or response for the address of `name`, one label.
Bytes dns(std::uint16_t identifier, bool response, std::string_view name) {
    Bytes message{static_cast<std::uint8_t>(identifier >> 8),
                  static_cast<std::uint8_t>(identifier),
                  static_cast<std::uint8_t>(response ? 0x81 : 0x01),
                  static_cast<std::uint8_t>(response ? 0x80 : 0x00),
                  0,
                  1,
                  0,
                  0,
                  0,
                  0,
                  0,
                  0,
                  static_cast<std::uint8_t>(name.size())};
    message.insert(message.end(), name.begin(), name.end());
    message.insert(message.end(), {0, 0, 1, 0, 1});
    return message;
}
constexpr std::string_view dns_rule = "dns.flow.response";

TEST(Answers, OfDnsHaveIdentifierAndQuestionOfAQuery) {
    const Datagram query{false, dns(0x1234, false, "example")}, other{false, dns(0x4321, false, "test")};
    expect_verdicts(exchange(53, {query, other, {true, dns(0x1234, true, "example")}}), dns_rule, 1, 0, 0);
    expect_verdicts(exchange(53, {query, {true, dns(0x1234, true, "EXAMPLE")}}), dns_rule, 1, 0, 0);
    const Trace wrong_id = exchange(53, {other, query, {true, dns(0x1235, true, "test")}}),
                wrong_name = exchange(53, {query, other, {true, dns(0x1234, true, "nobody")}}),
                swapped = exchange(53, {query, other, {true, dns(0x4321, true, "example")}});
    for (const Trace* trace : {&wrong_id, &wrong_name, &swapped}) {
        expect_verdicts(*trace, dns_rule, 1, 1, 0);
        EXPECT_EQ(failures(repaired(*trace)), "");
    }
    // The identifier of the query with the same question; without one the payload goes.
    const Trace mended = repaired(wrong_id), blanked = repaired(wrong_name);
    EXPECT_EQ(load16(&mended.packets[2].bytes[42]), 0x4321);
    EXPECT_EQ(load32(&blanked.packets[2].bytes[42]), 0U);
}

TEST(Answers, OfDnsAreNotBlamedForWhatWasNotCaptured) {
    expect_verdicts(exchange(53, {{true, dns(1, true, "example")}}), dns_rule, 0, 0, 1);
    // Cut after the header: the identifier alone tells.
    for (const std::uint16_t identifier : {7, 8}) {
        Trace cut = exchange(53, {{false, dns(7, false, "example")}});
        const Bytes response = datagram({true, dns(identifier, true, "test")}, 53);
        cut.append(9'000'000, std::span(response).first(42 + 12),
                   static_cast<std::uint32_t>(response.size()));
        expect_verdicts(cut, dns_rule, 1, identifier == 7 ? 0 : 1, 0);
    }
    // More queries than are remembered.
    std::vector<Datagram> many;
    for (std::uint16_t i = 0; i < 40; ++i) many.push_back({false, dns(i, false, "example")});
    many.push_back({true, dns(3, true, "example")});
    expect_verdicts(exchange(53, many), dns_rule, 0, 0, 1);
    // Multicast DNS does not answer by identifier.
    expect_verdicts(exchange(5353, {{false, dns(1, false, "a")}, {true, dns(2, true, "a")}}), dns_rule, 0, 0,
                    0);
}

Bytes ntp(std::uint8_t mode, std::uint32_t origin, std::uint32_t transmitted) {
    Bytes message(48);
    message[0] = static_cast<std::uint8_t>(4 << 3 | mode);
    message[1] = 2;
    store32(&message[28], origin);
    store32(&message[44], transmitted);
    return message;
}

TEST(Answers, OfNtpHaveTheRequestsTimeAsOrigin) {
    constexpr std::string_view rule = "ntp.flow.origin";
    const Datagram request{false, ntp(3, 0, 77)};
    expect_verdicts(exchange(123, {request, {true, ntp(4, 77, 90)}}), rule, 1, 0, 0);
    expect_verdicts(exchange(123, {{true, ntp(4, 77, 90)}}), rule, 0, 0, 1);
    expect_verdicts(exchange(123, {request, {true, ntp(5, 0, 90)}}), rule, 0, 0, 0);  // a broadcast
    const Trace wrong = exchange(123, {request, {true, ntp(4, 78, 90)}});
    expect_verdicts(wrong, rule, 1, 1, 0);
    const Trace mended = repaired(wrong);
    EXPECT_EQ(failures(mended), "");
    EXPECT_EQ(load32(&mended.packets[1].bytes[42 + 28]), 77U);
}

/// A Handshake packet of version 1 with connection identifiers of one byte.
Bytes quic(std::uint8_t destination, std::uint8_t source) {
    Bytes message{0xE0, 0, 0, 0, 1, 1, destination, 1, source, 20};
    message.resize(30, 0x55);
    return message;
}

TEST(Answers, OfQuicGoToTheClientsConnectionIdentifier) {
    constexpr std::string_view rule = "quic.flow.destination_id";
    const Datagram hello{false, quic(200, 7)};
    expect_verdicts(exchange(443, {hello, {true, quic(7, 99)}, {false, quic(99, 7)}}), rule, 1, 0, 0);
    expect_verdicts(exchange(443, {{true, quic(7, 99)}}), rule, 0, 0, 1);
    const Trace wrong = exchange(443, {hello, {true, quic(8, 99)}});
    expect_verdicts(wrong, rule, 1, 1, 0);
    EXPECT_EQ(failures(repaired(wrong)), "");
}

}  // namespace
}  // namespace tracebench
