#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "traffic/checksum.h"
#include "traffic/packet_builder.h"

namespace tracebench {
namespace {

using testing::ElementsAreArray;

PacketFields fields(std::uint8_t protocol, std::uint8_t version = 4) {
    PacketFields f;
    f.protocol = protocol;
    f.src.address.version = f.dst.address.version = version;
    if (version == 4) {
        f.src.address.bytes = {192, 0, 2, 1};
        f.dst.address.bytes = {198, 51, 100, 9};
    } else {
        f.src.address.bytes = {0x20, 0x01, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
        f.dst.address.bytes = {0x20, 0x01, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2};
    }
    f.src.port = 50112;
    f.dst.port = 443;
    return f;
}

Headers headers_of(const std::vector<std::uint8_t>& frame) {
    return dissect({0, static_cast<std::uint32_t>(frame.size()), link_type::ethernet, 1, frame});
}

// The whole frame by hand; both checksums were computed apart, in Python.
TEST(PacketBuilder, UdpOverIpv4) {
    PacketFields f = fields(ip_protocol::udp);
    f.ip_id = 7;
    f.payload_length = 3;
    f.payload = {'a', 'b', 'c'};
    const std::vector<std::uint8_t> expected{
        0x02, 0,    0,    0,    0,   2,  0x02, 0,    0,   0,   0,    1,    0x08, 0x00,  // Ethernet
        0x45, 0,    0,    31,   0,   7,  0x40, 0,    64,  17,  0x4E, 0x89,              // IPv4
        192,  0,    2,    1,    198, 51, 100,  9,                                       // addresses
        0xC3, 0xC0, 0x01, 0xBB, 0,   11, 0x89, 0xBB, 'a', 'b', 'c'};                    // UDP
    EXPECT_THAT(build_packet(f), ElementsAreArray(expected));
}

TEST(PacketBuilder, ChecksumsHoldForEveryProtocolAndVersion) {
    for (const std::uint8_t version : {4, 6})
        for (const std::uint8_t protocol :
             {ip_protocol::tcp, ip_protocol::udp, version == 4 ? ip_protocol::icmp : ip_protocol::icmpv6})
            for (const std::uint32_t length : {0U, 1U, 1400U}) {
                SCOPED_TRACE(testing::Message() << "IPv" << int{version} << " protocol " << int{protocol});
                PacketFields f = fields(protocol, version);
                f.payload_length = length;
                f.payload = {0xFF};
                const std::vector<std::uint8_t> frame = build_packet(f);
                const Headers h = headers_of(frame);
                ASSERT_TRUE(can_check_transport(h));
                EXPECT_EQ(h.ip_end, frame.size());
                const PacketView packet{0, static_cast<std::uint32_t>(frame.size()), link_type::ethernet, 1,
                                        frame};
                EXPECT_EQ(packet_fields(packet, h)->payload_length, length);
                EXPECT_EQ(packet_fields(packet, h)->payload.size(), length);
                const std::size_t at = protocol == ip_protocol::tcp   ? 16
                                       : protocol == ip_protocol::udp ? 6
                                                                      : 2;
                EXPECT_EQ(h.transport()[at] << 8 | h.transport()[at + 1], transport_checksum(h));
            }
}

TEST(PacketBuilder, FieldsComeBack) {
    PacketFields f = fields(ip_protocol::tcp);
    f.ttl = 57;
    f.tos = 0x2E;
    f.ip_id = 0xABCD;
    f.dont_fragment = false;
    f.sequence = 0xFFFFFFFF;
    f.acknowledgement = 5;
    f.tcp_flags = tcp_flag::syn | tcp_flag::ece | tcp_flag::cwr;
    f.window = 0;
    f.tcp_options = {2, 4, 5, 0xB4, 1, 3, 3, 7};
    f.payload_length = 2;
    f.payload = {8, 9};
    const std::vector<std::uint8_t> frame = build_packet(f);
    const PacketView packet{0, static_cast<std::uint32_t>(frame.size()), link_type::ethernet, 1, frame};
    const auto back = packet_fields(packet, dissect(packet));
    ASSERT_TRUE(back);
    EXPECT_EQ(back->src, f.src);
    EXPECT_EQ(back->dst, f.dst);
    EXPECT_EQ(back->protocol, f.protocol);
    EXPECT_EQ(back->ttl, 57);
    EXPECT_EQ(back->tos, 0x2E);
    EXPECT_EQ(back->ip_id, 0xABCD);
    EXPECT_FALSE(back->dont_fragment);
    EXPECT_EQ(back->sequence, 0xFFFFFFFF);
    EXPECT_EQ(back->acknowledgement, 5U);
    EXPECT_EQ(back->tcp_flags, f.tcp_flags);
    EXPECT_EQ(back->window, 0);
    EXPECT_EQ(back->tcp_options, f.tcp_options);
    EXPECT_EQ(back->payload_length, 2U);
    EXPECT_EQ(back->payload, f.payload);
    EXPECT_EQ(back->src_mac, f.src_mac);
    EXPECT_EQ(back->dst_mac, f.dst_mac);
}

TEST(PacketBuilder, FieldsOfIpv6ComeBack) {
    PacketFields f = fields(ip_protocol::icmpv6, 6);
    f.ttl = 255;
    f.tos = 0xB8;
    f.icmp_type = 128;
    f.icmp_code = 3;
    f.icmp_rest = 0x01020304;
    const std::vector<std::uint8_t> frame = build_packet(f);
    const PacketView packet{0, static_cast<std::uint32_t>(frame.size()), link_type::ethernet, 1, frame};
    const auto back = packet_fields(packet, dissect(packet));
    ASSERT_TRUE(back);
    EXPECT_EQ(back->src.address, f.src.address);
    EXPECT_EQ(back->dst.address, f.dst.address);
    EXPECT_EQ(back->ttl, 255);
    EXPECT_EQ(back->tos, 0xB8);
    EXPECT_EQ(back->icmp_type, 128);
    EXPECT_EQ(back->icmp_code, 3);
    EXPECT_EQ(back->icmp_rest, 0x01020304U);
}

TEST(PacketBuilder, BadOptionsBecomeNoOperations) {
    PacketFields f = fields(ip_protocol::tcp);
    f.tcp_options = {3, 3, 7, 8, 10, 1};  // window scale; then a timestamp that claims more than is there
    const std::vector<std::uint8_t> frame = build_packet(f);
    const std::vector<std::uint8_t> options(frame.begin() + 54, frame.end());
    EXPECT_THAT(options, ElementsAreArray({3, 3, 7, 1}));
}

/// A TCP header as built, from the source port on. The checksums below were computed apart, in Python.
std::vector<std::uint8_t> tcp_header(const PacketFields& fields) {
    const std::vector<std::uint8_t> frame = build_packet(fields);
    return {frame.begin() + 14 + 20, frame.end()};
}
PacketFields syn_with(std::vector<std::uint8_t> options) {
    PacketFields f = fields(ip_protocol::tcp);
    f.sequence = 1;
    f.tcp_flags = tcp_flag::syn;
    f.tcp_options = std::move(options);
    return f;
}

TEST(PacketBuilder, EndOfOptionListIsKeptWhereItPads) {
    EXPECT_THAT(tcp_header(syn_with({3, 3, 7, 0})),
                ElementsAreArray({0xC3, 0xC0, 0x01, 0xBB, 0,    0,    0,    1,    0, 0, 0, 0,
                                  0x60, 0x02, 0xFF, 0xFF, 0xE4, 0x20, 0x00, 0x00, 3, 3, 7, 0}));
    EXPECT_THAT(tcp_header(syn_with({2, 4, 5, 0xB4, 0, 0, 0, 0})),
                ElementsAreArray({0xC3, 0xC0, 0x01, 0xBB, 0,    0,    0, 1, 0, 0,    0, 0, 0x70, 0x02,
                                  0xFF, 0xFF, 0xD6, 0x67, 0x00, 0x00, 2, 4, 5, 0xB4, 0, 0, 0,    0}));
}

TEST(PacketBuilder, NothingFollowsTheEndOfTheOptionList) {
    const std::vector<std::uint8_t> header = tcp_header(syn_with({3, 3, 7, 0, 2, 4, 5, 0xB4}));
    EXPECT_THAT(std::vector<std::uint8_t>(header.begin() + 20, header.end()), ElementsAreArray({3, 3, 7, 1}));
}

TEST(PacketBuilder, OptionsWithoutAValue) {  // Fast Open asks for a cookie with an empty one (RFC 7413)
    EXPECT_THAT(tcp_header(syn_with({34, 2, 1, 1})),
                ElementsAreArray({0xC3, 0xC0, 0x01, 0xBB, 0,    0,    0,    1,    0,  0, 0, 0,
                                  0x60, 0x02, 0xFF, 0xFF, 0xCB, 0x20, 0x00, 0x00, 34, 2, 1, 1}));
}

TEST(PacketBuilder, ReservedBitsAndUrgentPointer) {
    PacketFields f = fields(ip_protocol::tcp);
    f.sequence = 1;
    f.acknowledgement = 7;
    f.tcp_flags = tcp_flag::urg | tcp_flag::ack;
    f.tcp_reserved = 0xA;
    f.urgent_pointer = 0x0102;
    EXPECT_THAT(tcp_header(f), ElementsAreArray({0xC3, 0xC0, 0x01, 0xBB, 0,    0,    0,    1,    0,   0, 0,
                                                 7,    0x5A, 0x30, 0xFF, 0xFF, 0xF2, 0xF0, 0x01, 0x02}));
    const std::vector<std::uint8_t> frame = build_packet(f);
    const PacketView packet{0, static_cast<std::uint32_t>(frame.size()), link_type::ethernet, 1, frame};
    const auto back = packet_fields(packet, dissect(packet));
    ASSERT_TRUE(back);
    EXPECT_EQ(back->tcp_reserved, 0xA);
    EXPECT_EQ(back->urgent_pointer, 0x0102);
}

TEST(PacketBuilder, FlowLabel) {
    PacketFields f = fields(ip_protocol::udp, 6);
    f.tos = 0xB8;
    f.flow_label = 0xFABCDE;  // 20 bits of it
    const std::vector<std::uint8_t> frame = build_packet(f);
    const std::vector<std::uint8_t> expected{0x6B, 0x8A, 0xBC, 0xDE, 0, 8, 17, 64};
    EXPECT_THAT(std::vector<std::uint8_t>(frame.begin() + 14, frame.begin() + 22),
                ElementsAreArray(expected));
    const std::vector<std::uint8_t> udp{0xC3, 0xC0, 0x01, 0xBB, 0, 8, 0xDE, 0xED};
    EXPECT_THAT(std::vector<std::uint8_t>(frame.begin() + 54, frame.end()), ElementsAreArray(udp));
    const PacketView packet{0, static_cast<std::uint32_t>(frame.size()), link_type::ethernet, 1, frame};
    EXPECT_EQ(packet_fields(packet, dissect(packet))->flow_label, 0xABCDEU);
}

TEST(PacketBuilder, RefusesWhatIsNoPacket) {
    PacketFields mixed = fields(ip_protocol::tcp);
    mixed.dst.address.version = 6;
    EXPECT_THROW(build_packet(mixed), std::invalid_argument);
    EXPECT_THROW(build_packet(fields(ip_protocol::gre)), std::invalid_argument);
    PacketFields large = fields(ip_protocol::udp);
    large.payload_length = 65536;
    EXPECT_THROW(build_packet(large), std::invalid_argument);
    PacketFields options = fields(ip_protocol::tcp);
    options.tcp_options.resize(41);
    EXPECT_THROW(build_packet(options), std::invalid_argument);
}

TEST(PacketBuilder, NoFieldsWithoutTransport) {
    const std::vector<std::uint8_t> arp(42, 0);
    const PacketView packet{0, 42, link_type::ethernet, 1, arp};
    EXPECT_FALSE(packet_fields(packet, dissect(packet)));
}

}  // namespace
}  // namespace tracebench
