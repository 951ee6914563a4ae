#include "generators/ssm/encoding/netssm_segment.h"

#include <algorithm>
#include <array>

#include "traffic/bytes.h"
#include "traffic/rules/rule.h"

namespace tracebench::ssm {
namespace {

constexpr std::uint32_t shortest_header = 20, longest_header = 60;
/// The option of 10 bytes needs three words.
constexpr std::uint32_t timestamps_header = 32;
constexpr std::uint32_t most_gaps = 8;  ///< segments that may be missing from a capture in one place

enum class Stage {
    begins,    ///< no packet yet: a SYN comes
    opening,   ///< this side's SYN was sent, nothing came back
    answers,   ///< the other's SYN awaits an answer
    answered,  ///< both SYNs were seen; this side's acknowledgement of the other's was not, or not needed
    open,      ///< established, or seen from its middle on
};

Stage stage(const FlowEnd& end) {
    const FlowState& state = end.state();
    if (state.packets == 0) return Stage::begins;
    if (!state.from_start || state.established) return Stage::open;
    if (end.initiator()) return end.peer().syn ? Stage::answered : Stage::opening;
    return end.own().syn ? Stage::answered : Stage::answers;
}

/// Payload can only be as little as this: the header has at most 60 bytes and comes in words of 4.
std::uint32_t least_payload(std::uint32_t length) {
    return length > longest_header ? length - longest_header : length % 4;
}

/// Whether `sequence` repeats the SYN of this side, rather than going on after it.
bool repeats_syn(const FlowEnd& end, std::uint32_t sequence) {
    const Stage s = stage(end);
    return (s == Stage::opening || s == Stage::answered) && end.own().syn &&
           sequence == end.own().initial_sequence;
}

bool payload_fits(const FlowEnd& end, std::uint32_t sequence, std::uint32_t payload) {
    if (payload == 0) return true;
    const TcpSide& me = end.own();
    const TcpSide& peer = end.peer();
    const Stage s = stage(end);
    const bool may_carry = s == Stage::open || (s == Stage::answered && end.initiator());
    if (!may_carry || me.rst || repeats_syn(end, sequence)) return false;
    const std::uint32_t last = sequence + payload;
    if (me.fin && sequence_distance(last, me.fin_end) > 0) return false;
    if (!end.state().negotiated() || !peer.acknowledged) return true;
    constexpr std::int32_t probe = 1;  // RFC 9293 section 3.8.6.1
    return sequence_distance(last, peer.window_edge) <= probe;
}

/// As the rule asks, of the least payload.
bool lies_in_window(const FlowEnd& end, std::uint32_t sequence, std::uint32_t payload) {
    const TcpSide& me = end.own();
    const std::int64_t ahead = sequence_distance(sequence, me.next);
    const std::int64_t slack = end.state().slack(end.direction);
    if (me.syn && sequence_distance(sequence, me.initial_sequence) < 0) return false;
    return ahead <= slack && -ahead <= slack + payload;
}

/// Sequence numbers that real senders use, likely or not: to be filtered by what fits.
std::vector<std::uint32_t> usual_sequences(const FlowEnd& end, std::uint32_t length) {
    const TcpSide& me = end.own();
    std::vector<std::uint32_t> numbers{me.next};
    if (repeats_syn(end, me.initial_sequence)) numbers.push_back(me.initial_sequence);
    if (stage(end) == Stage::opening) return numbers;
    if (least_payload(length) <= 1) numbers.push_back(me.next - 1);  // keep-alive (RFC 9293 section 3.8.4)
    const SentSegments& sent = end.sent();
    for (const auto& known : {sent.begins.numbers(), sent.missing.numbers()})
        numbers.insert(numbers.end(), known.begin(), known.end());
    numbers.push_back(me.contiguous);
    for (std::size_t i = 0; i < me.island_count; ++i) numbers.push_back(me.islands[i].end);
    if (sent.largest == 0 || me.fin) return numbers;
    for (std::uint32_t gaps = 1; gaps <= most_gaps; ++gaps) numbers.push_back(me.next + gaps * sent.largest);
    return numbers;
}

/// The rules that a TCP segment's flags decide on.
struct FlagRules {
    std::vector<const Rule*> packet, flow;

