// Behaviour that is no violation: counted by hand in small traces.

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "rules_frames.h"
#include "traffic/rules/checker.h"

namespace tracebench {
namespace {

using namespace rules_test;

constexpr std::uint8_t F = tcp_flag::fin, S = tcp_flag::syn, R = tcp_flag::rst, A = tcp_flag::ack;
constexpr bool client = false, server = true;

struct Segment {
    bool from;
    std::uint8_t flags;
    std::uint32_t sequence, acknowledgement, payload = 0;
    std::uint16_t window = 1000;
    Bytes options = {};
};

Trace trace_of(const std::vector<Segment>& segments) {
    Trace trace;
    std::int64_t time = 0;
    for (const Segment& s : segments) {
        PacketFields f = fields(ip_protocol::tcp);
        if (s.from == server) std::swap(f.src, f.dst);
        f.tcp_flags = s.flags;
        f.sequence = s.sequence;
        f.acknowledgement = s.acknowledgement;
        f.window = s.window;
        f.tcp_options = s.options;
        f.payload.assign(s.payload, 'x');
        f.payload_length = s.payload;
        trace.append(time += 100'000'000, build_packet(f));
    }
    return trace;
}

BehaviourCount observed(const Trace& trace, std::string_view id) {
    const ComplianceResult result = check_compliance(trace);
    return *std::find_if(result.observed.begin(), result.observed.end(),
                         [&](const BehaviourCount& entry) { return entry.behaviour->id == id; });
}
void expect_count(const Trace& trace, std::string_view id, std::uint64_t count, std::uint64_t of) {
    EXPECT_EQ(observed(trace, id).count, count) << id;
    EXPECT_EQ(observed(trace, id).of, of) << id;
}

TEST(Observed, IdsAreUniqueAndEveryBehaviourIsDescribed) {
    std::set<std::string_view> ids;
    for (const Behaviour& behaviour : behaviour_table()) {
        EXPECT_TRUE(ids.insert(behaviour.id).second) << behaviour.id;
        EXPECT_FALSE(behaviour.title.empty() || behaviour.of.empty() || behaviour.reference.empty());
    }
    const ComplianceResult nothing = check_compliance({});
    ASSERT_EQ(nothing.observed.size(), behaviour_table().size());
    for (const BehaviourCount& entry : nothing.observed) EXPECT_TRUE(std::isnan(entry.rate()));
}

TEST(Observed, SegmentsAndFlows) {
    const Trace trace = trace_of({{client, S, 100, 0},
                                  {server, S | A, 500, 101},
                                  {client, A, 101, 501},
                                  {client, A, 101, 501, 100},
                                  {client, A, 101, 501, 100},     // sent again
                                  {server, A, 501, 201, 0, 900},  // no repetition: another window
                                  {server, A, 501, 201, 0, 900},  // a duplicate
                                  {server, A, 501, 201, 0, 0},    // closed
                                  {client, A, 200, 501},          // keep-alive: one before the next
                                  {client, A | tcp_flag::urg, 201, 501},
                                  {server, A | tcp_flag::ece, 501, 201},
                                  {client, R, 201, 0}});
    expect_count(trace, "tcp.retransmission", 1, 12);
    expect_count(trace, "tcp.out_of_order", 0, 12);
    expect_count(trace, "tcp.duplicate_ack", 2,
                 12);  // and the client's with URG, which acknowledges 501 again
    expect_count(trace, "tcp.zero_window", 1, 12);
    expect_count(trace, "tcp.keep_alive", 1, 12);
    expect_count(trace, "tcp.urgent", 1, 12);
    expect_count(trace, "tcp.ecn_echo", 1, 12);
    expect_count(trace, "tcp.reset", 1, 12);
    expect_count(trace, "tcp.flow_reset", 1, 1);
    expect_count(trace, "tcp.flow_closed", 1, 1);
    expect_count(trace, "tcp.flow_midway", 0, 1);
    EXPECT_DOUBLE_EQ(observed(trace, "tcp.retransmission").rate(), 1.0 / 12);
}

TEST(Observed, AWindowIsFullWhereDataReachItsEdge) {
    const std::vector<Segment> opening{{client, S, 100, 0}, {server, S | A, 500, 101}, {client, A, 101, 501}};
    std::vector<Segment> full = opening, almost = opening;
    full.push_back({client, A, 101, 501, 1000});
    almost.push_back({client, A, 101, 501, 999});
    expect_count(trace_of(full), "tcp.window_full", 1, 4);
    expect_count(trace_of(almost), "tcp.window_full", 0, 4);
    // Without the SYNs nothing tells the scale.
    expect_count(trace_of({full.begin() + 1, full.end()}), "tcp.window_full", 0, 3);
}

const std::vector<Segment> opening{{client, S, 100, 0}, {server, S | A, 500, 101}, {client, A, 101, 501}};
std::vector<Segment> opened(const std::vector<Segment>& rest) {
    std::vector<Segment> all = opening;
    all.insert(all.end(), rest.begin(), rest.end());
    return all;
}

TEST(Observed, AWindowShrinksWhereItsEdgeGoesBack) {
    const Trace shrinks = trace_of(opened({{server, A, 501, 101, 0, 1000},
                                           {client, A, 101, 501, 100},
                                           {server, A, 501, 201, 0, 899},    // takes one byte back
                                           {server, A, 501, 101, 0, 10}}));  // late
    expect_count(shrinks, "tcp.window_shrunk", 1, 4);
    // Scaled by 8, from a SYN-ACK that is not: what division rounds off is not taken back.
    const Bytes scale{1, 3, 3, 3};
    const std::vector<Segment> scaled{{client, S, 100, 0, 0, 1000, scale},
                                      {server, S | A, 500, 101, 0, 1007, scale},
                                      {client, A, 101, 501},
                                      {server, A, 501, 101, 0, 125},
                                      {server, A, 501, 101, 0, 124}};
    expect_count(trace_of(scaled), "tcp.window_shrunk", 1, 2);
    expect_count(trace_of({scaled.begin() + 1, scaled.end()}), "tcp.window_shrunk", 0, 0);
}

TEST(Observed, ProbesOfAClosedWindow) {
    const Trace probed = trace_of(opened({{server, A, 501, 101, 0, 0},
                                          {client, A, 101, 501, 1},  // a probe
                                          {server, A, 501, 101, 0, 0},
                                          {client, A, 101, 501, 1},  // again
                                          {server, A, 501, 101, 0, 50},
                                          {client, A, 101, 501, 1}}));  // no longer closed
    expect_count(probed, "tcp.zero_window_probe", 2, 9);
}

TEST(Observed, SegmentsPastTheReceiversMss) {
    const Bytes mss{2, 4, 0, 100}, timestamps{1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 1};
    const Trace trace = trace_of({{client, S, 100, 0},
                                  {server, S | A, 500, 101, 0, 1000, mss},
                                  {client, A, 101, 501, 100},
                                  {client, A, 201, 501, 101},
                                  {client, A, 302, 501, 88, 1000, timestamps},
                                  {client, A, 390, 501, 89, 1000, timestamps},
                                  {server, A, 501, 479, 500}});  // the client said nothing
    expect_count(trace, "tcp.past_mss", 2, 4);
}

TEST(Observed, DataInASynAndAfterTheReceiversFin) {
    const Trace trace = trace_of({{client, S, 100, 0, 5},
                                  {server, S | A, 500, 106},
                                  {client, A, 106, 501, 10},
                                  {client, F | A, 116, 501},
                                  {server, A, 501, 117, 10}});
    expect_count(trace, "tcp.syn_data", 1, 2);
    expect_count(trace, "tcp.half_closed_data", 1, 3);
}

TEST(Observed, DataAfterTheReceiversReset) {
    const Trace trace = trace_of(opened(
        {{client, A, 101, 501, 10}, {server, R, 501, 0}, {client, A, 111, 501, 10}, {client, A, 121, 501}}));
    expect_count(trace, "tcp.data_after_reset", 1, 2);
}

TEST(Observed, FlowsToAddressesThatDnsHasNamed) {
    PacketFields answer = fields(ip_protocol::udp);
    std::swap(answer.src, answer.dst);
    answer.src.port = 53;
    answer.payload = {0,    1,  0x81, 0x80, 0, 1, 0, 2, 0, 0, 0, 0, 1,   'a', 0,   0, 1, 0, 1,  // asked for a
                      0xC0, 12, 0,    5,    0, 1, 0, 0, 0, 9, 0, 3, 1,   'b', 0,                // which is b
                      0xC0, 31, 0,    1,    0, 1, 0, 0, 0, 9, 0, 4, 203, 0,   113, 5};  // at 203.0.113.5
    answer.payload_length = static_cast<std::uint32_t>(answer.payload.size());
    PacketFields flow = fields(ip_protocol::tcp);
    flow.tcp_flags = S;
    flow.acknowledgement = 0;
    flow.payload.clear();
    flow.payload_length = 0;
    const auto to = [&](std::uint8_t last, std::uint16_t port) {
        flow.dst.address = {4, {203, 0, 113, last}};
        flow.src.port = port;
        return build_packet(flow);
    };
    Trace trace;
    trace.append(0, to(5, 1000));  // before it was named
    trace.append(1, build_packet(answer));
    trace.append(2, to(5, 1001));
    trace.append(3, to(5, 1001));  // the same flow
    trace.append(4, to(6, 1002));
    expect_count(trace, "dns.flow_resolved", 1, 4);
}

TEST(Observed, SourcesThatChangeTheirStation) {
    const Bytes usual = frame(ip_protocol::udp), moved = set(usual, 6, {2, 9, 9, 9, 9, 9});
    Trace trace;
    for (const Bytes& bytes : {usual, usual, moved, moved, usual, frame(ip_protocol::udp, 6)})
        trace.append(static_cast<std::int64_t>(trace.size()), bytes);
    expect_count(trace, "ip.station_changed", 2, 4);
}

TEST(Observed, HeadersOfIp) {
    const Bytes udp4 = frame(ip_protocol::udp), udp6 = frame(ip_protocol::udp, 6);
    Trace trace;
    trace.append(0, set(udp4, ip_at + 4, {0, 7, 0x40, 0}));                       // Don't Fragment
    trace.append(1, set(set(udp4, ip_at + 1, {2}), ip_at + 4, {0, 0}));           // ECT(0), identification 0
    trace.append(2, set(set(udp4, ip_at + 1, {3}), ip_at + 4, {0, 8, 0x20, 0}));  // marked, a fragment
    trace.append(3, ipv4_with_options({1, 1, 1, 0}));
    trace.append(4, set(udp4, 40, {0, 0}));  // no checksum
    trace.append(5, udp6);
    trace.append(6, ipv6(44, {17, 0, 0, 1, 0, 0, 0, 1, 0, 9, 0, 9, 0, 8, 1, 1}));
    expect_count(trace, "ip.ecn_capable", 2, 7);
    expect_count(trace, "ip.congestion_experienced", 1, 7);
    expect_count(trace, "ipv4.fragment", 1, 5);
    expect_count(trace, "ipv4.options", 1, 5);
    expect_count(trace, "ipv6.extension_header", 1, 2);
    expect_count(trace, "ipv6.fragment", 1, 2);
    expect_count(trace, "udp.no_checksum", 1, 5);
    expect_count(trace, "tcp.reset", 0, 0);
    EXPECT_GE(observed(trace, "ipv4.dont_fragment").count, 1U);
    EXPECT_GE(observed(trace, "ipv4.zero_id").count, 1U);
}

TEST(Observed, ChecksumsLeftToTheNetworkCard) {
    Bytes bytes = frame(ip_protocol::tcp);
    Trace trace;
    trace.append(0, bytes);
    store16(&bytes[50], 0xEC5E);  // of the pseudo header alone: see rules_checker_test.cpp
    trace.append(1, bytes);
    bytes.resize(60);  // cut: neither right nor wrong
    trace.append(2, bytes, 62);
    expect_count(trace, "checksum.offloaded", 1, 2);
}

TEST(Observed, CountsAreAdded) {
    const Trace trace = trace_of({{client, R, 201, 0}});
    ComplianceResult sum = check_compliance(trace);
    sum.merge(check_compliance(trace));
    const auto reset =
        std::find_if(sum.observed.begin(), sum.observed.end(),
                     [](const BehaviourCount& entry) { return entry.behaviour->id == "tcp.reset"; });
    EXPECT_EQ(reset->count, 2U);
    EXPECT_EQ(reset->of, 2U);
}

}  // namespace
}  // namespace tracebench
