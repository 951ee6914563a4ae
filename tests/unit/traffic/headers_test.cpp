#include "traffic/headers.h"

#include <gtest/gtest.h>

#include "frames.h"

namespace tracebench {
namespace {

using namespace test;

const Octets dns = udp(1000, 53, {'x', 'y'});
const Octets packet4 = ipv4(17, dns);

/// The UDP packet of every link-layer test was reached.
void expect_dns(const Octets& bytes, std::uint16_t link, std::uint32_t ip_offset) {
    const Headers h = dissect(view(bytes, link));
    EXPECT_EQ(h.ethertype, 0x0800);
    EXPECT_EQ(h.ip_offset, ip_offset);
    ASSERT_TRUE(h.has_udp()) << "link type " << link;
    EXPECT_EQ(h.ip_version, 4);
    EXPECT_EQ(h.udp()[3], 53);
    EXPECT_EQ(h.transport_offset, ip_offset + 20);
    EXPECT_EQ(h.payload_offset, ip_offset + 28);
    EXPECT_EQ(h.payload_length(), 2u);
    EXPECT_TRUE(h.transport_complete);
    // Cut anywhere, nothing may be read past the end (the sanitizers watch) nor be found that is not there.
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        const Octets cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
        const Headers part = dissect(view(cut, link));
        EXPECT_EQ(part.has_udp(), size >= ip_offset + 28) << size;
        EXPECT_EQ(part.has_ip(), size >= ip_offset + 20) << size;
    }
}

TEST(LinkLayer, Ethernet) {
    expect_dns(ethernet(0x0800, packet4), 1, 14);
}
TEST(LinkLayer, Snap) {
    expect_dns(ethernet(static_cast<std::uint16_t>(8 + packet4.size()), hex("aaaa03 000000 0800") + packet4),
               1, 22);
}
TEST(LinkLayer, LlcOfIp) {
    expect_dns(ethernet(static_cast<std::uint16_t>(3 + packet4.size()), hex("060603") + packet4), 1, 17);
}
TEST(LinkLayer, RawIp) {
    for (const std::uint16_t link : {12, 14, 101, 228}) expect_dns(packet4, link, 0);
}
TEST(LinkLayer, Loopback) {
    expect_dns(hex("02000000") + packet4, link_type::null_loopback, 4);
    expect_dns(hex("00000002") + packet4, link_type::null_loopback, 4);
    expect_dns(hex("00000002") + packet4, link_type::openbsd_loop, 4);
    const Octets six = hex("1e000000") + ipv6(17, dns);
    EXPECT_TRUE(dissect(view(six, link_type::null_loopback)).has_udp());
}
TEST(LinkLayer, Ppp) {
    expect_dns(hex("ff03 0021") + packet4, link_type::ppp, 4);
    expect_dns(hex("0021") + packet4, link_type::ppp, 2);
    expect_dns(hex("21") + packet4, link_type::ppp, 1);
    expect_dns(hex("0f00 0800") + packet4, link_type::ppp, 4);
}
TEST(LinkLayer, Pppoe) {
    expect_dns(ethernet(0x8864, hex("1100 0001 0020 0021") + packet4), 1, 22);
}
TEST(LinkLayer, Mpls) {
    expect_dns(ethernet(0x8847, hex("00010040 00011140") + packet4), 1, 22);  // the second is the bottom
    expect_dns(ethernet(0x8847, hex("00011140 00000000") + ethernet(0x0800, packet4)), 1, 36);
}
TEST(LinkLayer, LinuxCooked) {
    expect_dns(hex("0000 0001 0006 020000000001 0000 0800") + packet4, link_type::linux_sll, 16);
    expect_dns(hex("0800 0000 00000002 0001 00 06 020000000001 0000") + packet4, link_type::linux_sll2, 20);
}
TEST(LinkLayer, WirelessData) {
    const Octets llc = hex("aaaa03 000000 0800") + packet4;
    const Octets addresses(18, 2);
    const auto data = [&](const std::string& control, const Octets& more) {
        return hex(control) + hex("0000") + addresses + hex("1000") + more + llc;
    };
    expect_dns(data("0801", {}), link_type::ieee80211, 32);
    expect_dns(data("8801", hex("0000")), link_type::ieee80211, 34);                  // QoS
    expect_dns(data("8803", Octets(6, 2) + hex("0000")), link_type::ieee80211, 40);   // four addresses
    expect_dns(data("8801", hex("8000") + Octets(14, 2)), link_type::ieee80211, 48);  // A-MSDU
    EXPECT_FALSE(dissect(view(data("0841", {}), link_type::ieee80211)).has_ip()) << "encrypted";
    EXPECT_FALSE(dissect(view(data("4801", {}), link_type::ieee80211)).has_ip()) << "null data";
    EXPECT_FALSE(dissect(view(data("8000", {}), link_type::ieee80211)).has_ip()) << "beacon";

    expect_dns(hex("0000 0800 00000000") + data("0801", {}), link_type::radiotap, 40);
    // TSFT (aligned to 8) and flags that say "padded to 32 bits": 26 header bytes become 28.
    const Octets padded = hex("0000 1100 03000000 0102030405060708 20") + data("8801", hex("0000 0000"));
    expect_dns(padded, link_type::radiotap, 17 + 36);
}

TEST(LinkLayer, VlanTags) {
    const Octets tagged = ethernet(0x88A8, hex("2064 8100 0007 0800") + packet4);
    expect_dns(tagged, 1, 22);
    const Headers h = dissect(view(tagged));
    EXPECT_EQ(h.vlan, 0x64);
    EXPECT_EQ(h.inner_vlan, 7);
    EXPECT_EQ(dissect(view(ethernet(0x0800, packet4))).vlan, Headers::no_vlan);
    Octets endless;
    for (int i = 0; i < 100; ++i) endless = endless + hex("0001 8100");
    EXPECT_FALSE(dissect(view(ethernet(0x8100, endless))).has_ip());
}

TEST(LinkLayer, LeavesOtherEtherTypesAlone) {
    const Octets arp = ethernet(0x0806, Octets(28, 0));
    const Headers h = dissect(view(arp));
    EXPECT_EQ(h.ethertype, 0x0806);
    EXPECT_FALSE(h.has_ip());
    EXPECT_EQ(h.ip_offset, Headers::none);
    EXPECT_EQ(dissect(view(packet4, 147)).ethertype, 0) << "unknown link type";
}

TEST(Ipv4, OptionsMoveTheTransportHeader) {
    const Octets bytes =
        ethernet(0x0800, ipv4(6, tcp(1, 2, 3, 4, tcp_flag::ack, 5), 0, hex("01010101 01010100")));
    const Headers h = dissect(view(bytes));
    EXPECT_EQ(h.ip_header_length, 28);
    ASSERT_TRUE(h.has_tcp());
    EXPECT_EQ(h.transport_offset, 14u + 28);
    EXPECT_EQ(h.payload_length(), 5u);
}

TEST(Ipv4, PaddingIsNotPayload) {
    const Octets bytes = ethernet(0x0800, packet4) + Octets(16, 0);
    const Headers h = dissect(view(bytes));
    EXPECT_EQ(h.ip_end, 14 + packet4.size());
    EXPECT_EQ(h.payload_length(), 2u);
}

TEST(Ipv4, FragmentsAfterTheFirstHaveNoTransportHeader) {
    const Octets first = ethernet(0x0800, ipv4(17, dns, 0x2000)),
                 later = ethernet(0x0800, ipv4(17, dns, 0x0003));
    const Headers a = dissect(view(first)), b = dissect(view(later));
    EXPECT_TRUE(a.more_fragments && a.is_fragment() && a.has_udp());
    EXPECT_EQ(b.fragment_offset, 24);
    EXPECT_TRUE(b.is_fragment());
    EXPECT_EQ(b.protocol, 17);
    EXPECT_EQ(b.transport_offset, Headers::none);
    EXPECT_FALSE(b.has_ports());
}

TEST(Ipv4, TotalLengthOfZeroMeansTheFrame) {
    Octets bytes = ethernet(0x0800, ipv4(6, tcp(1, 2, 3, 4, tcp_flag::ack, 100)));
    bytes[16] = bytes[17] = 0;
    EXPECT_EQ(dissect(view(bytes)).payload_length(), 100u);
}

TEST(Ipv4, BrokenHeadersAreNotFollowed) {
    Octets bytes = ethernet(0x0800, packet4);
    bytes[14] = 0x44;  // header length 16
    EXPECT_TRUE(dissect(view(bytes)).has_ip());
    EXPECT_FALSE(dissect(view(bytes)).has_udp());
    bytes[14] = 0x95;
    const Headers h = dissect(view(bytes));
    EXPECT_FALSE(h.has_ip()) << "version 9";
    EXPECT_EQ(h.ip_offset, 14u);
    bytes[14] = 0x45;
    bytes[17] = 24;  // the datagram ends within its UDP header
    EXPECT_EQ(dissect(view(bytes)).payload_offset, Headers::none);
}

TEST(Tcp, HeaderLengthDecidesWhereThePayloadBegins) {
    const auto with_offset = [](unsigned words) {
        Octets bytes = ethernet(0x0800, ipv4(6, tcp(1, 2, 3, 4, tcp_flag::syn, 12)));
        bytes[14 + 20 + 12] = static_cast<std::uint8_t>(words << 4);
        return bytes;
    };
    const Octets ok = with_offset(8), small = with_offset(4), large = with_offset(9);
    EXPECT_EQ(dissect(view(ok)).payload_offset, 14u + 20 + 32);
    EXPECT_TRUE(dissect(view(ok)).transport_complete);
    EXPECT_EQ(dissect(view(small)).payload_offset, Headers::none);
    EXPECT_EQ(dissect(view(large)).payload_offset, Headers::none) << "longer than the datagram";

    const Octets cut(ok.begin(), ok.begin() + 14 + 20 + 24);
    PacketView truncated = view(cut);
    truncated.original_length = static_cast<std::uint32_t>(ok.size());
    EXPECT_TRUE(dissect(truncated).has_tcp());
    EXPECT_FALSE(dissect(truncated).transport_complete);
    EXPECT_EQ(dissect(truncated).payload_offset, 14u + 20 + 32);
}

TEST(Ipv6, SkipsExtensionHeaders) {
    // Hop-by-hop, destination options (16 bytes), routing, AH (24 bytes), then UDP.
    const Octets chain = hex("3c00 0104 00000000") + hex("2b01 010c 000000000000000000000000") +
                         hex("3300 0000 00000000") + hex("1104 0000") + Octets(20, 0) + dns;
    const Octets bytes = ethernet(0x86DD, ipv6(0, chain));
    const Headers h = dissect(view(bytes));
    EXPECT_EQ(h.ip_version, 6);
    EXPECT_EQ(h.protocol, 17);
    EXPECT_EQ(h.ip_header_length, 40 + 8 + 16 + 8 + 24);
    ASSERT_TRUE(h.has_udp());
    EXPECT_EQ(h.udp()[3], 53);
    EXPECT_EQ(h.ip_end, bytes.size());
}

TEST(Ipv6, Fragments) {
    const Octets first = ethernet(0x86DD, ipv6(44, hex("1100 0001 00000007") + dns));
    const Octets later = ethernet(0x86DD, ipv6(44, hex("1100 0028 00000007") + dns));
    EXPECT_TRUE(dissect(view(first)).has_udp());
    EXPECT_TRUE(dissect(view(first)).more_fragments);
    EXPECT_EQ(dissect(view(later)).fragment_offset, 40);
    EXPECT_EQ(dissect(view(later)).protocol, 17);
    EXPECT_EQ(dissect(view(later)).transport_offset, Headers::none);
    // Offset 0 and no more: an atomic fragment is whole.
    const Octets atomic = ethernet(0x86DD, ipv6(44, hex("1100 0000 00000007") + dns));
    EXPECT_FALSE(dissect(view(atomic)).is_fragment());
    EXPECT_TRUE(dissect(view(atomic)).has_udp());
}

TEST(Ipv6, EndlessExtensionHeadersEnd) {
    Octets chain;
    for (int i = 0; i < 1000; ++i) chain = chain + hex("3c00 000000000000");
    const Headers h = dissect(view(ethernet(0x86DD, ipv6(60, chain))));
    EXPECT_TRUE(h.has_ip());
    EXPECT_EQ(h.transport_offset, Headers::none);
}

TEST(Ipv6, Jumbogram) {
    Octets bytes = ethernet(0x86DD, ipv6(0, hex("1100 c204 00012345") + dns));
    bytes[14 + 4] = bytes[14 + 5] = 0;
    EXPECT_EQ(dissect(view(bytes)).ip_end, 14u + 40 + 0x12345);
}

TEST(Icmp, FixedHeaders) {
    const Octets echo = ethernet(0x0800, ipv4(1, hex("0800 0000 0001 0002") + Octets(5, 0)));
    EXPECT_TRUE(dissect(view(echo)).has_icmp());
    EXPECT_FALSE(dissect(view(echo)).has_icmpv6());
    EXPECT_EQ(dissect(view(echo)).payload_length(), 5u);
    const Octets six = ethernet(0x86DD, ipv6(58, hex("8000 0000 0001 0002")));
    EXPECT_TRUE(dissect(view(six)).has_icmpv6());
    EXPECT_FALSE(dissect(view(six)).has_icmp());
}

TEST(Tunnels, OutermostUnlessAsked) {
    const Octets gre_plain = hex("0000 0800"), gre_full = hex("b000 0800") + Octets(12, 0);
    const Octets gre_ethernet = hex("0000 6558") + hex("020000000002 020000000001 8100 0009 0800");
    const std::vector<Octets> carriers = {
        ipv4(4, packet4),
        ipv4(41, ipv6(17, dns)),
        ipv6(4, packet4),
        ipv4(47, gre_plain + packet4),
        ipv4(47, gre_full + packet4),
        ipv4(47, gre_ethernet + packet4),
        ipv4(4, ipv4(4, packet4)),
    };
    for (const Octets& carrier : carriers) {
        const Headers outer = dissect(view(carrier, link_type::raw_ip));
        EXPECT_EQ(outer.ip_offset, 0u);
        EXPECT_FALSE(outer.has_udp());
        const Headers inner = dissect(view(carrier, link_type::raw_ip), Tunnels::innermost);
        EXPECT_EQ(inner.protocol, 17);
        ASSERT_TRUE(inner.has_udp());
        EXPECT_EQ(inner.udp()[3], 53);
        EXPECT_EQ(inner.payload_length(), 2u);
        EXPECT_EQ(inner.vlan, Headers::no_vlan) << "the tunnel's VLAN is not the packet's";
    }
}

TEST(Tunnels, InnermostKeepsTheOuterWhereNothingIsInside) {
    for (const Octets& bytes : {ipv4(47, hex("0000 880b 0000")), ipv4(4, hex("ff")), packet4}) {
        const Headers h = dissect(view(bytes, link_type::raw_ip), Tunnels::innermost);
        EXPECT_EQ(h.ip_offset, 0u);
        EXPECT_TRUE(h.has_ip());
    }
}

}  // namespace
}  // namespace tracebench
