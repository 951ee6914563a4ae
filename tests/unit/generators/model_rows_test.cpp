#include "generators/diffusion/model_rows.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <set>

#include "generators/diffusion/row_fields.h"
#include "image_support.h"
#include "support.h"

namespace tracebench::diffusion {
namespace {

using namespace image_testing;
using testing::ip4;

TEST(RowFields, AreWhereNprintHasThem) {
    const std::pair<const char*, Field> fields[] = {
        {"ipv4_ver", field::version},
        {"ipv4_hl", field::header_words},
        {"ipv4_tos", field::tos},
        {"ipv4_tl", field::total_length},
        {"ipv4_id", field::ip_id},
        {"ipv4_rbit", field::reserved_bit},
        {"ipv4_dfbit", field::dont_fragment},
        {"ipv4_mfbit", field::more_fragments},
        {"ipv4_foff", field::fragment_offset},
        {"ipv4_ttl", field::ttl},
        {"ipv4_proto", field::protocol},
        {"ipv4_cksum", field::ip_checksum},
        {"ipv4_src", field::source},
        {"ipv4_dst", field::destination},
        {"ipv4_opt", {field::ip_options, 320}},
        {"tcp_sprt", field::tcp_source},
        {"tcp_dprt", field::tcp_destination},
        {"tcp_seq", field::sequence},
        {"tcp_ackn", field::acknowledgement},
        {"tcp_doff", field::data_offset},
        {"tcp_ackf", field::ack_flag},
        {"tcp_syn", field::syn_flag},
        {"tcp_wsize", field::window},
        {"tcp_cksum", field::tcp_checksum},
        {"tcp_urp", field::urgent_pointer},
        {"tcp_opt", {field::tcp_options, 320}},
        {"udp_sport", field::udp_source},
        {"udp_dport", field::udp_destination},
        {"udp_len", field::udp_length},
        {"udp_cksum", field::udp_checksum},
        {"icmp_type", field::icmp_type},
        {"icmp_code", field::icmp_code},
        {"icmp_cksum", field::icmp_checksum},
        {"icmp_roh", field::icmp_rest},
    };
    for (const auto& [name, ours] : fields) {
        const NprintField* theirs = find_nprint_field(name);
        ASSERT_NE(theirs, nullptr) << name;
        EXPECT_EQ(theirs->first, ours.first) << name;
        EXPECT_EQ(theirs->width, ours.width) << name;
    }
    EXPECT_EQ(find_nprint_field("tcp_cwr")->first, field::tcp_flags.first);
}

TEST(ScaledGap, IsTheLogarithmOfMicroseconds) {
    EXPECT_FLOAT_EQ(scaled_gap(0), -1);
    EXPECT_FLOAT_EQ(scaled_gap(-5), -1);
    EXPECT_NEAR(scaled_gap(1000), std::log(2.0) / 9 - 1, 1e-7);
    EXPECT_NEAR(scaled_gap(8'102'083), 0, 1e-6);       // e^9 - 1 = 8102.08 microseconds
    EXPECT_NEAR(scaled_gap(65'659'968'137), 1, 1e-6);  // e^18 - 1
    EXPECT_EQ(gap_ns(std::numeric_limits<float>::quiet_NaN()), 0);
    EXPECT_EQ(gap_ns(std::numeric_limits<float>::infinity()), 0);
    EXPECT_EQ(gap_ns(-7), 0);
    EXPECT_EQ(gap_ns(1e9F), 86'400'000'000'000);
    for (const std::int64_t gap : {1LL, 999LL, 1'000'000LL, 123'456'789LL, 59'999'999'999LL})
        EXPECT_NEAR(gap_ns(scaled_gap(gap)), gap, 1 + 2e-6 * gap);
}

/// A handshake, a request, its answer twice (a retransmission), by the numbers that the header promises.
TEST(ModelRows, CountersAreWhatTheFlowDoesNotPredict) {
    Trace trace;
    const Endpoint client{ip4(10, 0, 0, 9), 40000}, server{ip4(93, 184, 216, 34), 443};
    using namespace tcp_flag;
    const auto add = [&](const Endpoint& from, const Endpoint& to, std::uint8_t flags, std::uint32_t payload,
                         std::uint32_t sequence, std::uint32_t acknowledgement, std::uint16_t id) {
        PacketFields fields = testing::tcp_fields(from, to, flags, payload, sequence, acknowledgement);
        fields.ip_id = id;
        testing::append(trace, static_cast<std::int64_t>(trace.size()) * 1'000'000, fields);
    };
    add(client, server, syn, 0, 0xFFFFFFFF, 0, 7);
    add(server, client, syn | ack, 0, 500, 0, 0);
    add(client, server, ack | psh, 100, 0, 501, 8);
    add(server, client, ack, 1000, 501, 100, 65535);
    add(server, client, ack, 1000, 501, 100, 1);
    add(client, server, ack, 0, 100, 1001, 6);

    const ModelRows rows = model_rows(packet_image(trace));
    ASSERT_EQ(rows.rows(), 6U);
    const auto column = [&](Field f) {
        std::vector<std::uint32_t> values;
        for (std::size_t i = 0; i < rows.rows(); ++i)
            values.push_back(get(rows.row(i).first<kNprintColumns>(), f));
        return values;
    };
    using Values = std::vector<std::uint32_t>;
    EXPECT_EQ(column(field::sequence), (Values{0, 0, 0, 0, 1999, 0}));        // -1000 folds to 1999
    EXPECT_EQ(column(field::acknowledgement), (Values{0, 0, 0, 0, 0, 999}));  // 1001 of 1501: -500
    EXPECT_EQ(column(field::ip_id), (Values{1, 0, 2, 1, 2, 65534}));  // 1 follows 65535; 6 is 2 before 8
    EXPECT_EQ(column(field::tcp_source), (Values{0, 443, 0, 443, 443, 0}));
    EXPECT_EQ(column(field::tcp_destination), (Values{443, 0, 443, 0, 0, 443}));
    EXPECT_EQ(column(field::source), (Values{0x0A000000, 0, 0, 0, 0, 0}));
    EXPECT_EQ(column(field::destination), (Values{0xC6000000, 0, 0, 0, 0, 0}));
    EXPECT_EQ(column(field::ip_checksum), Values(6, 0));
    EXPECT_EQ(column(field::tcp_checksum), Values(6, 0));
    for (std::size_t i = 0; i < rows.rows(); ++i) {
        EXPECT_EQ(rows.row(i)[model_column::new_flow], i == 0);
        EXPECT_EQ(rows.row(i)[model_column::direction], i == 1 || i == 3 || i == 4);
        EXPECT_EQ(rows.row(i)[model_column::there], 1);
        EXPECT_FLOAT_EQ(rows.log_gap[i], i == 0 ? -1 : scaled_gap(1'000'000));
    }
}

void acknowledge(Trace& trace, const Endpoint& from, const Endpoint& to) {
    testing::append(trace, static_cast<std::int64_t>(trace.size()),
                    testing::tcp_fields(from, to, tcp_flag::ack));
}

TEST(ModelRows, FlowsAndHostsByHowRecentlyTheyWereUsed) {
    Trace trace;
    const Endpoint client{ip4(192, 168, 7, 3), 50000}, other{ip4(192, 168, 7, 3), 50001},
        server{ip4(8, 8, 8, 8), 443}, second{ip4(9, 9, 9, 9), 443};
    acknowledge(trace, client, server);  // a new flow of new hosts
    acknowledge(trace, other, second);   // of the same client
    acknowledge(trace, client, server);
    acknowledge(trace, server, client);
    acknowledge(trace, second, other);
    acknowledge(trace, {ip4(192, 168, 7, 3), 50002},
                server);  // known hosts: the client is the last used, the server the third
    const ModelRows rows = model_rows(packet_image(trace));
    std::vector<int> rank, begins;
    for (std::size_t i = 0; i < rows.rows(); ++i) {
        int value = 0;
        for (std::size_t bit = 0; bit < 5; ++bit)
            value = 2 * value + rows.row(i)[model_column::flow_rank + bit];
        rank.push_back(value);
        begins.push_back(rows.row(i)[model_column::new_flow]);
    }
    EXPECT_EQ(rank, (std::vector<int>{0, 0, 1, 0, 1, 0}));
    EXPECT_EQ(begins, (std::vector<int>{1, 1, 0, 0, 0, 1}));
    const auto bits = [&](std::size_t i) { return rows.row(i).first<kNprintColumns>(); };
    EXPECT_EQ(get(bits(1), field::source), 0x0A000002U);  // after the second of: client, server
    EXPECT_EQ(get(bits(1), field::destination), 0xC6000000U);
    EXPECT_EQ(get(bits(5), field::source), 0x0A000002U);       // server, client, second
    EXPECT_EQ(get(bits(5), field::destination), 0xC6000003U);  // server, second, client
}

TEST(ModelRows, NoMoreHostsThanAsked) {
    Trace trace;
    const Endpoint client{ip4(192, 168, 7, 3), 50000};
    acknowledge(trace, client, {ip4(8, 8, 8, 8), 443});
    acknowledge(trace, client, {ip4(9, 9, 9, 9), 443});
    acknowledge(trace, client, {ip4(192, 168, 7, 4), 443});
    const ModelRows rows = model_rows(packet_image(trace));
    EXPECT_EQ(count_hosts(rows), 4U);
    EXPECT_EQ(count_hosts(ModelRows{}), 0U);
    const auto ends = [&](std::size_t most) {
        Random random(1);
        std::vector<IpAddress> made;
        for (const ImageFlow& flow : packet_image(rows, random, most).flows) {
            EXPECT_NE(flow.source.address, flow.destination.address);
            made.push_back(flow.source.address);
            made.push_back(flow.destination.address);
        }
        return made;
    };
    const auto hosts = [](const std::vector<IpAddress>& made) {
        return std::set<IpAddress>(made.begin(), made.end()).size();
    };
    EXPECT_EQ(hosts(ends(4)), 4U);
    const std::vector<IpAddress> three = ends(3);
    EXPECT_EQ(hosts(three), 3U);
    EXPECT_EQ(three[5], three[3]);  // no other private one: the latest
    const std::vector<IpAddress> two = ends(2);
    EXPECT_EQ(hosts(two), 2U);
    EXPECT_EQ(two[3], two[1]);      // the global one
    EXPECT_EQ(hosts(ends(0)), 2U);  // a flow has two ends
}

TEST(ModelRows, PortsTellTheFlowWhereRankAndDirectionAreWrong) {
    Trace trace;
    const Endpoint client{ip4(192, 168, 7, 3), 50000}, other{ip4(192, 168, 7, 3), 50001},
        shell{ip4(8, 8, 8, 8), 22}, web{ip4(9, 9, 9, 9), 443};
    acknowledge(trace, client, shell);
    acknowledge(trace, other, web);
    acknowledge(trace, shell, client);
    acknowledge(trace, client, shell);
    acknowledge(trace, web, other);
    ModelRows rows = model_rows(packet_image(trace));
    for (std::size_t i = 2; i < rows.rows(); ++i) {
        rows.row(i)[model_column::direction] ^= 1;
        rows.row(i)[model_column::flow_rank + model_column::flow_rank_bits - 1] ^= 1;
    }
    Random random(1);
    const PacketImage image = packet_image(rows, random);
    std::vector<std::uint32_t> flows;
    std::vector<bool> reverse;
    for (const ImageRow& row : image.rows) {
        flows.push_back(row.flow);
        reverse.push_back(row.direction == Direction::reverse);
    }
    EXPECT_EQ(flows, (std::vector<std::uint32_t>{0, 1, 0, 0, 1}));
    EXPECT_EQ(reverse, (std::vector<bool>{false, false, true, false, true}));
}

TEST(ModelRows, EmphasisIsOnWhatOtherRowsHangOn) {
    const std::vector<std::int8_t> emphasis = column_emphasis();
    ASSERT_EQ(emphasis.size(), kTernary);
    for (const std::size_t column : {std::size_t{field::ack_flag.first}, std::size_t{field::syn_flag.first},
                                     model_column::direction, model_column::new_flow, model_column::there})
        EXPECT_GT(emphasis[column], 1) << column;
    EXPECT_EQ(emphasis[field::window.first], 1);
}

TEST(ModelRows, PastTheEndNothingIsThere) {
    Trace trace;
    testing::append_dns_flow(trace, {ip4(10, 0, 0, 1), 40000}, {ip4(10, 0, 0, 2), 53}, 0);
    ModelRows rows = model_rows(packet_image(trace));
    rows.pad(64);
    rows.pad(10);
    ASSERT_EQ(rows.rows(), 64U);
    ASSERT_EQ(rows.ternary.size(), 64 * kTernary);
    for (std::size_t i = 2; i < 64; ++i) {
        EXPECT_EQ(rows.row(i)[model_column::there], 0);
        EXPECT_EQ(std::count(rows.row(i).begin(), rows.row(i).end(), -1), kTernary - 1);
        EXPECT_EQ(rows.log_gap[i], kPaddingGap);
    }
    Random random(1);
    EXPECT_EQ(packet_image(rows, random).rows.size(), 2U);
    EXPECT_EQ(model_rows(PacketImage{}).rows(), 0U);
    EXPECT_TRUE(packet_image(ModelRows{}, random).rows.empty());
}

TEST(ModelRows, GroupAddressesStay) {
    Trace trace;
    PacketFields fields =
        testing::tcp_fields({ip4(192, 168, 0, 4), 5353}, {ip4(224, 0, 0, 251), 5353}, 0, 50);
    fields.protocol = ip_protocol::udp;
    testing::append(trace, 0, fields);
    Random random(1);
    const PacketImage image = packet_image(model_rows(packet_image(trace)), random);
    ASSERT_EQ(image.flows.size(), 1U);
    EXPECT_EQ(image.flows[0].destination.text(), "224.0.0.251:5353");
    EXPECT_EQ(image.flows[0].source.port, 5353);  // not ephemeral: the other is the same
    EXPECT_EQ(address_kind(image.flows[0].source.address), AddressKind::private_net);
}

/// Every capture of the lab set, through the model's numbers and back.
TEST(ModelRows, CapturesComeBack) {
    std::uint64_t rows = 0, captures = 0;
    for (const std::filesystem::path& path : lab_captures()) {
        SCOPED_TRACE(path.string());
        const PacketImage image = packet_image(read_capture(path));
        const ModelRows encoded = model_rows(image);
        EXPECT_EQ(encoded.reopened, 0U);
        for (const std::int8_t value : encoded.ternary) ASSERT_TRUE(value >= -1 && value <= 1);
        Random random(captures);
        expect_same_but_identities(image, packet_image(encoded, random));
        rows += image.rows.size();
        ++captures;
    }
    EXPECT_EQ(captures, 144U);
    EXPECT_GT(rows, 40'000U);
}

TEST(ModelRows, SameSeedSameImage) {
    const ModelRows rows = model_rows(packet_image(read_capture(lab_captures().front())));
    Random first(5), second(5), third(6);
    const PacketImage a = packet_image(rows, first), b = packet_image(rows, second),
                      c = packet_image(rows, third);
    const auto same = [](const PacketImage& x, const PacketImage& y) {
        return std::equal(x.rows.begin(), x.rows.end(), y.rows.begin(), y.rows.end(),
                          [](const ImageRow& r, const ImageRow& s) { return r.bits == s.bits; });
    };
    EXPECT_TRUE(same(a, b));
    EXPECT_FALSE(same(a, c));
}

}  // namespace
}  // namespace tracebench::diffusion
