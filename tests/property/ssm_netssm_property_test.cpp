// NetSSM's encoding: lossless on headers, and under constraints legal whatever the model asks for.

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <nlohmann/json.hpp>

#include "base/random.h"
#include "generators/ssm/encoding/netssm_encoding.h"
#include "traffic/capture_reader.h"
#include "traffic/packet_builder.h"
#include "traffic/rules/checker.h"

namespace tracebench::ssm {
namespace {

std::unique_ptr<NetssmEncoding> encoding() {
    return NetssmEncoding::make({"x"}, nlohmann::json::object());
}

Trace read_trace(const std::string& name) {
    Trace trace;
    CaptureReader reader(std::string(TRACEBENCH_SOURCE_DIR "/datasets/lab/") + name);
    PacketView packet;
    while (reader.next(packet)) trace.append(packet.time_ns, packet.bytes, packet.original_length);
    return trace;
}

std::uint64_t failures(const Trace& trace) {
    std::uint64_t failed = 0;
    for (const RuleResult& result : check_compliance(trace).rules) failed += result.failed;
    return failed;
}

Trace drain(TraceDecoder& decoder, Trace trace = {}) {
    while (auto packet = decoder.next_packet())
        trace.append(packet->time_ns, packet->bytes, packet->original_length);
    return trace;
}

/// Where checksums stand in a plain frame of IPv4: they are computed anew.
bool is_checksum(std::size_t at, std::uint8_t protocol) {
    const std::size_t field = protocol == ip_protocol::tcp ? 50 : 40;
    return at == 24 || at == 25 || at == field || at == field + 1;
}

PacketFields any_packet() {
    PacketFields f;
    f.src.address = {4, {10, *rc::gen::arbitrary<std::uint8_t>(), 1, 2}};
    f.dst.address = {4, {10, *rc::gen::arbitrary<std::uint8_t>(), 3, 4}};
    // Of no application whose first bytes rules know: those of a datagram would be mended.
    f.src.port = *rc::gen::inRange<std::uint16_t>(49152, 65535);
    f.dst.port = *rc::gen::inRange<std::uint16_t>(49152, 65535);
    f.protocol = *rc::gen::element(ip_protocol::tcp, ip_protocol::udp);
    f.ttl = *rc::gen::inRange<std::uint8_t>(1, 255);
    f.tos = *rc::gen::arbitrary<std::uint8_t>();
    f.ip_id = *rc::gen::arbitrary<std::uint16_t>();
    f.sequence = *rc::gen::arbitrary<std::uint32_t>();
    f.tcp_flags = tcp_flag::syn;
    f.window = *rc::gen::arbitrary<std::uint16_t>();
    if (*rc::gen::arbitrary<bool>()) f.tcp_options = {2, 4, 5, 0xB4, 4, 2, 1, 3, 3, 7};
    if (f.protocol == ip_protocol::udp) f.payload_length = *rc::gen::inRange<std::uint32_t>(0, 1400);
    f.payload.assign(f.payload_length, *rc::gen::arbitrary<std::uint8_t>());
    return f;
}

TEST(NetssmProperty, HeadersComeBack) {
    const auto codec = encoding();
    EXPECT_TRUE(rc::check("packets -> tokens -> packets", [&] {
        Trace trace;
        const int count = *rc::gen::inRange(1, 6);
        for (int i = 0; i < count; ++i) trace.append(i, build_packet(any_packet()));
        EncodeReport report;
        const auto tokens = codec->encode("x", trace, report);
        RC_ASSERT(report.packets == trace.size());
        for (const bool constrained : {false, true}) {
            const auto decoder = codec->decoder({"x", 1, constrained});
            for (std::size_t i = 1; i < tokens.size(); ++i) {
                RC_ASSERT(decoder->allowed(tokens[i]));
                decoder->accept(tokens[i]);
            }
            const Trace back = drain(*decoder);
            RC_ASSERT(back.size() == trace.size());
            for (std::size_t i = 0; i < back.size(); ++i) {
                const PacketView &ours = back.packets[i], &theirs = trace.packets[i];
                RC_ASSERT(ours.original_length == theirs.original_length);
                RC_ASSERT(std::equal(ours.bytes.begin(), ours.bytes.end(), theirs.bytes.begin()));
            }
        }
    }));
}

TEST(NetssmProperty, RealTrafficIsAllowedAndComesBack) {
    const auto codec = encoding();
    for (const char* name : {"web/web-01.pcap", "video/video-01.pcap", "download/download-01.pcap",
                             "ssh/ssh-01.pcap", "dns/dns-01.pcap", "rtp/rtp-01.pcap"}) {
        const Trace trace = read_trace(name);
        EncodeReport report;
        const auto tokens = codec->encode("x", trace, report);
        const auto decoder = codec->decoder({"x", 1, true});
        std::size_t refused = 0;
        for (std::size_t i = 1; i < tokens.size(); ++i) {
            refused += !decoder->allowed(tokens[i]);
            decoder->accept(tokens[i]);
        }
        EXPECT_LE(refused, tokens.size() / 1000) << name;
        const Trace back = drain(*decoder);
        ASSERT_EQ(back.size(), report.packets) << name;
        std::size_t at = 0;
        for (const PacketView& original : trace.packets) {
            if (!token_packet(original)) continue;
            const PacketView& ours = back.packets[at++];
            std::size_t different = 0;
            for (std::size_t i = 0; i < ours.bytes.size(); ++i)
                different += ours.bytes[i] != original.bytes[i] && !is_checksum(i, original.bytes[23]);
            ASSERT_EQ(different, 0U) << name << " packet " << at;
        }
        EXPECT_EQ(failures(back), 0U) << name;
    }
}

/// A model without any sense: follows a script, or draws uniform bytes.
class RandomModel {
  public:
    explicit RandomModel(std::uint64_t seed) : random_(seed) {}

