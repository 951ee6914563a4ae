#include "ssm_fields_support.h"
#include "traffic/flow_split.h"

namespace tracebench::ssm {
namespace {

using namespace fields_testing;

TEST(FieldsLossless, EveryLabCapture) {
    const FieldsEncoding encoding({"any"});
    const auto captures = lab_captures();
    ASSERT_FALSE(captures.empty());
    EncodeReport total;
    for (const auto& path : captures) {
        SCOPED_TRACE(path.filename());
        const Trace trace = read_trace(path.string());
        expect_lossless(encoding, trace);
        encoding.encode("any", trace, total);
    }
    EXPECT_GT(total.packets, 10'000U);
    // A packet in a few tokens is what the encoding is for: 12 is the bound that the design promises.
    EXPECT_LT(static_cast<double>(total.tokens) / static_cast<double>(total.packets), 12);
}

/// Without what was under way when a connection was reset, and the resets that answer it.
Trace up_to_resets(const Trace& trace) {
    std::vector<bool> late(trace.size());
    for (const FlowPackets& flow : split_flows(trace)) {
        bool reset = false;
        for (const std::uint32_t i : flow.packets) {
            late[i] = reset;
            const Headers headers = dissect(trace.packets[i]);
            reset |= headers.has_tcp() && (headers.tcp()[13] & tcp_flag::rst) != 0;
        }
    }
    Trace kept = trace;
    std::size_t i = 0;
    std::erase_if(kept.packets, [&](const PacketView&) { return late[i++]; });
    return kept;
}

// What the model is allowed to write has to include what networks do, up to resets: they end a flow. (A
// length is judged before a sequence number is said, so that what only a retransmission may have is refused.)
TEST(FieldsLossless, ConstraintsAllowRealTraffic) {
    const FieldsEncoding encoding({"any"});
    std::uint64_t fed = 0, refused = 0;
    for (const auto& path : lab_captures()) {
        EncodeReport report;
        const FieldsTranscript transcript =
            encoding.transcribe("any", up_to_resets(read_trace(path.string())), report);
        const auto decoder = encoding.replay("any", transcript.identities, true);
        for (std::size_t i = 1; i < transcript.tokens.size(); ++i, ++fed) {
            refused += decoder->allowed(transcript.tokens[i]) ? 0 : 1;
            decoder->accept(transcript.tokens[i]);
        }
    }
    EXPECT_GT(fed, 100'000U);
    EXPECT_LT(static_cast<double>(refused), 0.001 * static_cast<double>(fed)) << refused << " of " << fed;
}

PacketFields datagram(const Endpoint& src, const Endpoint& dst, std::uint16_t ip_id) {
    PacketFields fields;
    fields.protocol = ip_protocol::udp;
    fields.src = src;
    fields.dst = dst;
    fields.ip_id = ip_id;
    fields.payload_length = 20;
    return fields;
}

const Endpoint client{{4, {10, 0, 0, 1}}, 50000}, server{{4, {198, 51, 100, 9}}, 53};

// A flow whose first packet cannot be said begins with the answer to it: directions are those of what is
// left.
TEST(FieldsLossless, AFlowsFirstPacketIsLeftOut) {
    const FieldsEncoding encoding({"any"});
    Trace trace;
    std::vector<std::uint8_t> odd = build_packet(datagram(client, server, 1));
    odd[14 + 6] |= 0x80;  // the reserved flag of RFC 791
    trace.append(0, odd, static_cast<std::uint32_t>(odd.size()));
    for (std::uint16_t i = 0; i < 6; ++i) {
        const bool answer = i % 2 == 0;
        const auto frame = build_packet(answer ? datagram(server, client, static_cast<std::uint16_t>(500 + i))
                                               : datagram(client, server, static_cast<std::uint16_t>(2 + i)));
        trace.append((i + 1) * 1'000'000, frame, static_cast<std::uint32_t>(frame.size()));
    }
    EXPECT_EQ(expect_lossless(encoding, trace), 1U);
}

// The same ports again, in silence and after more of it than a flow outlives: recorded ports are not drawn
// anew.
TEST(FieldsLossless, PortsUsedAgain) {
    const FieldsEncoding encoding({"any"});
    Trace trace;
    for (const std::int64_t second : {0, 10, 75, 76, 200})
        for (const bool answer : {true, false}) {
            const auto frame =
                build_packet(answer ? datagram(server, client, 7) : datagram(client, server, 8));
            trace.append(second * 1'000'000'000 + (answer ? 0 : 5), frame,
                         static_cast<std::uint32_t>(frame.size()));
        }
    EXPECT_EQ(expect_lossless(encoding, trace), 0U);
}

// A flow takes the place of one with its ports, and an older one (TCP, which may be silent for longer) goes
// on.
TEST(FieldsLossless, PortsUsedAgainBesideAnotherFlow) {
    const FieldsEncoding encoding({"any"});
    Trace trace;
    const auto add = [&](std::int64_t second, std::uint8_t protocol) {
        PacketFields fields = datagram(client, server, 7);
        fields.protocol = protocol;
        fields.tcp_flags = tcp_flag::ack;
        const auto frame = build_packet(fields);
        trace.append(second * 1'000'000'000, frame, static_cast<std::uint32_t>(frame.size()));
    };
    add(0, ip_protocol::tcp);
    add(10, ip_protocol::udp);
    add(75, ip_protocol::udp);  // after 65 s of silence: another flow
    add(76, ip_protocol::tcp);  // second to it, as the first datagram's flow is no more
    add(77, ip_protocol::udp);
    EXPECT_EQ(expect_lossless(encoding, trace), 0U);
}

// A capture that begins between an acknowledgement and data far behind it.
TEST(FieldsLossless, NumbersOfASenderNotSeenYet) {
    const FieldsEncoding encoding({"any"});
    Trace trace;
    PacketFields fields;
    fields.src = client;
    fields.dst = server;
    fields.tcp_flags = tcp_flag::ack;
    fields.acknowledgement = 1'000'000;
    auto frame = build_packet(fields);
    trace.append(0, frame, static_cast<std::uint32_t>(frame.size()));
    std::swap(fields.src, fields.dst);
    fields.sequence = 900'000;
    fields.payload_length = 100;
    frame = build_packet(fields);
    trace.append(1000, frame, static_cast<std::uint32_t>(frame.size()));
    EXPECT_EQ(expect_lossless(encoding, trace), 0U);
}

// What is to be echoed (RFC 7323 section 4.3) costs no token: the first timestamp, whatever its segment's
// number, then none that is older.
TEST(FieldsLossless, EchoesThatFollowAreNotSaid) {
    const FieldsEncoding encoding({"any"});
    Trace trace;
    const auto add = [&](bool forward, std::uint32_t sequence, std::uint32_t acknowledgement,
                         std::uint32_t length, std::uint8_t timestamp, std::uint8_t echo) {
        PacketFields fields;
        fields.src = forward ? client : server;
        fields.dst = forward ? server : client;
        fields.tcp_flags = tcp_flag::ack;
        fields.sequence = sequence;
        fields.acknowledgement = acknowledgement;
        fields.payload_length = length;
        if (timestamp != 0) fields.tcp_options = {1, 1, 8, 10, 0, 0, 1, timestamp, 0, 0, echo != 0, echo};
        const auto frame = build_packet(fields);
        trace.append(static_cast<std::int64_t>(trace.size()) * 1'000'000, frame,
                     static_cast<std::uint32_t>(frame.size()));
    };
    add(true, 1, 1000, 0, 0, 0);
    add(false, 1500, 1, 100, 77, 0);  // 500 bytes are missing before it
    add(true, 1, 1000, 10, 5, 77);
    add(false, 1000, 11, 500, 60, 5);  // sent before, arrived later
    add(true, 11, 1600, 10, 6, 77);
    EXPECT_EQ(expect_lossless(encoding, trace), 0U);
    EncodeReport report;
    int echoes = 0;
    for (const Token token : encoding.encode("any", trace, report))
        echoes += encoding.vocabulary().name(token).starts_with("echo");
    EXPECT_EQ(echoes, 0);
}

TEST(FieldsLossless, NothingAtAll) {
    const FieldsEncoding encoding({"any"});
    EncodeReport report;
    EXPECT_EQ(encoding.encode("any", {}, report),
              (std::vector<Token>{encoding.label_token("any"), encoding.vocabulary().token(Item::flows, 0),
                                  encoding.end_token()}));
    EXPECT_EQ(expect_lossless(encoding, {}), 0U);
}

}  // namespace
}  // namespace tracebench::ssm
