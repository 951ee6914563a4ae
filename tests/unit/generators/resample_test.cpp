#include "generators/baseline/resample.h"

#include <map>
#include <set>

#include "support.h"
#include "traffic/flow_split.h"

namespace tracebench {
namespace {

using namespace tracebench::testing;

std::unique_ptr<Generator> fitted(const std::vector<LabelledTrace>& samples) {
    auto generator = make_generator("resample", nullptr);
    generator->fit(samples, {});
    return generator;
}

TEST(Resample, KeepsSizesAndTimes) {
    const auto generator = fitted(web_sessions(1));
    const Trace original = web_session(0);
    const Trace fresh = sample_all(*generator, request_for("web", 1)).at(0);
    ASSERT_EQ(fresh.size(), original.size());
    for (std::size_t i = 0; i < fresh.size(); ++i) {
        const PacketView &a = original.packets[i], &b = fresh.packets[i];
        EXPECT_EQ(b.original_length, a.original_length);
        EXPECT_EQ(b.bytes.size(), a.bytes.size());
        EXPECT_EQ(b.time_ns - fresh.packets[0].time_ns, a.time_ns - original.packets[0].time_ns);
    }
    EXPECT_NE(fresh.packets[0].time_ns, original.packets[0].time_ns);
}

TEST(Resample, ExchangesIdentifiersConsistently) {
    const auto generator = fitted(web_sessions(1));
    const Trace original = web_session(0);
    const Trace fresh = sample_all(*generator, request_for("web", 1)).at(0);
    std::map<IpAddress, IpAddress> addresses;
    std::map<MacAddress, MacAddress> macs;
    std::map<std::uint16_t, std::uint16_t> ports;
    for (std::size_t i = 0; i < fresh.size(); ++i) {
        const auto a = *packet_fields(original.packets[i], dissect(original.packets[i]));
        const auto b = *packet_fields(fresh.packets[i], dissect(fresh.packets[i]));
        for (const auto& [from, to] : {std::pair(a.src, b.src), std::pair(a.dst, b.dst)}) {
            EXPECT_NE(to.address, from.address);
            EXPECT_EQ(addresses.try_emplace(from.address, to.address).first->second, to.address);
            EXPECT_EQ(ports.try_emplace(from.port, to.port).first->second, to.port);
        }
        EXPECT_NE(a.src_mac, b.src_mac);
        EXPECT_EQ(macs.try_emplace(a.src_mac, b.src_mac).first->second, b.src_mac);
        EXPECT_EQ(macs.try_emplace(a.dst_mac, b.dst_mac).first->second, b.dst_mac);
        EXPECT_EQ(a.sequence, b.sequence);
        EXPECT_EQ(a.tcp_flags, b.tcp_flags);
        EXPECT_EQ(a.payload, b.payload);
    }
    EXPECT_EQ(ports.at(443), 443);
    EXPECT_EQ(ports.at(53), 53);
    EXPECT_NE(ports.at(50000), 50000);
    EXPECT_EQ(split_flows(fresh).size(), split_flows(original).size());
    expect_right_checksums(fresh);
}

/// The independent check of RFC 1624 arithmetic: with the payload back in place the sums must be right.
TEST(Resample, KeepsChecksumsOfCutPacketsRight) {
    const auto generator = fitted({{"cut", "web", web_session(0, 60)}});
    const Trace whole = web_session(0);
    const Trace fresh = sample_all(*generator, request_for("web", 1)).at(0);
    Trace completed;
    std::size_t cut = 0;
    for (std::size_t i = 0; i < fresh.size(); ++i) {
        std::vector<std::uint8_t> frame(fresh.packets[i].bytes.begin(), fresh.packets[i].bytes.end());
        cut += fresh.packets[i].truncated() ? 1 : 0;
        const auto& original = whole.packets[i].bytes;
        frame.insert(frame.end(), original.begin() + static_cast<std::ptrdiff_t>(frame.size()),
                     original.end());
        completed.append(0, frame);
    }
    EXPECT_GT(cut, 0U);
    expect_right_checksums(completed);
}

TEST(Resample, RewritesPacketsQuotedInIcmpErrors) {
    const Endpoint client{ip4(192, 168, 1, 7), 50000}, server{ip4(93, 184, 216, 34), 33434};
    PacketFields probe;
    probe.protocol = ip_protocol::udp;
    probe.src = client;
    probe.dst = server;
    probe.payload_length = 32;
    Trace session;
    append(session, recorded_ns, probe);
    PacketFields error;
    error.protocol = ip_protocol::icmp;
    error.src = {ip4(10, 0, 0, 1), 0};
    error.dst = {client.address, 0};
    error.icmp_type = 11;
    const auto probe_frame = build_packet(probe);
    error.payload.assign(probe_frame.begin() + 14, probe_frame.begin() + 14 + 28);  // IP header and 8 bytes
    error.payload_length = 28;
    append(session, recorded_ns + millisecond, error);

    const auto generator = fitted({{"trace", "web", session}});
    SampleRequest request = request_for("web", 1);
    request.constrained = false;  // so that only incremental updates touch the sums
    const Trace fresh = sample_all(*generator, request).at(0);
    expect_right_checksums(fresh);
    const auto outer = *packet_fields(fresh.packets[0], dissect(fresh.packets[0]));
    const std::uint8_t* quote = fresh.packets[1].bytes.data() + 14 + 20 + 8;
    EXPECT_TRUE(std::equal(quote, quote + 28, fresh.packets[0].bytes.data() + 14));
    EXPECT_NE(outer.src.port, 50000);
    EXPECT_EQ(outer.dst.port, 33434);  // both are high: the end that sent first is the client
}

TEST(Resample, RewritesArp) {
    std::vector<std::uint8_t> arp = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 2, 0, 0, 0, 0,   1,   8, 6,
                                     0,    1,    8,    0,    6,    4,    0, 1, 2, 0, 0,   0,   0, 1,
                                     192,  168,  1,    7,    0,    0,    0, 0, 0, 0, 192, 168, 1, 1};
    Trace session;
    session.append(recorded_ns, arp);
    append_dns_flow(session, {ip4(192, 168, 1, 7), 40000}, {ip4(192, 168, 1, 1), 53},
                    recorded_ns + millisecond);
    const Trace fresh = sample_all(*fitted({{"arp", "web", session}}), request_for("web", 1)).at(0);
    const std::uint8_t* frame = fresh.packets[0].bytes.data();
    const auto query = *packet_fields(fresh.packets[1], dissect(fresh.packets[1]));
    EXPECT_TRUE(std::equal(frame, frame + 6, arp.begin()));      // broadcast stays
    EXPECT_TRUE(std::equal(frame + 6, frame + 12, frame + 22));  // sender in both headers
    EXPECT_TRUE(std::equal(frame + 6, frame + 12, query.src_mac.begin()));
    EXPECT_TRUE(std::equal(frame + 28, frame + 32, query.src.address.bytes.begin()));
    EXPECT_TRUE(std::equal(frame + 38, frame + 42, query.dst.address.bytes.begin()));
    EXPECT_TRUE(std::equal(frame + 32, frame + 38, arp.begin() + 32));  // unknown target stays zero
}

TEST(Resample, CorrectsWrongChecksumsOnlyWhenConstrained) {
    Trace session = web_session(0);
    Trace wrong;
    for (const PacketView& packet : session.packets) {
        std::vector<std::uint8_t> frame(packet.bytes.begin(), packet.bytes.end());
        const Headers headers = dissect(packet);
        const std::size_t field = headers.transport_offset + (headers.has_tcp() ? 16U : 6U);
        frame[field] ^= 0x40;
        wrong.append(packet.time_ns, frame);
    }
    const auto generator = fitted({{"wrong", "web", wrong}});
    expect_right_checksums(sample_all(*generator, request_for("web", 1)).at(0));
    SampleRequest request = request_for("web", 1);
    request.constrained = false;
    const Trace as_it_was = sample_all(*generator, request).at(0);
    for (const PacketView& packet : as_it_was.packets) {
        const Headers headers = dissect(packet);
        EXPECT_NE(load16(headers.transport() + (headers.has_tcp() ? 16 : 6)), transport_checksum(headers));
    }
}

TEST(Resample, DrawsWithoutRepeatsUntilAllAreUsed) {
    std::vector<LabelledTrace> samples;
    for (std::size_t packets = 2; packets <= 6; ++packets) {
        Trace session = web_session(0);
        session.packets.resize(packets);
        samples.push_back({std::to_string(packets), "web", session});
    }
    const auto generator = fitted(samples);
    std::set<std::size_t> first, second;
    const auto traces = sample_all(*generator, request_for("web", 10));
    ASSERT_EQ(traces.size(), 10U);
    for (std::size_t i = 0; i < 5; ++i) first.insert(traces[i].size());
    for (std::size_t i = 5; i < 10; ++i) second.insert(traces[i].size());
    EXPECT_EQ(first, (std::set<std::size_t>{2, 3, 4, 5, 6}));
    EXPECT_EQ(second, first);
}

TEST(Resample, RejectsWhatItCannotDo) {
    EXPECT_THROW(make_generator("resample", nullptr)->fit({}, {}), InputError);
    const auto generator = fitted(web_sessions(1));
    const std::string message = input_error([&] { sample_all(*generator, request_for("vid\x1B[2Jeo", 1)); });
    EXPECT_NE(message.find("it has: web"), std::string::npos) << message;
    EXPECT_EQ(message.find('\x1B'), std::string::npos);
}

}  // namespace
}  // namespace tracebench