    FlagRules() {
        for (const Rule& rule : rule_table()) {
            if (rule.layer != RuleLayer::tcp || rule.id == "tcp.checksum" || rule.check_session) continue;
            (rule.check_flow ? flow : packet).push_back(&rule);
        }
    }
};

/// A legal IPv4 frame around a TCP header that is filled with no-operations.
std::array<std::uint8_t, 94> plain_frame(const SegmentFields& segment, std::uint32_t header) {
    std::array<std::uint8_t, 94> frame{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45};
    store16(&frame[16], static_cast<std::uint16_t>(20 + header));
    frame[22] = 64;
    frame[23] = ip_protocol::tcp;
    frame[26] = frame[30] = 10;
    std::uint8_t* const tcp = &frame[34];
    tcp[1] = tcp[3] = 1;
    store32(tcp + 4, segment.sequence);
    store32(tcp + 8, segment.acknowledgement);
    tcp[12] = static_cast<std::uint8_t>(header << 2);
    std::fill(tcp + 20, tcp + header, std::uint8_t{1});
    return frame;
}

bool flags_are_legal(const FlagRules& rules, const RulePacket& packet, const FlowContext& context) {
    const SegmentFields& s = context.segment;
    if (s.has(tcp_flag::syn) && s.payload > 0) return false;
    for (const Rule* rule : rules.packet)
        if (check_rule(*rule, packet) == Verdict::failed) return false;
    for (const Rule* rule : rules.flow) {
        const Verdict verdict = rule->check_flow(packet, context);
        if (verdict == Verdict::failed) return false;
        // What began before the capture cannot be checked; a trace that is made begins at its beginning.
        if (verdict == Verdict::not_checkable && rule->id == "tcp.flow.handshake") return false;
    }
    return true;
}

}  // namespace

bool timestamps_agreed(const FlowState& state) {
    return state.negotiated() && state.side[0].offered_timestamps && state.side[1].offered_timestamps;
}

bool can_send(const FlowEnd& end, std::uint32_t length) {
    if (length < shortest_header) return false;
    // Without room for timestamps it can only be a bare RST.
    if (timestamps_agreed(end.state()) && length < timestamps_header && length != shortest_header)
        return false;
    const std::uint32_t payload = least_payload(length);
    if (payload == 0) return true;
    const auto numbers = usual_sequences(end, length);
    return std::any_of(numbers.begin(), numbers.end(), [&](std::uint32_t number) {
        return payload_fits(end, number, payload) && lies_in_window(end, number, payload);
    });
}

NumberSet sequence_numbers(const FlowEnd& end, std::uint32_t length) {
    const Stage s = stage(end);
    if (s == Stage::begins || s == Stage::answers) return NumberSet::any();
    const TcpSide& me = end.own();
    NumberSet set;
    if (!me.seen) {  // an end of which the capture holds nothing yet
        if (!end.peer().acknowledged) return NumberSet::any();
        set.add(end.peer().acknowledgement);
        return set;
    }
    const std::uint32_t payload = least_payload(length);
    for (const std::uint32_t number : usual_sequences(end, length))
        if (payload_fits(end, number, payload) && lies_in_window(end, number, payload)) set.add(number);
    return set;
}

NumberSet acknowledgement_numbers(const FlowEnd& end, std::uint32_t length, std::uint32_t sequence) {
    const TcpSide& me = end.own();
    const TcpSide& peer = end.peer();
    const Stage s = stage(end);
    NumberSet set;
    if (s == Stage::begins || s == Stage::opening || (repeats_syn(end, sequence) && end.initiator())) {
        set.add(0);
        return set;
    }
    if (s == Stage::answers || repeats_syn(end, sequence)) {
        set.add(peer.initial_sequence + 1);
        return set;
    }
    if (!peer.seen) return NumberSet::any();
    std::uint32_t lowest = me.acknowledgement;
    if (!me.acknowledged) lowest = end.state().from_start ? peer.initial_sequence + 1 : peer.contiguous;
    if (sequence_distance(peer.contiguous, lowest) < 0) lowest = peer.contiguous;
    set.add_range(lowest, peer.contiguous);
    if (length == shortest_header) set.add(0);  // a RST without ACK
    return set;
}

ByteSet data_offsets(const FlowEnd& end, std::uint32_t length, std::uint32_t sequence) {
    constexpr std::size_t accurate_ecn = 1;  // the fourth reserved bit (RFC 9768)
    const bool timestamps = timestamps_agreed(end.state()) && length >= timestamps_header;
    ByteSet bytes;
    for (std::uint32_t words = timestamps ? 8 : 5; words <= 15 && 4 * words <= length; ++words) {
        if (!payload_fits(end, sequence, length - 4 * words)) continue;
        bytes.set(words << 4);
        bytes.set(words << 4 | accurate_ecn);
    }
    return bytes;
}

ByteSet legal_flags(const FlowEnd& end, SegmentFields segment, std::uint32_t header) {
    static const FlagRules rules;
    auto frame = plain_frame(segment, header);
    const auto size = 34 + header;
    const RulePacket packet =
        read_rule_packet({segment.time_ns, size, link_type::ethernet, 0, std::span(frame).first(size)});
    // Only a header without room for them is known to have no timestamps.
    segment.options_known = header < timestamps_header;
    const FlowContext context{end.state(), segment, end.direction};
    ByteSet bytes;
    for (std::size_t flags = 0; flags < 256; ++flags) {
        segment.flags = frame[34 + 13] = static_cast<std::uint8_t>(flags);
        if (flags_are_legal(rules, packet, context)) bytes.set(flags);
    }
    return bytes;
}

}  // namespace tracebench::ssm
