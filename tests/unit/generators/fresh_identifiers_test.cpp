#include "generators/fresh_identifiers.h"

#include "support.h"

namespace tracebench {
namespace {

using testing::ip4;

IpAddress ip6(std::initializer_list<std::uint8_t> head, std::initializer_list<std::uint8_t> tail) {
    IpAddress address{6, {}};
    std::copy(head.begin(), head.end(), address.bytes.begin());
    std::copy(tail.begin(), tail.end(), address.bytes.end() - static_cast<std::ptrdiff_t>(tail.size()));
    return address;
}

TEST(AddressKind, FollowsTheRegistries) {
    EXPECT_EQ(address_kind(ip4(10, 1, 2, 3)), AddressKind::private_net);
    EXPECT_EQ(address_kind(ip4(172, 31, 0, 1)), AddressKind::private_net);
    EXPECT_EQ(address_kind(ip4(172, 32, 0, 1)), AddressKind::global);
    EXPECT_EQ(address_kind(ip4(100, 64, 0, 1)), AddressKind::private_net);
    EXPECT_EQ(address_kind(ip4(100, 128, 0, 1)), AddressKind::global);
    EXPECT_EQ(address_kind(ip4(224, 0, 0, 251)), AddressKind::fixed);
    EXPECT_EQ(address_kind(ip4(255, 255, 255, 255)), AddressKind::fixed);
    EXPECT_EQ(address_kind(ip4(127, 0, 0, 1)), AddressKind::fixed);
    EXPECT_EQ(address_kind(ip6({0xFE, 0x80}, {1})), AddressKind::private_net);
    EXPECT_EQ(address_kind(ip6({0xFF, 0x02}, {0xFB})), AddressKind::fixed);
    EXPECT_EQ(address_kind(ip6({}, {1})), AddressKind::fixed);
    EXPECT_EQ(address_kind(ip6({0x26, 0x06}, {1})), AddressKind::global);
}

TEST(FreshAddresses, StaysInTheBlockAndKeepsNeighbours) {
    Random random(3);
    FreshAddresses fresh(random);
    const IpAddress a = fresh.replace(ip4(192, 168, 1, 7)), b = fresh.replace(ip4(192, 168, 1, 9)),
                    broadcast = fresh.replace(ip4(192, 168, 1, 255)), c = fresh.replace(ip4(192, 168, 2, 7));
    EXPECT_EQ(a.bytes[0], 192);
    EXPECT_EQ(a.bytes[1], 168);
    EXPECT_EQ(a.bytes[2], b.bytes[2]);
    EXPECT_NE(a.bytes[2], c.bytes[2]);
    EXPECT_NE(a, b);
    EXPECT_EQ(broadcast, ip4(192, 168, a.bytes[2], 255));
    EXPECT_EQ(fresh.replace(ip4(192, 168, 1, 7)), a);
    const IpAddress global = fresh.replace(ip4(8, 8, 8, 8));
    EXPECT_EQ(global.bytes[0], 198);
    EXPECT_EQ(global.bytes[1] & 0xFE, 18);  // RFC 2544
    EXPECT_EQ(fresh.replace(ip4(224, 0, 0, 251)), ip4(224, 0, 0, 251));
}

TEST(FreshAddresses, GivesEveryHostOfAFullNetworkItsOwn) {
    Random random(3);
    FreshAddresses fresh(random);
    std::set<IpAddress> seen;
    for (int host = 1; host < 255; ++host)
        seen.insert(fresh.replace(ip4(10, 0, 0, static_cast<std::uint8_t>(host))));
    EXPECT_EQ(seen.size(), 254U);
    fresh.draw(ip4(10, 0, 0, 1));  // none is left: must end all the same
}

TEST(FreshAddresses, LetsSolicitedNodeGroupsFollow) {
    Random random(3);
    FreshAddresses fresh(random);
    const IpAddress group = ip6({0xFF, 0x02}, {0x01, 0xFF, 0xAA, 0xBB, 0xCC});
    const IpAddress new_group = fresh.replace(group);
    const IpAddress host = fresh.replace(ip6({0x26, 0x06}, {0xAA, 0xBB, 0xCC}));
    EXPECT_TRUE(std::equal(host.bytes.begin() + 13, host.bytes.end(), new_group.bytes.begin() + 13));
    EXPECT_TRUE(std::equal(group.bytes.begin(), group.bytes.begin() + 13, new_group.bytes.begin()));
    EXPECT_NE(group, new_group);
    const MacAddress mac = fresh.replace(MacAddress{0x33, 0x33, 0xFF, 0xAA, 0xBB, 0xCC});
    EXPECT_EQ(mac, multicast_mac(new_group, {}));
    EXPECT_EQ(host.bytes[0], 0x20);  // 2001:2::/48
    EXPECT_EQ(host.bytes[3], 0x02);
}

TEST(RandomPort, StaysInItsRange) {
    Random random(5);
    for (int i = 0; i < 1000; ++i) {
        EXPECT_GE(random_port_like(60000, random), 49152);
        const std::uint16_t linux_port = random_port_like(40000, random);
        EXPECT_TRUE(linux_port >= 32768 && linux_port < 49152);
    }
    EXPECT_EQ(random_port_like(443, random), 443);
}

}  // namespace
}  // namespace tracebench
