#include "generators/diffusion/packet_image.h"

#include <gtest/gtest.h>

#include "image_support.h"
#include "support.h"

namespace tracebench::diffusion {
namespace {

using namespace image_testing;
using testing::ip4;

const Endpoint client{ip4(10, 0, 0, 1), 40000}, resolver{ip4(10, 0, 0, 2), 53}, server{ip4(9, 9, 9, 9), 443};

TEST(PacketImage, KnowsFlowsDirectionsAndTimes) {
    Trace trace;
    testing::append_dns_flow(trace, client, resolver, 5'000'000'000);  // answered after 20 ms
    testing::append_tcp_flow(trace, client, server, 5'010'000'000);    // every 10 ms
    const PacketImage image = packet_image(trace);
    ASSERT_EQ(image.rows.size(), 10U);
    ASSERT_EQ(image.flows.size(), 2U);
    EXPECT_EQ(image.flows[0].source.text(), "10.0.0.1:40000");
    EXPECT_EQ(image.flows[0].protocol, ip_protocol::udp);
    EXPECT_EQ(image.flows[1].destination.text(), "9.9.9.9:443");
    EXPECT_EQ(image.rows[0].time_ns, 0);
    EXPECT_EQ(image.rows[1].flow, 1U);
    EXPECT_EQ(image.rows[1].time_ns, 10'000'000);
    std::vector<std::uint32_t> reverse;
    for (std::uint32_t i = 0; i < image.rows.size(); ++i)
        if (image.rows[i].direction == Direction::reverse) reverse.push_back(i);
    // Ten packets in time order: query, SYN, then answer and SYN-ACK at the same time, ...
    EXPECT_EQ(reverse.size(), 1U + 3U);
    EXPECT_EQ(image.without_row, 0U);
}

TEST(PacketImage, CountsWhatItLeavesOut) {
    Trace trace;
    trace.append(0, std::vector<std::uint8_t>{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x06, 0, 1});  // ARP
    for (int i = 0; i < 1030; ++i)
        testing::append(trace, 1'000'000 * (i + 1), testing::tcp_fields(client, server, tcp_flag::ack));
    const PacketImage image = packet_image(trace);
    EXPECT_EQ(image.rows.size(), 1024U);
    EXPECT_EQ(image.left_out, 6U);
    EXPECT_EQ(image.without_row, 1U);
    EXPECT_EQ(image.rows.front().time_ns, 0);
    EXPECT_TRUE(packet_image(Trace{}).rows.empty());
}

TEST(PacketImage, KeepsWhatNprintLeavesOutOfIpv6) {
    PacketFields fields =
        testing::tcp_fields({IpAddress{6, {0xFD}}, 40000}, {IpAddress{6, {0x20, 1}}, 443}, tcp_flag::ack, 77);
    fields.ttl = 57;
    fields.tos = 0xB8;
    Trace trace;
    testing::append(trace, 0, fields);
    const PacketImage image = packet_image(trace);
    ASSERT_EQ(image.rows.size(), 1U);
    EXPECT_EQ(image.rows[0].ipv6.hop_limit, 57);
    EXPECT_EQ(image.rows[0].ipv6.traffic_class, 0xB8);
    EXPECT_EQ(image.rows[0].ipv6.length, 20 + 77);
    // Of the 136 bytes only those of the TCP header without options.
    const std::vector<std::uint8_t> present = present_bytes(image);
    ASSERT_EQ(present.size(), kImageBytes);
    for (std::size_t byte = 0; byte < kImageBytes; ++byte)
        EXPECT_EQ(present[byte], byte >= 60 && byte < 80) << byte;
}

}  // namespace
}  // namespace tracebench::diffusion
