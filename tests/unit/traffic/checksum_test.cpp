#include "traffic/checksum.h"

#include <gtest/gtest.h>

#include "frames.h"

namespace tracebench {
namespace {

using namespace test;

TEST(Checksum, ExampleOfRfc1071) {
    // Section 3: the sum of 00 01 f2 03 f4 f5 f6 f7 is ddf2 after folding.
    EXPECT_EQ(ones_complement_sum(hex("0001 f203 f4f5 f6f7")), 0xDDF2);
    EXPECT_EQ(ones_complement_sum({}), 0);
    EXPECT_EQ(ones_complement_sum(hex("01")), 0x0100) << "an odd byte is the high one of a word";
    EXPECT_EQ(ones_complement_sum(hex("f4f5 f6f7"), ones_complement_sum(hex("0001 f203"))), 0xDDF2);
    EXPECT_EQ(ones_complement_sum(Octets(70'000, 0xFF)), 0xFFFF);
}

TEST(Checksum, KnownIpv4Header) {
    const Octets header = hex("4500 0073 0000 4000 4011 b861 c0a8 0001 c0a8 00c7");
    EXPECT_EQ(ipv4_header_checksum(header), 0xB861);
    Octets wrong = header;
    wrong[10] = 0;
    EXPECT_EQ(ipv4_header_checksum(wrong), 0xB861) << "the field itself does not count";
}

/// A real packet, or one summed by hand, and the value that stands in it.
struct Known {
    const char* name;
    Octets packet;  ///< raw IP
    std::uint16_t expected;
};

class TransportChecksum : public ::testing::TestWithParam<Known> {};

TEST_P(TransportChecksum, IsWhatThePacketCarries) {
    const Headers h = dissect(view(GetParam().packet, link_type::raw_ip));
    ASSERT_TRUE(can_check_transport(h));
    EXPECT_EQ(transport_checksum(h), GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(
    Known, TransportChecksum,
    ::testing::Values(
        // tcpdump's documentation example of a SYN: 10.0.0.1:20 > 10.0.0.2:80, sums by hand below.
        // Pseudo-header 0a00+0001+0a00+0002+0006+0014 = 141d; segment 0014+0050+5000+0000... = see each.
        Known{"tcp",
              ipv4(6, tcp(0x0014, 0x0050, 1, 0, tcp_flag::syn, 0, 0x2000), 0, {}, 0x0A000001, 0x0A000002),
              // 141d + 0014 + 0050 + 0001 + 5002 + 2000 = 8484; inverted 7b7b
              0x7B7B},
        Known{"udp", ipv4(17, udp(0x1000, 0x0035, {0x41}), 0, {}, 0x0A000001, 0x0A000002),
              // 0a00+0001+0a00+0002+0011+0009 = 141d; 1000+0035+0009+4100 = 513e; sum 655b; inverted 9aa4
              0x9AA4},
        Known{"udp6", ipv6(17, udp(0x1000, 0x0035, {0x41})),
              // addresses 2001+0db8+0001+2001+0db8+0002 = 5b75; 0009+0011 = 001a; 513e; sum accd; inv. 5332
              0x5332},
        Known{"icmp", ipv4(1, hex("0800 0000 0001 0001")),
              // 0800+0001+0001 = 0802; inverted f7fd: no pseudo-header
              0xF7FD},
        Known{"icmpv6", ipv6(58, hex("8000 0000 0001 0001")),
              // 5b75 + 0008 + 003a + 8000+0001+0001 = dbb9; inverted 2446
              0x2446},
        // 141d - 1 (length 8) + 1000 + 0035 + 0008 + ... chosen so that the sum is ffff: result 0 goes as
        // ffff
        Known{"udp zero", ipv4(17, udp(0x1000, 0xDBB0, {}), 0, {}, 0x0A000001, 0x0A000002),
              // 141c + 1000 + dbb0 + 0008 = ffd4; see the next
              0x002B},
        Known{"udp as ffff", ipv4(17, udp(0x1000, 0xDBDB, {}), 0, {}, 0x0A000001, 0x0A000002),
              // 141c + 1000 + dbdb + 0008 = ffff; inverted 0, sent as ffff
              0xFFFF}),
    [](const auto& known) {
        std::string name = known.param.name;
        for (char& c : name)
            if (c == ' ') c = '_';
        return name;
    });

TEST(TransportChecksumRange, NeedsTheWholeSegment) {
    Octets whole = ipv4(17, udp(1, 2, Octets(10, 7)));
    const auto checkable = [](const Octets& bytes) {
        return can_check_transport(dissect(view(bytes, link_type::raw_ip)));
    };
    EXPECT_TRUE(checkable(whole));
    whole.pop_back();
    EXPECT_FALSE(checkable(whole));
    EXPECT_FALSE(checkable(ipv4(17, udp(1, 2, Octets(10, 7)), 0x2000))) << "fragment";
    EXPECT_FALSE(checkable(ipv4(50, Octets(30, 7)))) << "ESP has none";
    EXPECT_FALSE(checkable(hex("45")));
}

TEST(TransportChecksumRange, UdpSumsItsOwnLength) {
    // Two bytes more in the datagram than UDP says: they are not summed, as in RFC 768.
    Octets longer = ipv4(17, udp(0x1000, 0x0035, {0x41}) + hex("ffee"), 0, {}, 0x0A000001, 0x0A000002);
    EXPECT_EQ(transport_checksum(dissect(view(longer, link_type::raw_ip))), 0x9AA4);
}

}  // namespace
}  // namespace tracebench