    /// Only tokens that are allowed; ids are the bytes.
    Token next(TraceDecoder& decoder, const std::vector<Token>& script, std::size_t at, double mutation) {
        if (decoder.allowed(259)) return 259;
        if (const auto forced = decoder.forced()) return *forced;
        Token token = at < script.size() ? script[at] : static_cast<Token>(random_.below(256));
        if (random_.chance(mutation)) token = static_cast<Token>(random_.below(256));
        while (!decoder.allowed(token)) token = static_cast<Token>(random_.below(256));
        return token;
    }

  private:
    Random random_;
};

TEST(NetssmProperty, RandomWalksAreLegal) {
    const auto codec = encoding();
    EXPECT_TRUE(rc::check("uniform bytes", [&] {
        RandomModel model(*rc::gen::arbitrary<std::uint64_t>());
        const auto decoder = codec->decoder({"x", 1, true});
        while (decoder->packets() < 30) decoder->accept(model.next(*decoder, {}, 0, 1));
        const auto& ours = static_cast<const NetssmDecoder&>(*decoder);
        RC_ASSERT(ours.repaired() == 0U && ours.dropped() == 0U);
        RC_ASSERT(failures(drain(*decoder)) == 0U);
    }));
}

TEST(NetssmProperty, DamagedRealTrafficIsLegal) {
    const auto codec = encoding();
    std::vector<std::vector<Token>> scripts;
    for (const char* name : {"web/web-02.pcap", "download/download-02.pcap", "video/video-02.pcap"}) {
        EncodeReport report;
        auto tokens = codec->encode("x", read_trace(name), report);
        tokens.resize(std::min<std::size_t>(tokens.size(), 1 + 129 * 300));
        scripts.emplace_back(tokens.begin() + 1, tokens.end());
    }
    EXPECT_TRUE(rc::check("real tokens with mutations, among what is allowed", [&] {
        RandomModel model(*rc::gen::arbitrary<std::uint64_t>());
        const auto& script = scripts[*rc::gen::inRange<std::size_t>(0, 3)];
        const double mutation = *rc::gen::element(0.0005, 0.005, 0.02);
        const auto decoder = codec->decoder({"x", 1, true});
        for (std::size_t at = 0; at < script.size(); ++at)
            decoder->accept(model.next(*decoder, script, at, mutation));
        const auto& ours = static_cast<const NetssmDecoder&>(*decoder);
        RC_ASSERT(ours.repaired() == 0U && ours.dropped() == 0U);
        const Trace trace = drain(*decoder);
        RC_ASSERT(trace.size() == script.size() / 129);
        RC_ASSERT(failures(trace) == 0U);
    }));
}

/// Conversations of a model that has learned who talks to whom and how long packets are, and nothing else.
TEST(NetssmProperty, RandomSegmentsOfRealConversationsAreLegal) {
    const auto codec = encoding();
    EncodeReport report;
    const auto real = codec->encode("x", read_trace("web/web-04.pcap"), report);
    const std::vector<Token> script(real.begin() + 1, real.begin() + 1 + 129 * 200);
    EXPECT_TRUE(rc::check("uniform bytes but for lengths, addresses and ports", [&] {
        RandomModel model(*rc::gen::arbitrary<std::uint64_t>());
        const auto decoder = codec->decoder({"x", 1, true});
        for (std::size_t at = 0; at < script.size(); ++at) {
            const std::size_t field = at % 129;
            const bool kept = field < 18 || field == 23 || (field >= 26 && field < 38);
            decoder->accept(model.next(*decoder, script, at, kept ? 0 : 1));
        }
        const auto& ours = static_cast<const NetssmDecoder&>(*decoder);
        RC_ASSERT(ours.repaired() == 0U && ours.dropped() == 0U);
        const Trace trace = drain(*decoder);
        std::uint64_t checked = 0;
        for (const RuleResult& result : check_compliance(trace).rules)
            if (result.rule->id == "tcp.flow.acknowledgement") checked = result.checked;
        RC_ASSERT(checked > 0U);
        RC_ASSERT(failures(trace) == 0U);
    }));
}

/// accept() wants tokens that are allowed. What comes of others need not be legal, but has to be packets.
TEST(NetssmProperty, ArbitraryTokensGivePackets) {
    const auto codec = encoding();
    EncodeReport report;
    const auto real = codec->encode("x", read_trace("web/web-03.pcap"), report);
    EXPECT_TRUE(rc::check("tokens that were never asked for", [&] {
        Random random(*rc::gen::arbitrary<std::uint64_t>());
        const bool constrained = *rc::gen::arbitrary<bool>();
        const double mutation = *rc::gen::element(0.001, 0.02, 1.0);
        const auto decoder = codec->decoder({"x", 1, constrained});
        const std::size_t count = std::min<std::size_t>(real.size(), 129 * 60);
        for (std::size_t i = 1; i < count; ++i) {
            const Token junk = static_cast<Token>(random.below(280)) - 10;
            decoder->accept(random.chance(mutation) ? junk : real[i]);
        }
        const Trace trace = drain(*decoder);
        RC_ASSERT(trace.size() == decoder->packets());
        for (const PacketView& packet : trace.packets)
            RC_ASSERT(packet.bytes.size() >= 14U && packet.original_length >= packet.bytes.size());
    }));
}

}  // namespace
}  // namespace tracebench::ssm
