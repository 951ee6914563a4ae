#include "traffic/flow_key.h"

#include <gtest/gtest.h>

#include "frames.h"

namespace tracebench {
namespace {

using namespace test;

IpAddress six(const std::string& digits) {
    IpAddress address{6, {}};
    const Octets bytes = hex(digits);
    std::copy(bytes.begin(), bytes.end(), address.bytes.begin());
    return address;
}

TEST(IpAddress, Text) {
    EXPECT_EQ((IpAddress{4, {192, 0, 2, 1}}).text(), "192.0.2.1");
    EXPECT_EQ(six("20010db8000000000000000000000001").text(), "2001:db8::1");
    EXPECT_EQ(six("00000000000000000000000000000000").text(), "::");
    EXPECT_EQ(six("00000000000000000000000000000001").text(), "::1");
    EXPECT_EQ(six("20010db8000000010001000100010001").text(), "2001:db8:0:1:1:1:1:1")
        << "RFC 5952 section 4.2.2";
    EXPECT_EQ(six("00000000000000000000ffffc0000201").text(), "::ffff:192.0.2.1");
    EXPECT_EQ(six("000000000000000000000000c0000201").text(), "::c000:201");
}

TEST(Endpoint, TextAndOrder) {
    EXPECT_EQ((Endpoint{{4, {192, 0, 2, 1}}, 443}).text(), "192.0.2.1:443");
    EXPECT_EQ((Endpoint{six("20010db8000000000000000000000001"), 443}).text(), "[2001:db8::1]:443");
    const Endpoint low{{4, {9, 0, 0, 1}}, 9}, port{{4, {9, 0, 0, 1}}, 10}, high{{4, {10, 0, 0, 1}}, 1};
    EXPECT_LT(low, port);
    EXPECT_LT(port, high) << "numeric, not by text";
    EXPECT_LT(high, (Endpoint{six("00000000000000000000000000000001"), 0})) << "version 4 before 6";
}

PacketFlow flow(const Octets& bytes) {
    return flow_of(dissect(view(bytes)));
}

TEST(FlowOf, IsTheSameBothWays) {
    const PacketFlow there = flow(ethernet(0x0800, ipv4(17, udp(5000, 53))));
    const PacketFlow back = flow(ethernet(0x0800, ipv4(17, udp(53, 5000), 0, {}, 0xC0000202, 0xC0000201)));
    EXPECT_TRUE(there.ok && back.ok);
    EXPECT_EQ(there.key, back.key);
    EXPECT_EQ(FlowKeyHash{}(there.key), FlowKeyHash{}(back.key));
    EXPECT_FALSE(there.from_high);
    EXPECT_TRUE(back.from_high);
    EXPECT_EQ(there.key.flow_id(), "UDP|192.0.2.1|5000|192.0.2.2|53");
}

TEST(FlowOf, OrdersPortsBetweenEqualAddresses) {
    const PacketFlow there =
        flow(ethernet(0x0800, ipv4(6, tcp(9, 8, 0, 0, 2), 0, {}, 0x7F000001, 0x7F000001)));
    EXPECT_EQ(there.key.low.port, 8);
    EXPECT_TRUE(there.from_high);
}

TEST(FlowOf, PortsAreZeroWhereThereAreNone) {
    EXPECT_EQ(flow(ethernet(0x0800, ipv4(1, hex("0800 0000 0001 0001")))).key.flow_id(),
              "ICMP|192.0.2.1|0|192.0.2.2|0");
    EXPECT_EQ(flow(ethernet(0x0800, ipv4(17, udp(5000, 53), 0x0001))).key.flow_id(),
              "UDP|192.0.2.1|0|192.0.2.2|0");
    EXPECT_EQ(flow(ethernet(0x86DD, ipv6(58, hex("8000 0000")))).key.flow_id(),
              "ICMPV6|2001:db8::1|0|2001:db8::2|0");
    EXPECT_EQ(flow(ethernet(0x0800, ipv4(200, {}))).key.flow_id(), "200|192.0.2.1|0|192.0.2.2|0");
}

TEST(FlowOf, KeepsVlansApart) {
    const PacketFlow a = flow(ethernet(0x8100, hex("0001 0800") + ipv4(17, udp(1, 2))));
    const PacketFlow b = flow(ethernet(0x8100, hex("0002 0800") + ipv4(17, udp(1, 2))));
    EXPECT_NE(a.key, b.key);
    EXPECT_EQ(a.key.flow_id(), b.key.flow_id());
}

TEST(FlowOf, NothingWithoutIp) {
    EXPECT_FALSE(flow(ethernet(0x0806, Octets(28, 0))).ok);
}

TEST(Multicast6, FlagsAndScopes) {
    for (const unsigned octet : {0x02, 0x0E, 0x12, 0x35, 0x7E})  // permanent, T, PT, RPT
        EXPECT_TRUE(has_multicast6_flags(static_cast<std::uint8_t>(octet)) &&
                    has_multicast6_scope(static_cast<std::uint8_t>(octet)))
            << octet;
    for (const unsigned octet : {0x22, 0x42, 0x52, 0x62, 0x82, 0xF2})
        EXPECT_FALSE(has_multicast6_flags(static_cast<std::uint8_t>(octet))) << octet;
    for (const unsigned octet : {0x00, 0x10, 0x0F, 0x7F})
        EXPECT_FALSE(has_multicast6_scope(static_cast<std::uint8_t>(octet))) << octet;
}

}  // namespace
}  // namespace tracebench
