#include <gtest/gtest.h>

#include "generators/diffusion/model_rows.h"
#include "generators/diffusion/repair/flow_inference.h"
#include "generators/diffusion/repair/image_repair.h"
#include "image_support.h"
#include "support.h"
#include "traffic/flow_split.h"
#include "traffic/rules/checker.h"

namespace tracebench::diffusion {
namespace {

using namespace image_testing;
using testing::ip4;

const Endpoint client{ip4(10, 0, 0, 1), 40000}, server{ip4(9, 9, 9, 9), 443};

std::vector<std::filesystem::path> some_captures() {
    std::vector<std::filesystem::path> some;
    const auto all = lab_captures();
    for (std::size_t i = 0; i < all.size(); i += 8) some.push_back(all[i]);
    return some;
}

void flip_bits(PacketImage& image, double share, Random& random) {
    for (ImageRow& row : image.rows)
        for (std::int8_t& bit : row.bits)
            if (bit >= 0 && random.chance(share)) bit = static_cast<std::int8_t>(1 - bit);
}

void expect_legal(const Trace& trace) {
    const ComplianceResult result = check_compliance(trace);
    EXPECT_EQ(result.packets_failed, 0U);
    for (const RuleResult& rule : result.rules)
        if (rule.failed > 0) ADD_FAILURE() << rule.rule->id << " fails " << rule.failed << " times";
}

std::uint64_t handshakes(const Trace& trace) {
    std::uint64_t count = 0;
    for (const FlowPackets& flow : split_flows(trace)) count += flow.flow.handshake;
    return count;
}

Trace repaired(const PacketImage& image, ImageRepairReport& report, const RepairSettings& settings = {}) {
    Random random(1);
    return repair_image(image, settings, random, report);
}
const FieldChange& change(const ImageRepairReport& report, std::string_view name) {
    return report.fields[static_cast<std::size_t>(find_nprint_field(name) - nprint_fields().data())];
}

TEST(ImageRepair, LeavesRealCapturesAsTheyAre) {
    ImageRepairReport report;
    for (const std::filesystem::path& path : lab_captures()) {
        SCOPED_TRACE(path.string());
        const Trace trace = read_capture(path);
        const PacketImage image = packet_image(trace);
        const Trace result = repaired(image, report);
        ASSERT_EQ(result.size(), image.rows.size());
        expect_legal(result);
        EXPECT_EQ(handshakes(result), handshakes(trace));
    }
    EXPECT_EQ(report.empty_rows, 0U);
    // Checksums change with the payload; 6 packets are of datagrams and conversations the capture cut.
    EXPECT_LE(report.packets_altered, 10U);
    EXPECT_LT(report.altered_share(), 1e-5);
}

TEST(ImageRepair, MakesDamagedImagesLegal) {
    for (const double share : {0.01, 0.1, 0.5}) {
        SCOPED_TRACE(share);
        ImageRepairReport report;
        std::uint64_t before = 0, after = 0;
        for (const std::filesystem::path& path : some_captures()) {
            SCOPED_TRACE(path.string());
            const Trace trace = read_capture(path);
            PacketImage image = packet_image(trace);
            Random random(7);
            flip_bits(image, share, random);
            const Trace result = repaired(image, report);
            ASSERT_EQ(result.size(), image.rows.size());
            expect_legal(result);
            before += handshakes(trace);
            after += handshakes(result);
            for (std::size_t i = 0; i < result.size(); ++i)
                EXPECT_EQ(result.packets[i].time_ns, image.rows[i].time_ns);
        }
        EXPECT_GE(after, before);  // a conversation that was whole is, and one that was not is made so
        // What was damaged, and numbers that move with wrong ones.
        EXPECT_LT(report.altered_share(), share < 0.1 ? 0.05 : share < 0.5 ? 1.0 / 6 : 0.5);
    }
}

TEST(ImageRepair, MakesAnythingLegal) {
    PacketImage image;
    Random random(3);
    for (std::uint32_t i = 0; i < 600; ++i) {
        ImageRow row;
        const std::uint64_t kind = random.below(4);
        for (std::int8_t& bit : row.bits) {
            if (kind == 0) bit = static_cast<std::int8_t>(static_cast<int>(random.below(3)) - 1);
            if (kind == 1) bit = 1;
            if (kind == 2) bit = 0;
            if (kind == 3) bit = -1;
        }
        row.flow = static_cast<std::uint32_t>(random.below(20));
        row.direction = random.chance(0.5) ? Direction::forward : Direction::reverse;
        row.time_ns = 1'000'000LL * i;
        image.rows.push_back(row);
    }
    image.flows.resize(20);
    ImageRepairReport report;
    const Trace result = repaired(image, report);
    EXPECT_EQ(result.size() + report.empty_rows, 600U);
    EXPECT_GT(report.empty_rows, 100U);
    EXPECT_GT(result.size(), 400U);
    expect_legal(result);
    EXPECT_EQ(report.packets, result.size());
}

TEST(ImageRepair, OfNothingIsNothing) {
    ImageRepairReport report;
    EXPECT_TRUE(repaired(PacketImage{}, report).empty());
    EXPECT_EQ(report.altered_share(), 0);
    PacketImage absent;
    absent.flows.resize(1);
    absent.rows.resize(3);
    for (ImageRow& row : absent.rows) row.bits.fill(-1);
    EXPECT_TRUE(repaired(absent, report).empty());
    EXPECT_EQ(report.empty_rows, 3U);
}

TEST(ImageRepair, CountsAlteredBitsByField) {
    Trace trace;
    testing::append_tcp_flow(trace, client, server, 0);
    PacketImage image = packet_image(trace);
    put(image.rows[3].bits, field::ttl, 0);           // 64 again: one bit
    put(image.rows[4].bits, field::header_words, 7);  // 5: one bit
    put(image.rows[4].bits, field::protocol, 17);     // 6: 10001 for 00110, four bits
    put(image.rows[5].bits, field::reserved_bit, 1);
    put(image.rows[6].bits, field::sequence, 5001 + 1000 + 4);  // 5001 is the number, by all others
    ImageRepairReport report;
    const Trace result = repaired(image, report);
    expect_legal(result);
    EXPECT_EQ(change(report, "ipv4_ttl").altered, 1U);
    EXPECT_EQ(change(report, "ipv4_ttl").bits, 8U * 8U);
    EXPECT_EQ(change(report, "ipv4_hl").altered, 1U);
    EXPECT_EQ(change(report, "ipv4_proto").altered, 4U);
    EXPECT_EQ(change(report, "ipv4_rbit").altered, 1U);
    EXPECT_EQ(change(report, "tcp_seq").altered, 1U);  // 6005 for 6001
    EXPECT_EQ(change(report, "tcp_ackn").altered, 0U);
    EXPECT_EQ(report.packets_altered, 4U);
    ImageRepairReport twice = report;
    twice.merge(report);
    EXPECT_EQ(change(twice, "ipv4_proto").altered, 8U);
    EXPECT_DOUBLE_EQ(twice.altered_share(), report.altered_share());
}

TEST(ImageRepair, EndsAreWhatMostRowsSayWhole) {
    Trace trace;
    for (int i = 0; i < 9; ++i)
        testing::append(trace, i * 1'000'000LL, testing::tcp_fields(client, server, tcp_flag::ack));
    PacketImage image = packet_image(trace);
    // By majority of each bit they would be 1000'0001'0010: 18.
    const std::uint32_t said[] = {22, 22, 22, 22, 2222, 2222, 2222, 443, 443};
    for (std::size_t i = 0; i < 9; ++i) put(image.rows[i].bits, field::tcp_destination, said[i]);
    ImageRepairReport report;
    const Trace result = repaired(image, report);
    for (const PacketView& packet : result.packets) EXPECT_EQ(load16(dissect(packet).tcp() + 2), 22);
}

TEST(ImageRepair, SegmentsThatFollowOnDoSoAfterLengthsWereMended) {
    using namespace tcp_flag;
    Trace trace;
    std::int64_t time = 0;
    const auto add = [&](const Endpoint& from, const Endpoint& to, std::uint8_t flags, std::uint32_t payload,
                         std::uint32_t sequence, std::uint32_t acknowledgement) {
        testing::append(trace, time += 1'000'000,
                        testing::tcp_fields(from, to, flags, payload, sequence, acknowledgement));
    };
    add(client, server, syn, 0, 999, 0);
    add(server, client, syn | ack, 0, 4999, 1000);
    for (std::uint32_t i = 0; i < 6; ++i) {
        add(client, server, ack, 0, 1000, 5000 + 1000 * i);
        add(server, client, ack, 1000, 5000 + 1000 * i, 1000);
    }
    ModelRows rows = model_rows(packet_image(trace));
    // What the server sends is longer than packets get, by each row's own account.
    for (std::uint32_t i = 3; i < rows.rows(); i += 2)
        put(rows.row(i).first<kNprintColumns>(), field::total_length, 2000 + 37 * i);
    Random random(1);
    ImageRepairReport report;
    const Trace result = repair_image(packet_image(rows, random), {}, random, report);
    ASSERT_EQ(result.size(), trace.size());
    expect_legal(result);
    std::uint32_t next = 0;  // of the server
    for (const PacketView& packet : result.packets) {
        const Headers h = dissect(packet);
        const std::uint8_t* const tcp = h.tcp();
        const bool of_server = load16(tcp) == server.port;
        if (next != 0) {
            EXPECT_EQ(load32(tcp + (of_server ? 4 : 8)), next);
        }
        if (of_server) next = load32(tcp + 4) + (next == 0 ? 1 : h.payload_length());
    }
}

TEST(ImageRepair, OpensConversations) {
    Trace whole;
    testing::append_tcp_flow(whole, client, server, 0);
    Trace late;  // from the request on
    for (std::size_t i = 3; i < whole.size(); ++i)
        late.append(whole.packets[i].time_ns, whole.packets[i].bytes, whole.packets[i].original_length);
    ImageRepairReport report;
    EXPECT_EQ(handshakes(repaired(packet_image(late), report)), 1U);
    RepairSettings as_it_is;
    as_it_is.handshake = false;
    ImageRepairReport untouched;
    const Trace same = repaired(packet_image(late), untouched, as_it_is);
    EXPECT_EQ(handshakes(same), 0U);
    EXPECT_EQ(untouched.packets_altered, 0U);
    expect_legal(same);
}

TEST(ImageRepair, WhatIsMadeASynLooksLikeTheOthers) {
    // Two connections with the same options; of the first the handshake is lost.
    Trace whole, trace;
    testing::append_tcp_flow(whole, client, server, 0);
    for (std::size_t i = 3; i < whole.size(); ++i)
        trace.append(whole.packets[i].time_ns, whole.packets[i].bytes, whole.packets[i].original_length);
    const Endpoint other{client.address, 40001};
    PacketFields fields = testing::tcp_fields(other, server, tcp_flag::syn, 0, 7, 0);
    fields.tcp_options = {2, 4, 0x05, 0xA0};
    fields.window = 12345;
    testing::append(trace, whole.packets.back().time_ns + 1'000'000, fields);
    ImageRepairReport report;
    const Trace result = repaired(packet_image(trace), report);
    expect_legal(result);
    const Headers first = dissect(result.packets[0]);
    EXPECT_EQ(first.tcp()[13], tcp_flag::syn);
    EXPECT_EQ(first.payload_length(), 0U);
    EXPECT_EQ(load16(first.tcp() + 14), 12345);
    ASSERT_EQ(first.tcp()[12] >> 4, 6);
    EXPECT_EQ(load32(first.tcp() + 20), 0x020405A0U);
}

TEST(ImageRepair, AFinTooEarlyComesLast) {
    using namespace tcp_flag;
    Trace trace;
    testing::append_tcp_flow(trace, client, server, 0);
    PacketImage image = packet_image(trace);
    std::vector<std::size_t> from_client;
    for (std::size_t i = 0; i < image.rows.size(); ++i) {
        put(image.rows[i].bits, field::tcp_flags,
            get(image.rows[i].bits, field::tcp_flags) & ~std::uint32_t{fin});
        if (image.rows[i].direction == Direction::forward) from_client.push_back(i);
    }
    const std::size_t early = 2;  // the last segment of the handshake; requests follow
    put(image.rows[early].bits, field::tcp_flags, ack | fin);
    ImageRepairReport report;
    const Trace result = repaired(image, report);
    expect_legal(result);
    for (const std::size_t i : from_client)
        EXPECT_EQ((dissect(result.packets[i]).tcp()[13] & fin) != 0, i == from_client.back()) << i;
}

TEST(ImageRepair, CutsFramesWithoutChangingThem) {
    Trace trace;
    testing::append_tcp_flow(trace, client, server, 0);
    const PacketImage image = packet_image(trace);
    ImageRepairReport report;
    RepairSettings cut;
    cut.whole_frames = false;
    const Trace whole = repaired(image, report), headers = repaired(image, report, cut);
    ASSERT_EQ(whole.size(), headers.size());
    EXPECT_EQ(whole.packets[4].bytes.size(), 14U + 20 + 20 + 1000);
    EXPECT_EQ(headers.packets[4].bytes.size(), 14U + 20 + 20);
    for (std::size_t i = 0; i < whole.size(); ++i) {
        EXPECT_EQ(whole.packets[i].original_length, headers.packets[i].original_length);
        EXPECT_TRUE(std::equal(headers.packets[i].bytes.begin(), headers.packets[i].bytes.end(),
                               whole.packets[i].bytes.begin()));
    }
}

TEST(ImageRepair, ErrorsQuoteWhatTheirReceiverSent) {
    Trace trace;
    PacketFields query = testing::tcp_fields(client, {server.address, 53}, 0, 40);
    query.protocol = ip_protocol::udp;
    testing::append(trace, 0, query);
    PacketFields error = testing::tcp_fields({server.address, 0}, {client.address, 0}, 0, 28);
    error.protocol = ip_protocol::icmp;
    error.icmp_type = 3;
    error.icmp_code = 3;
    testing::append(trace, 1, error);
    ImageRepairReport report;
    const Trace result = repaired(packet_image(trace), report);
    expect_legal(result);
    EXPECT_EQ(report.packets_altered, 0U);
    ASSERT_EQ(result.packets[1].bytes.size(), 14U + 20 + 8 + 28);
    EXPECT_TRUE(std::equal(result.packets[1].bytes.begin() + 42, result.packets[1].bytes.end(),
                           result.packets[0].bytes.begin() + 14));
}

TEST(ImageRepair, LongPacketsLoseTheirHighBits) {
    Trace trace;
    testing::append_dns_flow(trace, client, {server.address, 53}, 0);
    PacketImage image = packet_image(trace);
    const std::uint32_t length = get(image.rows[0].bits, field::total_length);
    put(image.rows[0].bits, field::total_length, length | 0x8000);
    ImageRepairReport report;
    const Trace result = repaired(image, report);
    EXPECT_EQ(result.packets[0].original_length, 14 + length);
    EXPECT_EQ(change(report, "ipv4_tl").altered, 1U);
    EXPECT_EQ(change(report, "udp_len").altered, 0U);
}

TEST(ImageRepair, SameSeedSameBytes) {
    PacketImage image = packet_image(read_capture(lab_captures().front()));
    for (std::size_t c = field::source.first; c < std::size_t{field::ip_options}; ++c) image.known[c] = false;
    for (ImageFlow& flow : image.flows) flow.source.address = flow.destination.address = IpAddress{};
    ImageRepairReport report;
    const Trace a = repaired(image, report), b = repaired(image, report);
    Random other(2);
    const Trace c = repair_image(image, {}, other, report);
    ASSERT_EQ(a.size(), b.size());
    bool same_as_c = true;
    for (std::size_t i = 0; i < a.size(); ++i) {
        EXPECT_TRUE(std::equal(a.packets[i].bytes.begin(), a.packets[i].bytes.end(),
                               b.packets[i].bytes.begin(), b.packets[i].bytes.end()));
        same_as_c &= std::equal(a.packets[i].bytes.begin(), a.packets[i].bytes.end(),
                                c.packets[i].bytes.begin(), c.packets[i].bytes.end());
    }
    EXPECT_FALSE(same_as_c);
}

std::vector<NprintRow> rows_of(const PacketImage& image) {
    std::vector<NprintRow> rows;
    for (const ImageRow& row : image.rows) rows.push_back(row.bits);
    return rows;
}

/// With the addresses, then without them: ports alone tell these flows apart.
TEST(FlowInference, FindsTheFlowsOfCaptures) {
    std::uint64_t rows = 0, differing = 0;
    for (const std::filesystem::path& path : some_captures()) {
        SCOPED_TRACE(path.string());
        const PacketImage real = packet_image(read_capture(path));
        std::vector<bool> known(kNprintColumns, true);
        for (const bool with_addresses : {true, false}) {
            if (!with_addresses) std::fill_n(known.begin() + field::source.first, 64, false);
            Random random(1);
            const PacketImage inferred = infer_flows(rows_of(real), known, random);
            ASSERT_EQ(inferred.rows.size(), real.rows.size());
            for (std::size_t i = 0; i < real.rows.size(); ++i) {
                EXPECT_EQ(inferred.rows[i].time_ns, 1'000'000LL * static_cast<std::int64_t>(i));
                differing += inferred.rows[i].flow != real.rows[i].flow ||
                             inferred.rows[i].direction != real.rows[i].direction;
                ++rows;
            }
        }
    }
    // A port that two conversations use after each other makes one flow of them, and moves the numbers after
    // it.
    EXPECT_LT(static_cast<double>(differing), 0.02 * static_cast<double>(rows));
}

TEST(FlowInference, NoiseDoesNotMakeFlows) {
    Trace trace;
    for (int i = 0; i < 40; ++i) testing::append_tcp_flow(trace, client, server, 1'000'000'000LL * i);
    PacketImage image = packet_image(trace);
    Random random(5);
    flip_bits(image, 0.03, random);
    const PacketImage inferred = infer_flows(rows_of(image), image.known, random);
    EXPECT_LE(inferred.flows.size(), 6U);  // one, but for rows with many wrong bits
}

TEST(FlowInference, DirectionOfEqualPortsIsDrawnAndTimesAreKept) {
    Trace trace;
    for (int i = 0; i < 200; ++i) {
        PacketFields fields = testing::tcp_fields({client.address, 5060}, {server.address, 5060}, 0, 20);
        fields.protocol = ip_protocol::udp;
        testing::append(trace, 200 - i, fields);
    }
    const PacketImage image = packet_image(trace);
    std::vector<bool> known(kNprintColumns, true);
    std::fill_n(known.begin() + field::source.first, 64, false);
    std::vector<std::int64_t> times;
    for (int i = 0; i < 200; ++i) times.push_back(1000 - i);
    Random random(1);
    const PacketImage inferred = infer_flows(rows_of(image), known, random, times);
    std::size_t reverse = 0;
    for (const ImageRow& row : inferred.rows) reverse += row.direction == Direction::reverse;
    EXPECT_GT(reverse, 50U);
    EXPECT_LT(reverse, 150U);
    EXPECT_EQ(inferred.rows.front().direction, Direction::forward);
    EXPECT_EQ(inferred.rows.back().time_ns, 199);
}

}  // namespace
}  // namespace tracebench::diffusion
