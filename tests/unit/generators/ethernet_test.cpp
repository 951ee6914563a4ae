#include "generators/ethernet.h"

#include <optional>

#include "support.h"

namespace tracebench {
namespace {

using namespace tracebench::testing;

TEST(ToEthernet, PutsAnEthernetHeaderBeforeRawIp) {
    const Trace session = web_session(0);
    Trace raw;
    for (const PacketView& packet : session.packets)
        raw.append(packet.time_ns, packet.bytes.subspan(14), packet.original_length - 14, link_type::raw_ip);
    raw.append(recorded_ns, std::vector<std::uint8_t>{0xFF, 0xFF}, 0,
               link_type::raw_ip);  // nothing to be seen
    const EthernetTrace converted = to_ethernet(raw);
    EXPECT_EQ(converted.dropped, 1U);
    ASSERT_EQ(converted.trace.size(), session.size());
    std::optional<MacAddress> client_mac;
    for (std::size_t i = 0; i < session.size(); ++i) {
        const PacketView &a = session.packets[i], &b = converted.trace.packets[i];
        EXPECT_EQ(b.link, link_type::ethernet);
        EXPECT_EQ(b.original_length, a.original_length);
        EXPECT_EQ(b.time_ns, a.time_ns);
        EXPECT_TRUE(std::equal(a.bytes.begin() + 12, a.bytes.end(), b.bytes.begin() + 12, b.bytes.end()));
        const auto fields = *packet_fields(b, dissect(b));
        const MacAddress& mac = fields.src.address == ip4(192, 168, 1, 7) ? fields.src_mac : fields.dst_mac;
        if (!client_mac) client_mac = mac;
        EXPECT_EQ(mac, *client_mac);
        EXPECT_NE(fields.src_mac, fields.dst_mac);
    }
}

TEST(ToEthernet, StripsCookedHeadersAndKeepsTheLengthOfCutPackets) {
    const Trace session = web_session(0);
    const PacketView& packet = session.packets.back();
    std::vector<std::uint8_t> cooked = {0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 0x08, 0x00};
    cooked.insert(cooked.end(), packet.bytes.begin() + 14, packet.bytes.begin() + 14 + 30);
    Trace trace;
    trace.append(0, cooked, packet.original_length + 2, link_type::linux_sll);
    const EthernetTrace converted = to_ethernet(trace);
    ASSERT_EQ(converted.trace.size(), 1U);
    EXPECT_EQ(converted.trace.packets[0].bytes.size(), 44U);
    EXPECT_EQ(converted.trace.packets[0].original_length, packet.original_length);
}

TEST(ToEthernet, LeavesEthernetAlone) {
    const Trace session = web_session(0);
    const EthernetTrace converted = to_ethernet(session);
    EXPECT_EQ(converted.dropped, 0U);
    EXPECT_EQ(content({converted.trace}), content({session}));
    EXPECT_TRUE(to_ethernet({}).trace.empty());
}

}  // namespace
}  // namespace tracebench
