// The `fields` encoding over arbitrary traffic, and over arbitrary tokens.

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>

#include "../unit/generators/ssm_fields_support.h"
#include "traffic/rules/checker.h"

namespace tracebench::ssm {
namespace {

using namespace fields_testing;
using Bytes = std::vector<std::uint8_t>;

template <typename T>
T any() {
    return *rc::gen::arbitrary<T>();
}
int up_to(int most) {
    return *rc::gen::inRange(0, most + 1);
}
bool one_in(int n) {
    return up_to(n - 1) == 0;
}

/// A conversation that goes on somehow: mostly in order, often not.
struct Talk {
    PacketFields fields[2];
    std::uint32_t next[2], clock[2];
    Bytes options;
};

Bytes some_options() {
    switch (up_to(7)) {
        case 0:
            return {};
        case 1:
            return {2, 4, 5, 0xB4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7};
        case 2:
            return {1, 1, 5, 10, 0, 0, 0, 1, 0, 0, 0, 9};
        case 3:
            return {34, 2, 1, 1};
        case 4:
            return {3, 3, 14, 0};
        case 5: {
            Bytes unknown{253, static_cast<std::uint8_t>(2 + up_to(38))};
            unknown.resize(unknown[1], any<std::uint8_t>());
            return unknown;
        }
        case 6:
            return {4, 2, 0, 0, 0, 0, 0, 0};
        default:
            return {1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2};
    }
}

IpAddress some_address(bool v6) {
    if (v6) {
        IpAddress address{6, {0xFE, 0x80}};
        if (one_in(2)) address.bytes[0] = 0x20;
        if (one_in(6)) {
            address.bytes[0] = 0xFF;
            address.bytes[1] = any<std::uint8_t>();  // flags and scope
        }
        address.bytes[15] = static_cast<std::uint8_t>(up_to(3));
        return address;
    }
    const auto last = static_cast<std::uint8_t>(up_to(3));
    return *rc::gen::element(IpAddress{4, {10, 0, 0, last}}, IpAddress{4, {192, 168, 1, last}},
                             IpAddress{4, {8, 8, 4, last}}, IpAddress{4, {224, 0, 0, last}},
                             IpAddress{4, {255, 255, 255, 255}}, IpAddress{4, {0, 0, 0, 0}});
}

Talk some_talk() {
    Talk talk;
    const bool v6 = any<bool>();
    PacketFields f;
    f.protocol = *rc::gen::element(ip_protocol::tcp, ip_protocol::tcp, ip_protocol::udp,
                                   v6 ? ip_protocol::icmpv6 : ip_protocol::icmp);
    f.src = {some_address(v6), *rc::gen::element<std::uint16_t>(0, 53, 443, 1025, 40000, 50000, 65535)};
    f.dst = {some_address(v6), *rc::gen::element<std::uint16_t>(0, 53, 443, 5353, 40000, 50001)};
    f.ttl = any<std::uint8_t>();
    f.ip_id = any<std::uint16_t>();
    talk.fields[0] = talk.fields[1] = f;
    std::swap(talk.fields[1].src, talk.fields[1].dst);
    for (const std::size_t d : {0, 1}) {
        talk.next[d] = any<std::uint32_t>();
        talk.clock[d] = any<std::uint32_t>();
    }
    talk.options = some_options();
    return talk;
}

/// The next frame of it.
Bytes frame_of(Talk& talk) {
    const auto d = static_cast<std::size_t>(up_to(1));
    PacketFields f = talk.fields[d];
    talk.fields[d].ip_id = static_cast<std::uint16_t>(f.ip_id + up_to(2));
    f.payload_length = static_cast<std::uint32_t>(
        *rc::gen::element(0, 0, 1, 12, 63, 64, 100, 1448, 1460, 1400, 2920, 8000, up_to(3000)));
    f.payload.resize(std::min(f.payload_length, 24U), static_cast<std::uint8_t>(up_to(2)));
    for (std::uint8_t& byte : f.payload)
        if (one_in(4)) byte = any<std::uint8_t>();
    f.tcp_flags = *rc::gen::element<std::uint8_t>(2, 0x12, 0x10, 0x10, 0x18, 0x18, 0x11, 4, 0x14, 0x29, 0);
    f.sequence = talk.next[d];
    f.acknowledgement = talk.next[1 - d];
    if (one_in(5)) f.sequence -= static_cast<std::uint32_t>(up_to(5000));  // sent again
    if (one_in(9)) f.sequence = any<std::uint32_t>();
    if (one_in(5)) f.acknowledgement -= static_cast<std::uint32_t>(up_to(5000));
    if (one_in(9)) f.acknowledgement = any<std::uint32_t>();
    talk.next[d] = f.sequence + f.payload_length;
    if (one_in(3)) f.window = static_cast<std::uint16_t>(f.window - up_to(200));
    if (one_in(9)) f.window = any<std::uint16_t>();
    if (one_in(9)) f.urgent_pointer = any<std::uint16_t>();
    if (one_in(9)) f.tcp_reserved = static_cast<std::uint8_t>(up_to(15));
    if (one_in(9)) f.ttl = any<std::uint8_t>();
    if (one_in(9)) f.tos = any<std::uint8_t>();
    if (one_in(9)) f.ip_id = *rc::gen::element<std::uint16_t>(0, 1, 0xFFFF, any<std::uint16_t>());
    if (one_in(9)) f.dont_fragment = false;
    if (one_in(4)) f.flow_label = *rc::gen::element<std::uint32_t>(0, 1, 0xFFFFF);
    if (one_in(9)) f.src_mac = any<std::array<std::uint8_t, 6>>();
    f.tcp_options = one_in(4) ? some_options() : talk.options;
    if (f.tcp_options.size() == 12 && f.tcp_options[2] == 8) {  // a clock that goes on
        store32(&f.tcp_options[4], talk.clock[d] += static_cast<std::uint32_t>(up_to(300)));
        store32(&f.tcp_options[8], talk.clock[1 - d]);
    }
    f.icmp_type = *rc::gen::element<std::uint8_t>(0, 3, 8, 11, 13, 128, 129, 135, 143, 255);
    f.icmp_code = static_cast<std::uint8_t>(up_to(4));
    f.icmp_rest = one_in(2) ? talk.next[d] : any<std::uint32_t>();
    Bytes frame = build_packet(f);
    if (one_in(4)) frame.resize(std::max<std::size_t>(frame.size(), 60));
    if (one_in(9)) frame.resize(frame.size() + static_cast<std::size_t>(up_to(300)));
    // Headers that nobody should send: they are left out, or come back as they are.
    if (one_in(12)) frame[static_cast<std::size_t>(12 + up_to(41))] = any<std::uint8_t>();
    return frame;
}

Trace some_trace(int packets, std::size_t snap) {
    std::vector<Talk> talks;
    const int count = 1 + up_to(4);
    for (int i = 0; i < count; ++i) talks.push_back(some_talk());
    Trace trace;
    std::int64_t time = *rc::gen::element<std::int64_t>(0, 1, 1'700'000'000'000'000'000);
    for (int i = 0; i < packets; ++i) {
        time += *rc::gen::element<std::int64_t>(0, 0, 1, up_to(2000), up_to(5'000'000), 1'000'000'000,
                                                59'900'000'000, 61'000'000'000, 400'000'000'000);
        Bytes frame = frame_of(talks[static_cast<std::size_t>(up_to(count - 1))]);
        const auto length = static_cast<std::uint32_t>(frame.size());
        frame.resize(std::min(frame.size(), snap));
        trace.append(time, frame, length);
    }
    return trace;
}

std::size_t some_snap() {
    return *rc::gen::element<std::size_t>(60, 96, 128, 70'000);
}

TEST(FieldsProperty, TokensAndIdentitiesGiveBackAnyTraffic) {
    const FieldsEncoding encoding({"any"});
    EXPECT_TRUE(rc::check("lossless but for what is left out, which is counted", [&] {
        const Trace trace = some_trace(up_to(60), some_snap());
        expect_lossless(encoding, trace);
        RC_ASSERT(!::testing::Test::HasFailure());
    }));
}

// Well-formed Ethernet, IP and transport headers are all within what can be said.
TEST(FieldsProperty, LittleIsLeftOut) {
    const FieldsEncoding encoding({"any"});
    std::uint64_t packets = 0, left_out = 0;
    EXPECT_TRUE(rc::check("a fraction of packets, most of them damaged", [&] {
        const Trace trace = some_trace(40, 128);
        EncodeReport report;
        encoding.encode("any", trace, report);
        packets += trace.size();
        left_out += report.left_out;
    }));
    EXPECT_GT(packets, 1000U);
    EXPECT_LT(static_cast<double>(left_out), 0.2 * static_cast<double>(packets));
}

// Constrained decoding of whatever traffic's tokens: what is allowed of them, and where one is not, a step of
// a random walk.
TEST(FieldsProperty, WhatConstraintsAllowIsLegal) {
    const FieldsEncoding encoding({"any"});
    EXPECT_TRUE(rc::check("every packet passes every rule, and there is always a way on", [&] {
        EncodeReport report;
        const FieldsTranscript transcript =
            encoding.transcribe("any", some_trace(up_to(40), some_snap()), report);
        const auto decoder =
            encoding.decoder({.label = "any", .seed = any<std::uint32_t>(), .continuous = true});
        RandomWalk walk(encoding, *decoder, any<std::uint32_t>());
        for (std::size_t i = 1; i + 1 < transcript.tokens.size(); ++i) {
            const Token token = transcript.tokens[i];
            const auto taken = decoder->allowed(token) ? std::optional(token) : walk.choose();
            RC_ASSERT(taken.has_value());
            decoder->accept(*taken);
        }
        walk.go(100);
        const Trace trace = packets_of(*decoder);
        for (const RuleResult& rule : check_compliance(trace).rules)
            if (rule.failed > 0) RC_FAIL(std::string(rule.rule->id));
    }));
}

TEST(FieldsProperty, AnyAllowedTokensDecode) {
    const FieldsEncoding encoding({"any", "other"}, 96);
    EXPECT_TRUE(rc::check("without constraints, whatever follows", [&] {
        const auto decoder = encoding.decoder(
            {.label = "other", .seed = any<std::uint32_t>(), .constrained = false, .continuous = true});
        RandomWalk(encoding, *decoder, any<std::uint32_t>()).go(up_to(2000));
        const Trace trace = packets_of(*decoder);
        RC_ASSERT(trace.size() == decoder->packets());
        for (const PacketView& packet : trace.packets) {
            RC_ASSERT(packet.bytes.size() <= 96U);
            RC_ASSERT(packet.original_length >= packet.bytes.size());
        }
    }));
}

}  // namespace
}  // namespace tracebench::ssm
