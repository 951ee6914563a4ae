#include "generators/baseline/markov.h"

#include <cmath>
#include <map>
#include <set>

#include "support.h"
#include "traffic/flow_split.h"

namespace tracebench {
namespace {

using namespace tracebench::testing;

struct Markov : ::testing::Test {
    std::unique_ptr<Generator> generator = make_generator("markov", nullptr);
    std::vector<Trace> sessions;

    Markov() {
        generator->fit(web_sessions(6), {});
        SampleRequest request = request_for("web", 40);
        request.constrained = false;
        sessions = sample_all(*generator, request);
    }
};

TEST_F(Markov, DrawsSessionsOfThreeFlowsAroundOneClient) {
    ASSERT_EQ(sessions.size(), 40U);
    for (const Trace& session : sessions) {
        const auto flows = split_flows(session);
        EXPECT_EQ(flows.size(), 3U);
        std::set<IpAddress> clients;
        for (const FlowPackets& flow : flows) {
            clients.insert(flow.flow.src.address);
            EXPECT_EQ(address_kind(flow.flow.src.address), AddressKind::private_net);
            EXPECT_TRUE(flow.flow.dst.port == 443 || flow.flow.dst.port == 53);
        }
        EXPECT_EQ(clients.size(), 1U);
        EXPECT_TRUE(std::is_sorted(session.packets.begin(), session.packets.end(),
                                   [](const auto& a, const auto& b) { return a.time_ns < b.time_ns; }));
        expect_right_checksums(session);
    }
}

/// Every training flow is the same, so the chain has one path: handshake, data, teardown.
TEST_F(Markov, RepeatsTheOnlyPathThereIs) {
    for (const Trace& session : sessions) {
        for (const FlowPackets& flow : split_flows(session)) {
            if (flow.flow.key.protocol != ip_protocol::tcp) continue;
            EXPECT_EQ(flow.packets.size(), 8U);
            EXPECT_TRUE(flow.flow.handshake);
            EXPECT_TRUE(flow.flow.closed);
            EXPECT_EQ(flow.flow.retransmissions, 0U);
            EXPECT_EQ(flow.flow.out_of_order, 0U);
            EXPECT_NEAR(flow.flow.duration_s(), 0.07, 0.07 / 32 + 1e-9);
            EXPECT_EQ(flow.flow.bytes[0], 54U * 4 + 58 + 100);  // five packets, the SYN with an MSS option
            EXPECT_EQ(flow.flow.bytes[1], 54U * 2 + 58 + 1000 - 0U);
        }
    }
}

TEST_F(Markov, CountsSequenceNumbersOn) {
    for (const Trace& session : sessions) {
        for (const FlowPackets& flow : split_flows(session)) {
            if (flow.flow.key.protocol != ip_protocol::tcp) continue;
            std::uint32_t next[2] = {0, 0};
            bool seen[2] = {false, false};
            for (std::size_t i = 0; i < flow.packets.size(); ++i) {
                const PacketView& packet = session.packets[flow.packets[i]];
                const auto fields = *packet_fields(packet, dissect(packet));
                const auto from = static_cast<std::size_t>(flow.directions[i]);
                if (seen[from]) {
                    EXPECT_EQ(fields.sequence, next[from]);
                }
                if (fields.tcp_flags & tcp_flag::ack) {
                    EXPECT_EQ(fields.acknowledgement, next[1 - from]);
                }
                const bool counts = fields.tcp_flags & (tcp_flag::syn | tcp_flag::fin);
                next[from] = fields.sequence + fields.payload_length + (counts ? 1 : 0);
                seen[from] = true;
            }
        }
    }
}

TEST_F(Markov, TakesOverEachEndsHabits) {
    for (const Trace& session : sessions) {
        for (const PacketView& packet : session.packets) {
            const auto fields = *packet_fields(packet, dissect(packet));
            if (fields.protocol != ip_protocol::tcp) continue;
            EXPECT_EQ(fields.ttl, fields.dst.port == 443 ? 64 : 57);
            EXPECT_EQ(fields.window, fields.dst.port == 443 ? 502 : 8000);
            if (fields.src.port == 443) {
                EXPECT_EQ(fields.ip_id, 0);
            }
        }
    }
}

TEST_F(Markov, KeepsTimestampsGoing) {
    Trace trace;
    const Endpoint client{ip4(192, 168, 1, 7), 50000}, server{ip4(93, 184, 216, 34), 443};
    for (int i = 0; i < 6; ++i) {
        PacketFields fields = i % 2 == 0 ? tcp_fields(client, server, tcp_flag::ack, 10)
                                         : tcp_fields(server, client, tcp_flag::ack, 10);
        fields.tcp_options = {1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 1};
        append(trace, recorded_ns + i * 100 * millisecond, fields);
    }
    generator->fit({{"ts", "web", trace}}, {});
    SampleRequest request = request_for("web", 1);
    request.constrained = false;
    const Trace session = sample_all(*generator, request).at(0);
    std::map<std::uint16_t, std::uint32_t> last;  // by source port
    std::map<std::uint16_t, std::int64_t> last_time;
    for (const PacketView& packet : session.packets) {
        const auto fields = *packet_fields(packet, dissect(packet));
        ASSERT_EQ(fields.tcp_options.size(), 12U);
        const std::uint32_t value = load32(&fields.tcp_options[4]), echo = load32(&fields.tcp_options[8]);
        if (last.contains(fields.src.port)) {
            EXPECT_NEAR(value - last[fields.src.port],
                        static_cast<double>(packet.time_ns - last_time[fields.src.port]) / millisecond, 1.0);
        }
        if (last.contains(fields.dst.port)) {
            EXPECT_EQ(echo, last[fields.dst.port]);
        }
        last[fields.src.port] = value;
        last_time[fields.src.port] = packet.time_ns;
    }
    EXPECT_EQ(last.size(), 2U);
}

TEST_F(Markov, HoldsTheLimitOfPackets) {
    SampleRequest request = request_for("web", 5);
    request.max_packets = 4;
    for (const Trace& session : sample_all(*generator, request)) EXPECT_EQ(session.size(), 4U);
}

TEST_F(Markov, NeedsFlows) {
    Trace none;
    none.append(0, std::vector<std::uint8_t>(60));
    EXPECT_THROW(generator->fit({{"none", "web", none}}, {}), InputError);
    EXPECT_THROW(generator->fit({}, {}), InputError);
}

TEST_F(Markov, KnowsWhatItLearnedFrom) {
    Progress progress;
    std::vector<LabelledTrace> samples = web_sessions(6);
    Trace other;
    append_tcp_flow(other, {ip4(192, 168, 0, 9), 50000}, {ip4(198, 51, 100, 9), 25}, 0);
    samples.push_back({"other", "web", other});
    samples.push_back({"unknown", "nobody", other});
    samples.push_back({"empty", "web", Trace()});
    Trace ping;
    PacketFields echo;
    echo.src = {ip4(192, 168, 0, 9), 0};
    echo.dst = {ip4(198, 51, 100, 9), 0};
    echo.protocol = ip_protocol::icmp;
    append(ping, 0, echo);
    samples.push_back({"ping", "web", ping});
    const auto losses = *generator->losses(samples, progress);
    ASSERT_EQ(losses.size(), 10U);
    for (std::size_t i = 0; i < 6; ++i) EXPECT_LT(losses[i], losses[6]) << i;
    EXPECT_TRUE(std::isnan(losses[7]));
    EXPECT_TRUE(std::isnan(losses[8]));
    EXPECT_TRUE(std::isinf(losses[9]));
    EXPECT_FALSE(make_generator("resample", nullptr)->losses(samples, progress));
}

}  // namespace
}  // namespace tracebench
