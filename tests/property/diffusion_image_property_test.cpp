// Packet images, their model rows and their repair over arbitrary traffic and arbitrary bits.

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "../unit/generators/image_support.h"
#include "../unit/generators/support.h"
#include "generators/diffusion/model_rows.h"
#include "generators/diffusion/repair/flow_inference.h"
#include "generators/diffusion/repair/image_repair.h"
#include "traffic/rules/checker.h"

namespace tracebench::diffusion {
namespace {

using namespace image_testing;

int up_to(int most) {
    return *rc::gen::inRange(0, most + 1);
}
bool one_in(int n) {
    return up_to(n - 1) == 0;
}
template <typename T>
T any() {
    return *rc::gen::arbitrary<T>();
}

IpAddress some_address(bool v6) {
    const auto last = static_cast<std::uint8_t>(1 + up_to(3));
    if (!v6) {
        return *rc::gen::element(IpAddress{4, {10, 0, 0, last}}, IpAddress{4, {192, 168, 1, last}},
                                 IpAddress{4, {8, 8, 4, last}}, IpAddress{4, {203, 0, 113, last}});
    }
    IpAddress address{6, {0xFD}};
    if (one_in(2)) address = IpAddress{6, {0x20, 0x01}};
    address.bytes[15] = last;
    return address;
}

std::vector<std::uint8_t> some_options() {
    switch (up_to(4)) {
        case 0:
            return {2, 4, 5, 0xB4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7};
        case 1:
            return {1, 1, 5, 18, 0, 0, 0, 1, 0, 0, 0, 9, 0, 0, 0, 20, 0, 0, 0, 29};
        case 2:
            return {1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2};
        default:
            return {};
    }
}

/// Packets of a few hosts that need not make sense together.
Trace some_trace(int most) {
    Trace trace;
    std::int64_t time_ns = 1'700'000'000'000'000'000;
    const bool v6 = one_in(3);
    std::vector<Endpoint> ends;
    for (int i = 0; i < 4; ++i)
        ends.push_back(
            {some_address(v6), *rc::gen::element<std::uint16_t>(53, 443, 5353, 8080, 40000, 50001)});
    const int packets = up_to(most);
    for (int i = 0; i < packets; ++i) {
        PacketFields fields;
        fields.src = ends[static_cast<std::size_t>(up_to(3))];
        fields.dst = ends[static_cast<std::size_t>(up_to(3))];
        if (fields.src.address == fields.dst.address) continue;
        fields.protocol = *rc::gen::element(ip_protocol::tcp, ip_protocol::tcp, ip_protocol::udp,
                                            v6 ? ip_protocol::udp : ip_protocol::icmp);
        fields.ttl = static_cast<std::uint8_t>(1 + up_to(254));
        fields.tos = any<std::uint8_t>();
        fields.ip_id = one_in(3) ? std::uint16_t{0} : any<std::uint16_t>();
        fields.sequence = any<std::uint32_t>();
        fields.acknowledgement = any<std::uint32_t>();
        fields.tcp_flags = any<std::uint8_t>();
        fields.window = any<std::uint16_t>();
        fields.tcp_options = some_options();
        fields.icmp_rest = any<std::uint32_t>();
        fields.payload_length = static_cast<std::uint32_t>(up_to(1400));
        time_ns += one_in(5) ? 1'000'000'000LL * up_to(400) : up_to(2'000'000);
        testing::append(trace, time_ns, fields);
    }
    return trace;
}

TEST(DiffusionImageProperty, ModelRowsGiveBackAnyTraffic) {
    EXPECT_TRUE(rc::check("lossless but for identities", [] {
        const PacketImage image = packet_image(some_trace(60));
        const ModelRows rows = model_rows(image);
        RC_ASSERT(rows.reopened == 0U);
        Random random(any<std::uint64_t>());
        expect_same_relations(image, packet_image(rows, random));
        RC_ASSERT(!::testing::Test::HasFailure());
    }));
}

TEST(DiffusionImageProperty, ModelRowsOfAnyBitsDecodeAndAreRepaired) {
    EXPECT_TRUE(rc::check("whatever a model makes becomes legal", [] {
        Random random(any<std::uint64_t>());
        ModelRows rows;
        const auto count = static_cast<std::size_t>(up_to(40));
        rows.pad(count);
        for (std::size_t i = 0; i < count; ++i) {
            for (std::int8_t& value : rows.row(i))
                value = static_cast<std::int8_t>(static_cast<int>(random.below(3)) - 1);
            rows.log_gap[i] = static_cast<float>(random.normal());
        }
        ImageRepairReport report;
        const Trace trace = repair_image(packet_image(rows, random), {}, random, report);
        RC_ASSERT(check_compliance(trace).packets_failed == 0U);
        RC_ASSERT(report.packets == trace.size());
    }));
}

TEST(DiffusionImageProperty, AnyTrafficIsRepaired) {
    EXPECT_TRUE(rc::check("any traffic becomes legal, packet for packet", [] {
        Random random(any<std::uint64_t>());
        ImageRepairReport first, second;
        const Trace once = repair_image(packet_image(some_trace(40)), {}, random, first);
        RC_ASSERT(check_compliance(once).packets_failed == 0U);
        const Trace again = repair_image(packet_image(once), {}, random, second);
        RC_ASSERT(check_compliance(again).packets_failed == 0U);
        RC_ASSERT(again.size() == once.size());
    }));
}

TEST(DiffusionImageProperty, FlowsOfAnyBitsAreInferred) {
    EXPECT_TRUE(rc::check("images of any bits become captures", [] {
        Random random(any<std::uint64_t>());
        std::vector<NprintRow> rows(static_cast<std::size_t>(up_to(40)));
        const std::uint64_t values = 1 + random.below(3);
        for (NprintRow& row : rows)
            for (std::int8_t& bit : row)
                bit = static_cast<std::int8_t>(1 - static_cast<int>(random.below(values)));
        std::vector<bool> known(kNprintColumns, true);
        if (random.chance(0.5)) std::fill_n(known.begin() + field::source.first, 64, false);
        ImageRepairReport report;
        const Trace trace = repair_image(infer_flows(rows, known, random), {}, random, report);
        RC_ASSERT(trace.size() == rows.size());
        RC_ASSERT(check_compliance(trace).packets_failed == 0U);
    }));
}

}  // namespace
}  // namespace tracebench::diffusion
