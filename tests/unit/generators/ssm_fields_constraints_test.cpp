#include "generators/ssm/encoding/fields/extent.h"
#include "ssm_fields_support.h"
#include "traffic/rules/application.h"
#include "traffic/rules/checker.h"

namespace tracebench::ssm {
namespace {

using namespace fields_testing;

Trace walked(const FieldsEncoding& encoding, std::uint64_t seed, int tokens, bool constrained) {
    const auto decoder =
        encoding.decoder({.label = "any", .seed = seed, .constrained = constrained, .continuous = true});
    RandomWalk(encoding, *decoder, seed).go(tokens);
    Trace trace = packets_of(*decoder);
    EXPECT_EQ(trace.size(), decoder->packets());
    return trace;
}

// A model that knows nothing at all still writes legal packets in legal conversations, by the checker's own
// reading of the finished capture.
TEST(FieldsConstraints, RandomWalksAreLegal) {
    const FieldsEncoding encoding({"any"});
    ComplianceResult total = check_compliance(walked(encoding, 0, 4000, true));
    for (std::uint64_t seed = 1; seed < 40; ++seed) {
        const ComplianceResult result = check_compliance(walked(encoding, seed, 4000, true));
        total.merge(result);
    }
    ASSERT_GT(total.packets, 10'000U);
    std::uint64_t rules_checked = 0, rules = 0;
    for (const RuleResult& rule : total.rules) {
        EXPECT_EQ(rule.failed, 0U) << rule.rule->id << " failed " << rule.failed << " of " << rule.checked;
        rules_checked += rule.checked > 0 ? 1 : 0;
        rules += is_application(rule.rule->layer) ? 0 : 1;  // random ports are seldom an application's
    }
    // Most of the table had something to say, so that the above means something.
    EXPECT_GT(rules_checked, rules / 2);
}

// The same walk without constraints breaks rules: they are what keeps it legal.
TEST(FieldsConstraints, WithoutThemWalksAreNotLegal) {
    const FieldsEncoding encoding({"any"});
    EXPECT_LT(check_compliance(walked(encoding, 1, 8000, false)).score(), 0.9);
}

TEST(FieldsConstraints, TimeNeverGoesBack) {
    const FieldsEncoding encoding({"any"});
    const Trace trace = walked(encoding, 3, 5000, true);
    for (std::size_t i = 1; i < trace.size(); ++i)
        ASSERT_GE(trace.packets[i].time_ns, trace.packets[i - 1].time_ns);
}

TEST(FieldsConstraints, BytesMustFollowWhatAsksForThem) {
    const FieldsEncoding encoding({"any", "other"});
    const Vocabulary& vocabulary = encoding.vocabulary();
    const auto decoder = encoding.decoder({.label = "any", .seed = 1});
    Speaker accept(encoding, *decoder);
    EXPECT_FALSE(decoder->allowed(-1));
    EXPECT_FALSE(decoder->allowed(static_cast<Token>(vocabulary.size())));
    EXPECT_FALSE(decoder->allowed(vocabulary.token(Item::label, 0)));  // flows are announced first
    EXPECT_FALSE(decoder->allowed(encoding.end_token()));
    EXPECT_FALSE(decoder->allowed(vocabulary.token(Item::extent, 1)));
    accept(Item::flows, 1);
    EXPECT_FALSE(decoder->allowed(encoding.end_token()));             // one is to come
    EXPECT_FALSE(decoder->allowed(vocabulary.token(Item::flow, 0)));  // there is none yet
    EXPECT_FALSE(decoder->allowed(encoding.label_token("other")));    // of another kind of traffic
    EXPECT_FALSE(decoder->allowed(vocabulary.token(Item::byte, 0)));
    accept(Item::label, 0);
    EXPECT_FALSE(decoder->allowed(encoding.end_token()));  // in the middle of a packet
    accept(Item::kind, code::udp4);
    EXPECT_FALSE(decoder->allowed(vocabulary.token(Item::source_host, code::new_link6)));
    accept(Item::source_host, code::new_10);
    accept(Item::destination_host, code::literal4, {224, 0, 0, 251});
    EXPECT_FALSE(decoder->allowed(vocabulary.token(Item::byte, 0)));
    accept(Item::source_port, *known_port(5353));
    accept(Item::destination_port, *known_port(5353));
    EXPECT_FALSE(decoder->allowed(vocabulary.token(Item::gap, 0)));
    EXPECT_FALSE(decoder->allowed(vocabulary.token(Item::extent, 0)));  // it has this packet at least
    accept(Item::extent, 1);
    EXPECT_FALSE(decoder->allowed(vocabulary.token(Item::length, 60)));
    accept(Item::gap, 0);
    EXPECT_FALSE(decoder->allowed(encoding.end_token()));
    accept(Item::length, code::length_exact + 20);
    EXPECT_FALSE(decoder->allowed(encoding.end_token()));  // nobody knows the sender's TTL
    EXPECT_FALSE(decoder->allowed(vocabulary.token(Item::tos, 0)));
    decoder->accept(vocabulary.token(Item::ttl, 0));
    EXPECT_FALSE(decoder->allowed(encoding.end_token()));  // its byte is to come
    decoder->accept(vocabulary.token(Item::byte, 255));
    EXPECT_FALSE(decoder->allowed(vocabulary.token(Item::flow, 0)));   // this was all of it
    EXPECT_FALSE(decoder->allowed(vocabulary.token(Item::label, 0)));  // no further flow was announced
    accept(Item::end, 0);
    EXPECT_TRUE(decoder->ended());
    EXPECT_FALSE(decoder->allowed(vocabulary.token(Item::label, 0)));
    const Trace trace = packets_of(*decoder);
    ASSERT_EQ(trace.size(), 1U);
    EXPECT_EQ(trace.packets[0].original_length, 14U + 20 + 8 + 20);
    EXPECT_EQ(check_compliance(trace).packets_failed, 0U);
}

// A trace that has to go on begins flows that nobody announced.
TEST(FieldsConstraints, OnlyATraceWithoutEndGoesOnPastItsPlan) {
    const FieldsEncoding encoding({"any"});
    for (const bool continuous : {false, true}) {
        const auto decoder = encoding.decoder({.label = "any", .seed = 1, .continuous = continuous});
        Speaker say(encoding, *decoder);
        say(Item::flows, 1);
        say(Item::label, 0);
        say(Item::kind, code::icmp4);
        say(Item::source_host, code::new_10);
        say(Item::destination_host, code::new_192);
        say(Item::extent, 1);
        say(Item::gap, 0);
        say(Item::icmp, 0);
        say(Item::length, code::length_exact + 56);
        say(Item::ttl, 0, {64});
        EXPECT_TRUE(say.may(Item::end, 0));
        EXPECT_EQ(say.may(Item::label, 0), continuous);
    }
}

// A reading of the writer's own tokens, and nothing but openings: flows are forgotten, not piled up.
TEST(FieldsConstraints, FlowsRememberedAreBounded) {
    SessionBook book;
    Record record;
    record.fields.protocol = ip_protocol::udp;
    record.fields.src = {{4, {10, 0, 0, 1}}, 0};
    record.fields.dst = {{4, {198, 18, 0, 1}}, 53};
    for (std::uint32_t i = 0; i < 6000; ++i) {
        record.time_ns = i;
        record.fields.src.port = static_cast<std::uint16_t>(i);
        store32(record.fields.dst.address.bytes.data(), 0xC6120000 + i);
        Conversation flow;
        flow.protocol = ip_protocol::udp;
        flow.ends[0] = record.fields.src;
        flow.ends[1] = record.fields.dst;
        for (const std::size_t side : {0, 1}) flow.hosts[side] = book.meet(flow.ends[side].address);
        book.update(book.open(flow), record, Direction::forward);
        ASSERT_LE(book.flow_count(), static_cast<int>(most_flows));
        ASSERT_LE(book.host_count(), static_cast<int>(most_hosts));
        ASSERT_TRUE(book.is_live(ip_protocol::udp, flow.ends[1], flow.ends[0]));
    }
    EXPECT_EQ(book.flow_count(), static_cast<int>(most_flows));
    EXPECT_EQ(book.flow(book.flow_at(0)).ends[0].port, 5999);
    EXPECT_EQ(book.flow(book.flow_at(static_cast<int>(most_flows) - 1)).ends[0].port, 6000 - most_flows);
    EXPECT_FALSE(book.is_live(ip_protocol::udp, {{4, {10, 0, 0, 1}}, 0}, {{4, {0xC6, 0x12, 0, 0}}, 53}));
}

// Over five thousand flows of one packet each, beyond what is remembered.
TEST(FieldsConstraints, ManyFlowsStayLegal) {
    const FieldsEncoding encoding({"any"});
    const auto decoder = encoding.decoder({.label = "any", .seed = 1});
    const int ephemeral = static_cast<int>(known_ports().size()) + code::ephemeral_dynamic;
    Speaker accept(encoding, *decoder);
    accept(Item::flows, extent_bucket(5200));  // of 1024 numbers
    std::uint64_t flows = 0;
    for (; !decoder->allowed(encoding.end_token()); ++flows) {
        accept(Item::label, 0);
        accept(Item::kind, code::tcp4);
        accept(Item::source_host, code::new_10);  // only some 250 of them are to be had
        accept(Item::destination_host, code::new_192);
        accept(Item::source_port, ephemeral);
        accept(Item::destination_port, *known_port(443));
        accept(Item::extent, 1);
        accept(Item::ending, static_cast<int>(Ending::open));
        accept(Item::gap, 40);
        accept(Item::flags, 0);
        if (flows == 0) {
            accept(Item::mss, 0, {5, 180});
            accept(Item::window_scale, 0, {7});
        }
        accept(Item::ttl, 0, {64});
        ASSERT_FALSE(HasFatalFailure());
    }
    accept(Item::end, 0);
    const Trace trace = packets_of(*decoder);
    EXPECT_EQ(trace.size(), flows);
    EXPECT_GE(flows, 5120U);
    EXPECT_LT(flows, 6144U);
    EXPECT_EQ(check_compliance(trace).packets_failed, 0U);
}

// A flow that makes room for the one that begins cannot be picked any more, whatever it had left.
TEST(FieldsConstraints, AFlowThatIsForgottenHasEnded) {
    const FieldsEncoding encoding({"any"});
    const Vocabulary& vocabulary = encoding.vocabulary();
    const auto decoder = encoding.decoder({.label = "any", .seed = 1});
    const int ephemeral = static_cast<int>(known_ports().size()) + code::ephemeral_dynamic;
    Speaker accept(encoding, *decoder);
    const Token far = vocabulary.token(Item::flow, code::far_flow);
    accept(Item::flows, extent_bucket(most_flows));
    for (std::size_t i = 0; i <= most_flows; ++i) {
        if (i == most_flows) {
            EXPECT_TRUE(decoder->allowed(far));  // the first flow, still
        }
        accept(Item::label, 0);
        accept(Item::kind, code::udp4);
        accept(Item::source_host, code::new_10);
        accept(Item::destination_host, code::new_192);
        accept(Item::source_port, ephemeral);
        accept(Item::destination_port, *known_port(443));
        accept(Item::extent, i == 0 ? 2 : 1);
        accept(Item::gap, 0);
        accept(Item::length, code::length_exact + 20);
        accept(Item::ttl, 0, {64});
        ASSERT_FALSE(HasFatalFailure());
    }
    EXPECT_FALSE(decoder->allowed(far));
}

/// A flag combination without payload.
int flags_code(std::uint8_t flags) {
    const auto usual = usual_flags();
    return static_cast<int>(std::find(usual.begin(), usual.end(), flags) - usual.begin());
}

/// Up to its first packet: one flow, to port 443.
void open_connection(Speaker& say, int version = 4, int packets = 16, Ending ending = Ending::closed) {
    const int ephemeral = static_cast<int>(known_ports().size()) + code::ephemeral_dynamic;
    say(Item::flows, 1);
    say(Item::label, 0);
    say(Item::kind, version == 4 ? +code::tcp4 : +code::tcp6);
    say(Item::source_host, version == 4 ? +code::new_10 : +code::new_unique6);
    say(Item::destination_host, version == 4 ? +code::new_192 : +code::new_global6);
    say(Item::source_port, ephemeral);
    say(Item::destination_port, *known_port(443));
    say(Item::extent, packets);
    say(Item::ending, static_cast<int>(ending));
}

// RFC 9293 figure 6, message by message; what is not in it may not be said.
TEST(FieldsConstraints, ConnectionsOpenAndEndAsTheyShould) {
    using namespace tcp_flag;
    const FieldsEncoding encoding({"any"});
    const auto decoder = encoding.decoder({.label = "any", .seed = 1});
    Speaker say(encoding, *decoder);
    const auto may = [&](std::uint8_t flags) { return say.may(Item::flags, flags_code(flags)); };
    open_connection(say);
    say(Item::gap, 0);
    for (const std::uint8_t flags : {+ack, syn | ack, fin | ack, +rst})
        EXPECT_FALSE(may(flags)) << int(flags);
    say(Item::flags, flags_code(syn));
    say(Item::mss, 0, {5, 180});
    say(Item::window_scale, 0, {7});
    say(Item::ttl, 0, {64});

    EXPECT_FALSE(say.may(Item::flow, 0));  // the same side again
    say(Item::flow, 1);
    say(Item::gap, 10);
    EXPECT_FALSE(may(ack));
    EXPECT_FALSE(say.may(Item::flags, flags_code(psh | ack) + static_cast<int>(usual_flags().size())));
    say(Item::flags, flags_code(syn | ack));
    say(Item::mss, 0, {5, 180});
    say(Item::window_scale, 0, {7});
    say(Item::ttl, 0, {57});

    EXPECT_FALSE(say.may(Item::flow, 1));
    say(Item::flow, 0);
    say(Item::gap, 10);
    say(Item::flags, flags_code(ack));
    say(Item::flow, 0);
    say(Item::gap, 10);
    EXPECT_FALSE(may(ack));  // nothing came in since
    say(Item::flags, flags_code(fin | ack));
    say(Item::flow, 1);
    say(Item::gap, 10);
    EXPECT_TRUE(may(ack));
    say(Item::flags, flags_code(fin | ack));
    say(Item::flow, 0);
    say(Item::gap, 10);
    say(Item::flags, flags_code(ack));
    EXPECT_TRUE(decoder->allowed(encoding.end_token()));  // nine packets were announced for nothing
    EXPECT_FALSE(say.may(Item::flow, 0));
    say(Item::end, 0);
    const Trace trace = packets_of(*decoder);
    EXPECT_EQ(trace.size(), 6U);
    EXPECT_EQ(check_compliance(trace).packets_failed, 0U);
}

// Without scaling the window does not change after the SYN; whether the answer's acknowledgement is after 0
// is up to the peer's initial sequence number.
TEST(FieldsConstraints, EveryHandshakeMayBeCompleted) {
    using namespace tcp_flag;
    const FieldsEncoding encoding({"any"});
    for (std::uint64_t seed = 1; seed <= 16; ++seed) {
        const auto decoder = encoding.decoder({.label = "any", .seed = seed});
        Speaker say(encoding, *decoder);
        open_connection(say);
        for (const std::uint8_t flags : {+syn, syn | ack}) {
            if (flags != syn) say(Item::flow, 1);
            say(Item::gap, 10);
            say(Item::flags, flags_code(flags));
            say(Item::mss, 0, {5, 180});
            say(Item::window_scale, 0, {0});
            say(Item::ttl, 0, {64});
        }
        say(Item::flow, 0);
        say(Item::gap, 10);
        EXPECT_TRUE(say.may(Item::flags, flags_code(ack))) << "seed " << seed;
        ASSERT_FALSE(HasFatalFailure());
    }
}

// RFC 9293 section 3.10.7.4: a reset aborts the connection, whatever was announced of its length.
TEST(FieldsConstraints, AResetEndsTheFlow) {
    const FieldsEncoding encoding({"any"});
    const auto decoder = encoding.decoder({.label = "any", .seed = 1});
    Speaker say(encoding, *decoder);
    open_connection(say, 6, 4, Ending::reset);
    say(Item::gap, 0);
    say(Item::flags, flags_code(tcp_flag::syn));
    say(Item::mss, 0, {5, 160});
    say(Item::window_scale, 0, {7});
    say(Item::ttl, 0, {64});
    EXPECT_TRUE(say.may(Item::flow, 1));
    EXPECT_FALSE(say.may(Item::end, 0));
    say(Item::flow, 1);
    say(Item::gap, 10);
    say(Item::flags, flags_code(tcp_flag::rst | tcp_flag::ack));
    say(Item::ttl, 0, {57});
    EXPECT_FALSE(say.may(Item::flow, 0));
    EXPECT_FALSE(say.may(Item::flow, 1));
    say(Item::end, 0);
    EXPECT_EQ(packets_of(*decoder).size(), 2U);
}

/// After the handshake, with the client's acknowledgement not yet finished.
void shake_hands(Speaker& say) {
    for (const std::uint8_t flags : {+tcp_flag::syn, tcp_flag::syn | tcp_flag::ack}) {
        if (flags != tcp_flag::syn) say(Item::flow, 1);
        say(Item::gap, 10);
        say(Item::flags, flags_code(flags));
        say(Item::mss, 0, {5, 180});
        say(Item::window_scale, 0, {7});
        say(Item::ttl, 0, {64});
    }
    say(Item::flow, 0);
    say(Item::gap, 10);
    say(Item::flags, flags_code(tcp_flag::ack));
}

// What is named in bytes is settled once they are there: the answer to a SYN comes from the other side.
TEST(FieldsConstraints, AFarFlowOpensByTurnsToo) {
    const FieldsEncoding encoding({"any"});
    const auto decoder = encoding.decoder({.label = "any", .seed = 1});
    Speaker say(encoding, *decoder);
    constexpr int flows = code::near_flows + 1;
    const int ephemeral = static_cast<int>(known_ports().size()) + code::ephemeral_dynamic;
    say(Item::flows, extent_bucket(flows));
    for (int i = 0; i < flows; ++i) {
        say(Item::label, 0);
        say(Item::kind, code::tcp4);
        say(Item::source_host, code::new_10);
        say(Item::destination_host, code::new_192);
        say(Item::source_port, ephemeral);
        say(Item::destination_port, *known_port(443));
        say(Item::extent, 16);
        say(Item::ending, static_cast<int>(Ending::open));
        say(Item::gap, 0);
        say(Item::flags, flags_code(tcp_flag::syn));
        if (i == 0) {
            say(Item::mss, 0, {5, 180});
            say(Item::window_scale, 0, {7});
        }
        say(Item::ttl, 0, {64});
    }
    say(Item::flow, code::far_flow, {0, 2 * code::near_flows});  // forward, again
    say(Item::gap, 10);
    EXPECT_TRUE(say.may(Item::flags, flags_code(tcp_flag::syn | tcp_flag::ack)));
    EXPECT_FALSE(say.may(Item::flags, flags_code(tcp_flag::ack)));
}

// RFC 9293 figure 12: both sides close with three segments; when no more are left they have to.
TEST(FieldsConstraints, AConnectionClosesAsAnnounced) {
    using namespace tcp_flag;
    const FieldsEncoding encoding({"any"});
    for (const int packets : {3, 6}) {  // also where the handshake takes all that was announced
        SCOPED_TRACE(packets);
        const auto decoder = encoding.decoder({.label = "any", .seed = 1});
        Speaker say(encoding, *decoder);
        const auto may = [&](std::uint8_t flags) { return say.may(Item::flags, flags_code(flags)); };
        const int payload = static_cast<int>(usual_flags().size());
        open_connection(say, 4, packets);
        shake_hands(say);
        EXPECT_FALSE(say.may(Item::end, 0));
        say(Item::flow, 1);
        say(Item::gap, 10);
        EXPECT_FALSE(say.may(Item::flags, flags_code(psh | ack) + payload));
        EXPECT_FALSE(may(rst));
        say(Item::flags, flags_code(fin | ack));
        EXPECT_FALSE(say.may(Item::flow, 1));  // it is the other side's turn
        say(Item::flow, 0);
        say(Item::gap, 10);
        EXPECT_FALSE(may(ack));  // two packets are left
        say(Item::flags, flags_code(fin | ack));
        EXPECT_FALSE(say.may(Item::flow, 0));
        EXPECT_FALSE(say.may(Item::end, 0));
        say(Item::flow, 1);
        say(Item::gap, 10);
        say(Item::flags, flags_code(ack));
        say(Item::end, 0);
        const Trace trace = packets_of(*decoder);
        EXPECT_EQ(trace.size(), 6U);
        EXPECT_EQ(check_compliance(trace).packets_failed, 0U);
    }
}

TEST(FieldsConstraints, AConnectionStaysOpenOrIsResetAsAnnounced) {
    using namespace tcp_flag;
    const FieldsEncoding encoding({"any"});
    for (const Ending ending : {Ending::open, Ending::half_closed, Ending::reset}) {
        SCOPED_TRACE(static_cast<int>(ending));
        const auto decoder = encoding.decoder({.label = "any", .seed = 1});
        Speaker say(encoding, *decoder);
        const auto may = [&](std::uint8_t flags) { return say.may(Item::flags, flags_code(flags)); };
        const int payload = static_cast<int>(usual_flags().size());
        open_connection(say, 4, 4, ending);
        shake_hands(say);
        say(Item::flow, 1);
        say(Item::gap, 10);
        EXPECT_EQ(say.may(Item::flags, flags_code(psh | ack) + payload), ending == Ending::open);
        EXPECT_EQ(may(fin | ack), ending == Ending::half_closed);
        EXPECT_EQ(may(rst | ack), ending == Ending::reset);
    }
}

}  // namespace
}  // namespace tracebench::ssm
