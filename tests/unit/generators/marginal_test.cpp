#include "generators/baseline/marginal.h"

#include <map>
#include <set>

#include "support.h"

namespace tracebench {
namespace {

using namespace tracebench::testing;

/// Share of each value that `value_of` gives for TCP packets (or all packets).
template <typename ValueOf>
std::map<std::uint64_t, double> shares_of(const std::vector<Trace>& traces, const ValueOf& value_of,
                                          bool only_tcp = true) {
    std::map<std::uint64_t, double> shares;
    double total = 0;
    for (const Trace& trace : traces) {
        for (const PacketView& packet : trace.packets) {
            const auto fields = packet_fields(packet, dissect(packet));
            if (!fields || (only_tcp && fields->protocol != ip_protocol::tcp)) continue;
            ++shares[value_of(*fields)];
            ++total;
        }
    }
    for (auto& [value, share] : shares) share /= total;
    return shares;
}

void expect_close(const std::map<std::uint64_t, double>& real,
                  const std::map<std::uint64_t, double>& synthetic, double tolerance) {
    std::set<std::uint64_t> values;
    for (const auto* side : {&real, &synthetic})
        for (const auto& [value, share] : *side) values.insert(value);
    for (const std::uint64_t value : values) {
        const double a = real.contains(value) ? real.at(value) : 0,
                     b = synthetic.contains(value) ? synthetic.at(value) : 0;
        EXPECT_NEAR(a, b, tolerance) << "value " << value;
    }
}

struct Marginal : ::testing::Test {
    std::vector<Trace> real;
    std::unique_ptr<Generator> generator = make_generator("marginal", nullptr);
    std::vector<Trace> synthetic;

    Marginal() {
        const auto samples = web_sessions(4);
        for (const LabelledTrace& sample : samples) real.push_back(sample.trace);
        generator->fit(samples, {});
        SampleRequest request = request_for("web", 200);
        request.constrained = false;
        synthetic = sample_all(*generator, request);
    }
};

TEST_F(Marginal, MatchesEachFieldAlone) {
    // 200 sessions of 18 packets, most of them TCP: a share's standard deviation is below 0.01.
    const auto check = [&](const auto& value_of, bool only_tcp = true) {
        expect_close(shares_of(real, value_of, only_tcp), shares_of(synthetic, value_of, only_tcp), 0.045);
    };
    check([](const PacketFields& f) { return f.ttl; }, false);
    // Lengths below those of the longest headers may have been raised to them.
    const auto ip_length = [](const PacketFields& f) -> std::uint64_t {
        const std::size_t transport = f.protocol == ip_protocol::tcp ? 20 + f.tcp_options.size() : 8;
        const std::uint64_t length = 20 + transport + f.payload_length;
        return length > 44 ? length : 0;
    };
    check(ip_length, false);
    check([](const PacketFields& f) { return f.tcp_flags; });
    check([](const PacketFields& f) { return f.window; });
    check([](const PacketFields& f) { return f.dst.port; });
    check([](const PacketFields& f) { return f.src.port; });
    check([](const PacketFields& f) { return f.tcp_options.size(); });
}

TEST_F(Marginal, BreaksWhatFieldsHaveTogether) {
    const auto same_port = [](const PacketFields& f) { return f.src.port == 443 && f.dst.port == 443; };
    const auto client_ttl = [](const PacketFields& f) { return f.src.port == 443 && f.ttl == 64; };
    EXPECT_FALSE(shares_of(real, same_port).contains(1));
    EXPECT_FALSE(shares_of(real, client_ttl).contains(1));
    // In the real sessions 3 of 8 packets come from port 443 and 5 of 8 go there.
    EXPECT_NEAR(shares_of(synthetic, same_port)[1], 3.0 / 8 * 5 / 8, 0.04);
    EXPECT_GT(shares_of(synthetic, client_ttl)[1], 0.1);
}

TEST_F(Marginal, NamesNobody) {
    std::set<IpAddress> known;
    std::set<MacAddress> stations;
    for (const auto* traces : {&real, &synthetic}) {
        for (const Trace& trace : *traces) {
            for (const PacketView& packet : trace.packets) {
                const auto fields = *packet_fields(packet, dissect(packet));
                for (const IpAddress& address : {fields.src.address, fields.dst.address}) {
                    if (traces == &real)
                        known.insert(address);
                    else
                        EXPECT_FALSE(known.contains(address)) << address.text();
                }
                for (const MacAddress& mac : {fields.src_mac, fields.dst_mac}) {
                    if (traces == &real)
                        stations.insert(mac);
                    else
                        EXPECT_FALSE(stations.contains(mac));
                }
            }
        }
    }
    EXPECT_FALSE(known.empty());
}

TEST_F(Marginal, MakesFramesThatParse) {
    for (const Trace& trace : synthetic) {
        for (const PacketView& packet : trace.packets) {
            const Headers headers = dissect(packet);
            ASSERT_TRUE(headers.has_tcp() || headers.has_udp());
            EXPECT_TRUE(headers.transport_complete);
            EXPECT_EQ(headers.ip_end, packet.bytes.size());
        }
        expect_right_checksums(trace);
    }
}

TEST_F(Marginal, CutsPacketsWhereTheTrainingCapturesDid) {
    generator->fit({{"cut", "web", web_session(0, 70)}}, {});
    std::size_t cut = 0;
    for (const Trace& trace : sample_all(*generator, request_for("web", 20))) {
        for (const PacketView& packet : trace.packets) {
            EXPECT_LE(packet.bytes.size(), 70U);
            cut += packet.truncated() ? 1 : 0;
        }
    }
    EXPECT_GT(cut, 0U);
}

TEST_F(Marginal, HoldsTheLimitOfPackets) {
    SampleRequest request = request_for("web", 5);
    request.max_packets = 3;
    for (const Trace& trace : sample_all(*generator, request)) EXPECT_EQ(trace.size(), 3U);
}

TEST_F(Marginal, NeedsPacketsItUnderstands) {
    Trace empty;
    empty.append(0, std::vector<std::uint8_t>(60));
    EXPECT_THROW(generator->fit({{"none", "web", empty}}, {}), InputError);
    EXPECT_THROW(generator->fit({}, {}), InputError);
}

}  // namespace
}  // namespace tracebench
