#include "metrics/consistency/consistency_rules.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "metrics/consistency/address_kinds.h"

namespace tracebench {
namespace {

IpAddress v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
    return {4, {a, b, c, d}};
}

IpAddress v6(std::uint8_t first, std::uint8_t second, std::uint8_t last) {
    IpAddress address{6, {first, second}};
    address.bytes[15] = last;
    return address;
}

/// A web request and its answer, whole.
Biflow web() {
    Biflow r;
    r.source = {v4(192, 168, 1, 2), 50000};
    r.destination = {v4(203, 0, 113, 9), 443};
    r.protocol = ip_protocol::tcp;
    r.packets[0] = 6;
    r.packets[1] = 5;
    r.octets[0] = 6 * 40 + 300;
    r.octets[1] = 5 * 40 + 4000;
    r.payload[0] = 300;
    r.payload[1] = 4000;
    r.tcp_flags[0] = tcp_flag::syn | tcp_flag::ack | tcp_flag::psh | tcp_flag::fin;
    r.tcp_flags[1] = tcp_flag::syn | tcp_flag::ack | tcp_flag::fin;
    r.duration_ns = 50'000'000;
    r.opened = r.handshake = true;
    return r;
}

/// A question to a name server and its answer.
Biflow dns() {
    Biflow r;
    r.source = {v4(192, 168, 1, 2), 50000};
    r.destination = {v4(192, 168, 1, 1), 53};
    r.protocol = ip_protocol::udp;
    r.packets[0] = r.packets[1] = 1;
    r.octets[0] = 60;
    r.octets[1] = 120;
    r.payload[0] = 32;
    r.payload[1] = 92;
    r.duration_ns = 1'000'000;
    return r;
}

Biflow changed(Biflow record, const std::function<void(Biflow&)>& change) {
    change(record);
    return record;
}

/// What rules say of a record that they do not hold for.
std::vector<std::string> broken(const Biflow& record) {
    std::vector<std::string> ids;
    for (const ConsistencyRule& rule : consistency_rules())
        if (rule.check(record) == Consistency::broken) ids.emplace_back(rule.id);
    return ids;
}

using Ids = std::vector<std::string>;

TEST(ConsistencyRules, WholeRecordsKeepAll) {
    EXPECT_EQ(broken(web()), Ids{});
    EXPECT_EQ(broken(dns()), Ids{});
}

/// Each rule and a change of a good record that breaks it and nothing else.
TEST(ConsistencyRules, EachIsBrokenByWhatItIsAbout) {
    const std::map<std::string, Biflow> breaking = {
        {"bytes.minimum", changed(web(), [](Biflow& r) { r.octets[1] = 5 * 40 - 1; })},
        {"protocol.version", changed(dns(), [](Biflow& r) { r.protocol = ip_protocol::icmpv6; })},
        {"flags.sides",
         changed(web(), [](Biflow& r) { r.payload[1] = r.tcp_flags[1] = 0, r.handshake = true; })},
        {"flags.data", changed(web(), [](Biflow& r) { r.tcp_flags[0] = tcp_flag::syn | tcp_flag::psh; })},
        {"flags.handshake", changed(web(), [](Biflow& r) { r.handshake = false; })},
        {"ports.nonzero", changed(dns(),
                                  [](Biflow& r) {
                                      r.source.port = 0;
                                      r.destination.port = 5000;
                                  })},
        {"ports.tcp_service", changed(dns(), [](Biflow& r) { r.destination.port = 22; })},
        {"ports.udp_service", changed(web(), [](Biflow& r) { r.destination.port = 123; })},
        {"direction.service", changed(dns(), [](Biflow& r) { std::swap(r.source, r.destination); })},
        {"duration.positive", changed(dns(), [](Biflow& r) { r.duration_ns = 0; })},
        {"duration.rate", changed(web(), [](Biflow& r) { r.duration_ns = 10; })},
        {"address.source", changed(dns(), [](Biflow& r) { r.source.address = v4(224, 0, 0, 251); })},
        {"address.unspecified", changed(dns(), [](Biflow& r) { r.destination.address = v4(0, 0, 0, 0); })},
        {"address.distinct", changed(dns(), [](Biflow& r) { r.destination.address = r.source.address; })},
        {"address.loopback", changed(dns(), [](Biflow& r) { r.destination.address = v4(127, 0, 0, 1); })},
        {"address.unicast", changed(web(),
                                    [](Biflow& r) {
                                        r.destination.address = v4(239, 1, 1, 1);
                                        r.packets[1] = r.octets[1] = r.payload[1] = 0;
                                    })},
        {"observed.opened", changed(web(), [](Biflow& r) { r.opened = false; })},
        {"observed.answered", changed(dns(), [](Biflow& r) { r.packets[1] = r.octets[1] = 0; })},
        {"observed.web_tcp", changed(dns(), [](Biflow& r) { r.destination.port = 443; })},
        {"observed.dns_udp", changed(web(), [](Biflow& r) { r.destination.port = 53; })},
        {"observed.private", changed(web(), [](Biflow& r) { r.source.address = v4(8, 8, 8, 8); })},
        {"observed.netbios", changed(dns(),
                                     [](Biflow& r) {
                                         r.destination = {v4(203, 0, 113, 9), 137};
                                     })},
    };
    for (const ConsistencyRule& rule : consistency_rules()) {
        const auto found = breaking.find(std::string(rule.id));
        ASSERT_NE(found, breaking.end()) << rule.id;
        Ids expected = {found->first};
        // Nobody answers a multicast group in the record above.
        EXPECT_EQ(broken(found->second), expected) << rule.id;
    }
    EXPECT_EQ(breaking.size(), consistency_rules().size());
}

TEST(ConsistencyRules, WhatRealTrafficDoesIsAllowed) {
    // Half of a connection, captured in one direction or from its middle.
    EXPECT_EQ(broken(changed(web(),
                             [](Biflow& r) {
                                 r.packets[1] = r.octets[1] = r.payload[1] = r.tcp_flags[1] = 0;
                                 r.handshake = false;
                             })),
              Ids{"observed.answered"});
    EXPECT_EQ(broken(changed(web(),
                             [](Biflow& r) {
                                 r.tcp_flags[0] = tcp_flag::ack | tcp_flag::psh;
                                 r.opened = r.handshake = false;
                                 std::swap(r.source, r.destination);
                             })),
              Ids{"observed.opened"});
    // A refused connection.
    EXPECT_EQ(broken(changed(web(),
                             [](Biflow& r) {
                                 r.packets[0] = r.packets[1] = 1;
                                 r.octets[0] = r.octets[1] = 40;
                                 r.payload[0] = r.payload[1] = 0;
                                 r.tcp_flags[0] = tcp_flag::syn;
                                 r.tcp_flags[1] = tcp_flag::rst | tcp_flag::ack;
                                 r.handshake = false;
                             })),
              Ids{});
    // A host without an address asks for one; the answer is broadcast.
    EXPECT_EQ(broken(changed(dns(),
                             [](Biflow& r) {
                                 r.source = {v4(0, 0, 0, 0), 68};
                                 r.destination = {v4(255, 255, 255, 255), 67};
                                 r.packets[1] = r.octets[1] = 0;
                                 r.duration_ns = 0;
                             })),
              Ids{});
    // Later fragments have neither ports nor a transport header, and one packet takes no time.
    EXPECT_EQ(broken(changed(dns(),
                             [](Biflow& r) {
                                 r.source.port = r.destination.port = 0;
                                 r.fragments = true;
                                 r.packets[1] = r.octets[1] = 0;
                                 r.octets[0] = 28;
                                 r.duration_ns = 0;
                             })),
              Ids{"observed.answered"});
}

TEST(ConsistencyRules, AddressesByTheirRegistries) {
    EXPECT_TRUE(is_multicast(v4(224, 0, 0, 1)) && is_multicast(v4(239, 255, 255, 255)));
    EXPECT_FALSE(is_multicast(v4(223, 255, 255, 255)) || is_multicast(v4(240, 0, 0, 1)));
    EXPECT_TRUE(is_multicast(v6(0xFF, 0x02, 1)));
    EXPECT_TRUE(is_reserved(v4(255, 255, 255, 255)) && is_reserved(v4(240, 0, 0, 0)));
    EXPECT_TRUE(is_unspecified(v4(0, 0, 0, 0)) && is_unspecified(v6(0, 0, 0)));
    EXPECT_FALSE(is_unspecified(v6(0, 0, 1)));
    EXPECT_TRUE(is_loopback(v4(127, 9, 9, 9)) && is_loopback(v6(0, 0, 1)));
    EXPECT_FALSE(is_loopback(v6(0, 0, 2)) || is_loopback(v4(128, 0, 0, 1)));
    for (const IpAddress& address :
         {v4(10, 1, 1, 1), v4(172, 16, 0, 1), v4(172, 31, 255, 255), v4(192, 168, 0, 1), v4(100, 64, 0, 1),
          v4(169, 254, 1, 1), v6(0xFD, 0, 1), v6(0xFE, 0x80, 1)})
        EXPECT_TRUE(is_private(address)) << address.text();
    for (const IpAddress& address : {v4(172, 32, 0, 1), v4(172, 15, 0, 1), v4(192, 169, 0, 1),
                                     v4(100, 128, 0, 1), v4(11, 0, 0, 1), v6(0x20, 0x01, 1)})
        EXPECT_FALSE(is_private(address)) << address.text();
}

}  // namespace
}  // namespace tracebench
