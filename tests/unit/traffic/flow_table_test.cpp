#include "traffic/flow_table.h"

#include <gtest/gtest.h>

#include "frames.h"
#include "traffic/flow_split.h"
#include "traffic/trace.h"

namespace tracebench {
namespace {

using namespace test;

constexpr std::int64_t second = 1'000'000'000;
constexpr std::uint32_t a = 0xC0000201, b = 0xC0000202;

Octets udp_frame(std::uint16_t src, std::uint16_t dst, bool back = false) {
    return ethernet(0x0800,
                    ipv4(17, udp(back ? dst : src, back ? src : dst), 0, {}, back ? b : a, back ? a : b));
}
Octets tcp_frame(bool back, std::uint32_t seq, std::uint32_t ack, std::uint8_t flags,
                 std::size_t payload = 0) {
    return ethernet(0x0800, ipv4(6, tcp(back ? 80 : 5000, back ? 5000 : 80, seq, ack, flags, payload), 0, {},
                                 back ? b : a, back ? a : b));
}

/// Collects flows as they end.
struct Table {
    std::vector<Flow> ended;
    FlowTable table;

    explicit Table(FlowOptions options = {})
        : table(options, [this](const Flow& flow) { ended.push_back(flow); }) {}
    std::optional<FlowTable::Placed> add(const Octets& bytes, std::int64_t time_ns) {
        const PacketView packet = view(bytes, link_type::ethernet, time_ns);
        return table.add(packet, dissect(packet));
    }
};

TEST(FlowTable, CountsBothDirections) {
    Table t;
    const Octets request = udp_frame(5000, 53), answer = udp_frame(5000, 53, true);
    const auto first = t.add(answer, 10 * second);
    const auto second_packet = t.add(request, 11 * second);
    t.add(request, 12 * second);
    ASSERT_TRUE(first && second_packet);
    EXPECT_TRUE(first->first);
    EXPECT_EQ(first->direction, Direction::forward);
    EXPECT_FALSE(second_packet->first);
    EXPECT_EQ(second_packet->direction, Direction::reverse);
    EXPECT_TRUE(t.ended.empty());
    t.table.finish();
    ASSERT_EQ(t.ended.size(), 1u);
    const Flow& flow = t.ended[0];
    EXPECT_EQ(flow.src.text(), "192.0.2.2:53") << "who sent the first packet";
    EXPECT_EQ(flow.dst.text(), "192.0.2.1:5000");
    EXPECT_EQ(flow.packets[0], 1u);
    EXPECT_EQ(flow.packets[1], 2u);
    EXPECT_EQ(flow.bytes[1], 2 * request.size());
    EXPECT_EQ(flow.first_ns, 10 * second);
    EXPECT_EQ(flow.last_ns, 12 * second);
    EXPECT_EQ(flow.key.flow_id(), "UDP|192.0.2.1|5000|192.0.2.2|53");
    t.table.finish();
    EXPECT_EQ(t.ended.size(), 1u) << "finish() twice gives nothing more";
}

TEST(FlowTable, KeyIsThatOfFlowOf) {
    const std::vector<Octets> frames = {
        udp_frame(5000, 53),
        udp_frame(5000, 53, true),
        ethernet(0x86DD, ipv6(17, udp(9, 7))),
        ethernet(0x8100, hex("0005 0800") + ipv4(1, hex("0800 0000 0001 0001"))),
        ethernet(0x0800, ipv4(17, udp(5000, 53), 0x0001)),
        ethernet(0x0800, ipv4(6, tcp(7, 7, 1, 1, 16), 0, {}, a, a))};
    for (const Octets& bytes : frames) {
        Table t;
        t.add(bytes, 0);
        t.table.finish();
        const PacketFlow expected = flow_of(dissect(view(bytes)));
        EXPECT_EQ(t.ended.at(0).key, expected.key);
        EXPECT_EQ(t.ended.at(0).src, expected.from_high ? expected.key.high : expected.key.low);
    }
}

TEST(FlowTable, IgnoresPacketsWithoutIp) {
    Table t;
    EXPECT_FALSE(t.add(ethernet(0x0806, Octets(28, 0)), 0));
    t.table.finish();
    EXPECT_TRUE(t.ended.empty());
}

TEST(FlowTable, SplitsAfterTheIdleTimeOnly) {
    Table t;
    t.add(udp_frame(1, 2), 0);
    t.add(udp_frame(1, 2), 60 * second);       // exactly the limit: still the same
    t.add(udp_frame(1, 2), 120 * second + 1);  // one nanosecond more
    ASSERT_EQ(t.ended.size(), 1u);
    EXPECT_EQ(t.ended[0].packets[0], 2u);
    t.add(tcp_frame(false, 1, 1, tcp_flag::ack), 0);
    t.add(tcp_frame(false, 1, 1, tcp_flag::ack), 300 * second);
    EXPECT_EQ(t.ended.size(), 1u);
    t.add(tcp_frame(false, 1, 1, tcp_flag::ack), 601 * second);
    EXPECT_EQ(t.ended.size(), 2u);
}

TEST(FlowTable, AnEarlierTimeDoesNotSplit) {
    Table t;
    t.add(udp_frame(1, 2), 1000 * second);
    t.add(udp_frame(1, 2), 0);
    t.add(udp_frame(1, 2), 1001 * second);
    t.table.finish();
    ASSERT_EQ(t.ended.size(), 1u);
    EXPECT_EQ(t.ended[0].last_ns, 1001 * second);
}

TEST(FlowTable, KeepsVlansAndProtocolsApart) {
    Table t;
    t.add(udp_frame(1, 2), 0);
    t.add(ethernet(0x8100, hex("0005 0800") + ipv4(17, udp(1, 2))), 0);
    t.add(ethernet(0x0800, ipv4(6, tcp(1, 2, 1, 1, tcp_flag::ack))), 0);
    t.table.finish();
    EXPECT_EQ(t.ended.size(), 3u);
}

TEST(FlowTable, LaterFragmentsAreTheFlowWithoutPorts) {
    Table t;
    t.add(ethernet(0x0800, ipv4(17, udp(1, 2), 0x2000)), 0);
    t.add(ethernet(0x0800, ipv4(17, udp(1, 2), 0x0001)), 0);
    t.table.finish();
    ASSERT_EQ(t.ended.size(), 2u);
    EXPECT_EQ(t.ended[0].key.flow_id(), "UDP|192.0.2.1|1|192.0.2.2|2");
    EXPECT_EQ(t.ended[1].key.flow_id(), "UDP|192.0.2.1|0|192.0.2.2|0");
}

TEST(FlowTable, ANewSynBeginsAnotherFlow) {
    Table t;
    using namespace tcp_flag;
    t.add(tcp_frame(false, 100, 0, syn), 0);
    t.add(tcp_frame(false, 100, 0, syn), 1);  // retransmitted
    t.add(tcp_frame(true, 900, 101, syn | ack), 2);
    t.add(tcp_frame(false, 101, 901, ack), 3'000'002);
    t.add(tcp_frame(false, 101, 901, rst), 4);
    EXPECT_TRUE(t.ended.empty());
    const auto placed = t.add(tcp_frame(false, 777, 0, syn), 5);
    ASSERT_EQ(t.ended.size(), 1u);
    EXPECT_TRUE(placed->first);
    EXPECT_EQ(placed->flow, 1u);
    const Flow& flow = t.ended[0];
    EXPECT_EQ(flow.packets[0], 4u);
    EXPECT_TRUE(flow.handshake);
    EXPECT_TRUE(flow.closed);
    EXPECT_EQ(flow.retransmissions, 1u);
    EXPECT_EQ(flow.tcp_flags[0], syn | ack | rst);
    EXPECT_EQ(flow.tcp_flags[1], syn | ack);
    ASSERT_TRUE(flow.rtt_ms);
    EXPECT_DOUBLE_EQ(*flow.rtt_ms, 3.000001) << "from the second SYN";
}

TEST(FlowTable, EvictsTheFlowIdleLongest) {
    FlowOptions options;
    options.max_live = 3;
    Table t(options);
    for (std::uint16_t port = 1; port <= 3; ++port) t.add(udp_frame(port, 9), port);
    t.add(udp_frame(1, 9), 4);   // flow 0 is fresh again
    t.add(udp_frame(50, 9), 5);  // flow 1 goes
    t.add(udp_frame(51, 9), 6);  // flow 2 goes
    ASSERT_EQ(t.ended.size(), 2u);
    EXPECT_EQ(t.ended[0].number, 1u);
    EXPECT_EQ(t.ended[1].number, 2u);
    EXPECT_EQ(t.table.evicted(), 2u);
    t.add(udp_frame(52, 9), 100 * second);  // flow 0 was over anyway
    EXPECT_EQ(t.ended.back().number, 0u);
    EXPECT_EQ(t.table.evicted(), 2u);
}

TEST(FlowTable, HoldsManyFlowsThroughGrowthAndEviction) {
    // Every packet is counted once, whatever ends when: an index that loses or doubles entries would show.
    for (const std::size_t max_live : {7UL, 100UL, 1'000'000UL}) {
        FlowOptions options;
        options.max_live = max_live;
        Table t(options);
        std::uint64_t added = 0;
        for (std::int64_t i = 0; i < 30'000; ++i) {
            t.add(udp_frame(static_cast<std::uint16_t>(1 + i * i % 5003), 9, i % 3 == 0), i * 1'000'000);
            ++added;
        }
        t.table.finish();
        std::uint64_t counted = 0;
        std::vector<bool> seen(t.ended.size());
        for (const Flow& flow : t.ended) {
            counted += flow.packets[0] + flow.packets[1];
            ASSERT_LT(flow.number, seen.size());
            EXPECT_FALSE(seen[flow.number]);
            seen[flow.number] = true;
        }
        EXPECT_EQ(counted, added);
        if (max_live == 1'000'000) {
            EXPECT_EQ(t.ended.size(), 2502u) << "squares modulo the prime 5003";
        }
    }
}

TEST(SplitFlows, ListsPacketsInOrder) {
    Trace trace;
    trace.append(0, udp_frame(1, 2));
    trace.append(1, ethernet(0x0806, Octets(28, 0)));
    trace.append(2, udp_frame(3, 4));
    trace.append(3, udp_frame(1, 2, true));
    const std::vector<FlowPackets> flows = split_flows(trace);
    ASSERT_EQ(flows.size(), 2u);
    EXPECT_EQ(flows[0].packets, (std::vector<std::uint32_t>{0, 3}));
    EXPECT_EQ(flows[0].directions, (std::vector<Direction>{Direction::forward, Direction::reverse}));
    EXPECT_EQ(flows[0].flow.packets[1], 1u);
    EXPECT_EQ(flows[1].packets, (std::vector<std::uint32_t>{2}));
    EXPECT_TRUE(split_flows(Trace{}).empty());
}

}  // namespace
}  // namespace tracebench
