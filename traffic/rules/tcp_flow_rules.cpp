/// TCP rules that need the conversation so far, but for those about what options were agreed on
/// (tcp_flow_option_rules.cpp). RFC 9293, RFC 5961, RFC 7413.
///
/// A capture may lose packets, begin in the middle, or see one direction only; the rules then say "not
/// checkable". Where the capture point lies does not matter: what is asked holds at every point of the path.

#include <algorithm>
#include <cstdlib>

#include "traffic/rules/packet_edit.h"
#include "traffic/rules/rule_groups.h"
#include "traffic/rules/tcp_flow_view.h"
#include "traffic/rules/tcp_options.h"

namespace tracebench {
namespace {

using View = TcpFlowView;

// --- opening

Verdict check_handshake(const RulePacket&, const FlowContext& context) {
    const View v(context);
    const bool syn = v.has(tcp_flag::syn), ack = v.has(tcp_flag::ack), rst = v.has(tcp_flag::rst);
    if (v.flow.packets == 0) return syn && !ack ? Verdict::passed : Verdict::not_checkable;
    if (!v.flow.from_start) {
        if (!syn) return Verdict::not_applicable;
        if (v.me.syn) return Verdict::not_checkable;
        if (v.me.seen) return Verdict::failed;
        // The answer to a SYN that the capture missed, or that SYN out of order: close to what the peer
        // acknowledged.
        const std::int64_t distance = sequence_distance(v.segment.sequence + 1, v.peer.acknowledgement);
        const std::int64_t slack = v.peer.syn ? 0 : v.flow.slack(context.direction);
        if (v.peer.syn && ack) return Verdict::failed;
        return !v.peer.acknowledged || std::abs(distance) <= slack ? Verdict::not_checkable : Verdict::failed;
    }
    if (v.flow.established) return Verdict::not_applicable;
    if (rst || (syn && (!ack || v.peer.syn))) return Verdict::passed;
    if (v.initiator) {
        if (v.peer.syn) return pass_if(ack);
        return v.peer.seen || v.flow.both_directions ? Verdict::failed : Verdict::not_checkable;
    }
    if (v.me.syn) return Verdict::not_applicable;
    // An old connection's end may be acknowledged in answer to a new SYN (RFC 5961 section 4).
    return v.segment.payload == 0 && ack && !v.has(tcp_flag::fin) && !v.flow.both_directions
               ? Verdict::not_checkable
               : Verdict::failed;
}
void repair_handshake(const RulePacket& p, const FlowContext& context, MutablePacket& packet) {
    const View v(context);
    const std::uint8_t flags = v.segment.flags;
    if (v.flow.packets > 0 && !v.flow.from_start) {
        set_flags(p, packet, static_cast<std::uint8_t>((flags & ~tcp_flag::syn) | tcp_flag::ack));
        return;
    }
    if (v.initiator && v.peer.syn) {
        set_flags(p, packet, static_cast<std::uint8_t>(flags | tcp_flag::ack));
        set_acknowledgement(p, packet, v.peer.contiguous);
        return;
    }
    const bool opens = v.flow.packets == 0 || v.initiator;
    set_flags(p, packet, opens ? tcp_flag::syn : tcp_flag::syn | tcp_flag::ack);
    set_acknowledgement(p, packet, opens ? 0 : v.peer.initial_sequence + 1);
    if (v.me.syn) set_sequence(p, packet, v.me.initial_sequence);
    cut_tcp_payload(p, packet, 0);
}

Verdict check_syn_repeated(const RulePacket&, const FlowContext& context) {
    const View v(context);
    if (!v.has(tcp_flag::syn) || v.has(tcp_flag::rst) || !v.me.syn) return Verdict::not_applicable;
    return pass_if(v.segment.sequence == v.me.initial_sequence);
}
void repair_syn_repeated(const RulePacket& p, const FlowContext& context, MutablePacket& packet) {
    set_sequence(p, packet, View(context).me.initial_sequence);
}

Verdict check_syn_acknowledged(const RulePacket&, const FlowContext& context) {
    const View v(context);
    if (!v.has(tcp_flag::syn) || !v.has(tcp_flag::ack)) return Verdict::not_applicable;
    if (!v.peer.syn) return Verdict::not_checkable;
    // Data on the SYN may be acknowledged too (RFC 7413).
    const std::uint32_t least = v.peer.initial_sequence + 1;
    return pass_if(v.segment.acknowledgement == least ||
                   (v.flow.fast_open && sequence_distance(v.segment.acknowledgement, least) > 0 &&
                    sequence_distance(v.segment.acknowledgement, v.peer.next) <= 0));
}
void repair_syn_acknowledged(const RulePacket& p, const FlowContext& context, MutablePacket& packet) {
    set_acknowledgement(p, packet, View(context).peer.initial_sequence + 1);
}

Verdict check_options_answered(const RulePacket&, const FlowContext& context) {
    const View v(context);
    const SegmentFields& s = v.segment;
    if (!s.has(tcp_flag::syn) || !s.has(tcp_flag::ack)) return Verdict::not_applicable;
    if (!v.peer.options_known || !s.options_known) return Verdict::not_checkable;
    if (s.window_scale >= 0 && v.peer.window_scale < 0) return Verdict::failed;
    if (s.sack_permitted && !v.peer.offered_sack) return Verdict::failed;
    return pass_if(!s.timestamps || v.peer.offered_timestamps);
}
void repair_options_answered(const RulePacket& p, const FlowContext& context, MutablePacket& packet) {
    const View v(context);
    if (v.peer.window_scale < 0) remove_tcp_option(p, packet, tcp_option::window_scale);
    if (!v.peer.offered_sack) remove_tcp_option(p, packet, tcp_option::sack_permitted);
    if (!v.peer.offered_timestamps) remove_tcp_option(p, packet, tcp_option::timestamps);
}

Verdict check_early_data(const RulePacket&, const FlowContext& context) {
    const View v(context);
    if (v.segment.payload == 0 || v.has(tcp_flag::rst)) return Verdict::not_applicable;
    if (v.flow.packets == 0 ? !v.has(tcp_flag::syn) : !v.flow.from_start || v.flow.established)
        return Verdict::not_applicable;
    if (v.has(tcp_flag::syn))
        return pass_if(v.segment.fast_open || v.flow.fast_open || !v.segment.options_known);
    if (v.flow.fast_open) return Verdict::passed;
    if (v.initiator) return v.peer.syn ? Verdict::passed : Verdict::not_checkable;
    return v.me.syn ? Verdict::failed : Verdict::not_checkable;
}
void repair_early_data(const RulePacket& p, const FlowContext&, MutablePacket& packet) {
    cut_tcp_payload(p, packet, 0);
}

// --- sequence numbers

/// The answer to a segment for which there is no connection takes its numbers from that segment.
bool is_refusal(const View& v) {
    return v.has(tcp_flag::rst) && !v.me.seen;
}

Verdict check_sequence(const RulePacket&, const FlowContext& context) {
    const View v(context);
    if (v.has(tcp_flag::syn) || v.has(tcp_flag::rst)) return Verdict::not_applicable;
    if (!v.me.seen && !v.peer.acknowledged) return Verdict::not_checkable;
    const std::uint32_t expected = v.me.seen ? v.me.next : v.peer.acknowledgement;
    const std::int64_t ahead = sequence_distance(v.segment.sequence, expected);
    const std::int64_t slack = v.flow.slack(context.direction);
    if (v.me.syn && sequence_distance(v.segment.sequence, v.me.initial_sequence) < 0) return Verdict::failed;
    return pass_if(ahead <= slack && -ahead <= slack + v.segment.payload);
}
void repair_sequence(const RulePacket& p, const FlowContext& context, MutablePacket& packet) {
    const View v(context);
    set_sequence(p, packet, v.me.seen ? v.me.next : v.peer.acknowledgement);
}

Verdict check_window(const RulePacket&, const FlowContext& context) {
    const View v(context);
    if (v.segment.payload == 0 || v.has(tcp_flag::syn) || v.has(tcp_flag::rst))
        return Verdict::not_applicable;
    if (!v.flow.negotiated() || !v.peer.acknowledged) return Verdict::not_checkable;
    const std::uint32_t end = v.segment.sequence + v.segment.payload;
    constexpr std::int32_t probe = 1;  // a closed window is probed with one byte (RFC 9293 section 3.8.6.1)
    return pass_if(sequence_distance(end, v.peer.window_edge) <= probe);
}
void repair_window(const RulePacket& p, const FlowContext& context, MutablePacket& packet) {
    const View v(context);
    const std::int32_t room = sequence_distance(v.peer.window_edge, v.segment.sequence);
    if (room < 0) set_sequence(p, packet, v.me.next);
    cut_tcp_payload(p, packet, static_cast<std::uint32_t>(std::max(room, 0)));
}

// --- acknowledgements

Verdict check_acknowledgement(const RulePacket&, const FlowContext& context) {
    const View v(context);
    if (!v.has(tcp_flag::ack) || v.has(tcp_flag::syn)) return Verdict::not_applicable;
    if (!v.peer.seen) return Verdict::not_checkable;
    const std::int32_t ahead = sequence_distance(v.segment.acknowledgement, v.peer.contiguous);
    if (ahead <= 0) return Verdict::passed;
    // The capture may have missed the peer's segments, at its start or later: what the receiver acknowledges
    // is then the only trace of them. tcp.flow.acknowledged_before tells who never sent them.
    const bool may_be_missing = !v.flow.both_directions || (!v.flow.from_start && !v.me.acknowledged);
    return may_be_missing && v.flow.plausible_acknowledgement(v.segment, context.direction)
               ? Verdict::not_checkable
               : Verdict::failed;
}
void repair_acknowledgement(const RulePacket& p, const FlowContext& context, MutablePacket& packet) {
    set_acknowledgement(p, packet, View(context).peer.contiguous);
}

/// Data that go on where the sender stopped cannot have been acknowledged before. Where both came within a
/// moment the capture may have swapped them: interfaces deliver from several queues.
Verdict check_acknowledged_before(const RulePacket&, const FlowContext& context) {
    const View v(context);
    if (v.segment.payload == 0 || v.has(tcp_flag::syn) || v.has(tcp_flag::rst) || !v.me.seen ||
        v.segment.sequence != v.me.sent)
        return Verdict::not_applicable;
    if (!v.me.acknowledged_unseen) return Verdict::passed;
    constexpr std::int64_t moment_ns = 1'000'000;
    return v.segment.time_ns - v.me.unseen_ns < moment_ns ? Verdict::not_checkable : Verdict::failed;
}
void repair_acknowledged_before(const RulePacket& p, const FlowContext& context, MutablePacket& packet) {
    set_sequence(p, packet, View(context).me.next);
}

Verdict check_acknowledgement_order(const RulePacket&, const FlowContext& context) {
    const View v(context);
    if (!v.has(tcp_flag::ack) || v.has(tcp_flag::syn) || v.has(tcp_flag::rst) || !v.me.acknowledged)
        return Verdict::not_applicable;
    const std::int64_t back =
        -std::int64_t{sequence_distance(v.segment.acknowledgement, v.me.acknowledgement)};
    if (back <= 0) return Verdict::passed;
    // The network may deliver an older segment late, but new data are sent with the latest acknowledgement.
    const bool new_data = v.segment.payload > 0 && sequence_distance(v.segment.sequence, v.me.next) >= 0;
    const std::int64_t window = std::max(v.me.largest_window, 65535U);
    return pass_if(!new_data && back <= window);
}
void repair_acknowledgement_order(const RulePacket& p, const FlowContext& context, MutablePacket& packet) {
    const View v(context);
    set_acknowledgement(p, packet, v.peer.seen ? v.peer.contiguous : v.me.acknowledgement);
}

Verdict check_syn_ack_acknowledged(const RulePacket&, const FlowContext& context) {
    const View v(context);
    if (!v.flow.from_start || !v.initiator || !v.peer.syn || !v.has(tcp_flag::ack) || v.has(tcp_flag::syn) ||
        v.has(tcp_flag::rst))
        return Verdict::not_applicable;
    return pass_if(sequence_distance(v.segment.acknowledgement, v.peer.initial_sequence + 1) >= 0);
}
void repair_syn_ack_acknowledged(const RulePacket& p, const FlowContext& context, MutablePacket& packet) {
    set_acknowledgement(p, packet, View(context).peer.contiguous);
}

/// What is sent again is the same: the first bytes are compared, where both were captured; the first 8 of
/// segments that begin together and are cut differently. One byte alone may be a keep-alive's, which is
/// garbage (RFC 9293 section 3.8.4).
Verdict check_same_data(const RulePacket&, const FlowContext& context) {
    const View v(context);
    if (v.segment.payload <= 1 || !v.me.seen || sequence_distance(v.segment.sequence, v.me.sent) >= 0)
        return Verdict::not_applicable;
    if (v.segment.payload_hash == 0) return Verdict::not_checkable;
    for (const TcpSide::Sent& sent : v.me.recent)
        if (sent.hash != 0 && sent.sequence == v.segment.sequence && sent.size == v.segment.payload_start)
            return pass_if(sent.hash == v.segment.payload_hash);
    if (v.segment.start_hash == 0) return Verdict::not_checkable;
    for (const TcpSide::Sent& sent : v.me.recent)
        if (sent.start_hash != 0 && sent.sequence == v.segment.sequence)
            return pass_if(sent.start_hash == v.segment.start_hash);
    return Verdict::not_checkable;
}
void repair_same_data(const RulePacket& p, const FlowContext&, MutablePacket& packet) {
    const std::size_t begin = p.transport + (p.segment()[12] >> 4) * 4U;
    const std::size_t end = std::min<std::size_t>(p.end, packet.bytes.size());
    if (begin < end)
        std::fill(packet.bytes.begin() + static_cast<std::ptrdiff_t>(begin),
                  packet.bytes.begin() + static_cast<std::ptrdiff_t>(end), std::uint8_t{0});
}

// --- closing

Verdict check_after_fin(const RulePacket&, const FlowContext& context) {
    const View v(context);
    if (!v.me.fin || v.has(tcp_flag::rst)) return Verdict::not_applicable;
    return pass_if(sequence_distance(v.segment.next_sequence(), v.me.fin_end) <= 0);
}
void repair_after_fin(const RulePacket& p, const FlowContext& context, MutablePacket& packet) {
    const View v(context);
    set_flags(p, packet, tcp_flag::ack);
    set_sequence(p, packet, v.me.fin_end);
    cut_tcp_payload(p, packet, 0);
}

/// An acknowledgement sent after the FIN may overtake it.
Verdict check_fin_last(const RulePacket&, const FlowContext& context) {
    const View v(context);
    if (!v.has(tcp_flag::fin) || v.me.fin || v.has(tcp_flag::rst) || v.has(tcp_flag::syn))
        return Verdict::not_applicable;
    if (!v.me.seen) return Verdict::not_checkable;
    return pass_if(sequence_distance(v.segment.next_sequence(), v.me.sent) >= 0);
}
void clear_fin(const RulePacket& p, const FlowContext& context, MutablePacket& packet) {
    set_flags(p, packet, static_cast<std::uint8_t>(context.segment.flags & ~tcp_flag::fin));
}

Verdict check_fin_repeated(const RulePacket&, const FlowContext& context) {
    const View v(context);
    if (!v.has(tcp_flag::fin) || !v.me.fin || v.has(tcp_flag::rst)) return Verdict::not_applicable;
    // A later number is tcp.flow.after_fin's.
    return pass_if(sequence_distance(v.segment.next_sequence(), v.me.fin_end) >= 0);
}

/// Who has sent nothing yet can only refuse the SYN.
Verdict check_refusal(const RulePacket&, const FlowContext& context) {
    const View v(context);
    if (!v.has(tcp_flag::rst) || v.has(tcp_flag::syn) || v.me.seen || !v.flow.from_start || !v.peer.syn ||
        v.peer.acknowledged)
        return Verdict::not_applicable;
    const std::int32_t past_syn = sequence_distance(v.segment.acknowledgement, v.peer.initial_sequence + 1);
    return pass_if(v.has(tcp_flag::ack) && past_syn >= 0 &&
                   sequence_distance(v.segment.acknowledgement, v.peer.next) <= 0);
}
void repair_refusal(const RulePacket& p, const FlowContext& context, MutablePacket& packet) {
    const View v(context);
    set_flags(p, packet, static_cast<std::uint8_t>(v.segment.flags | tcp_flag::ack));
    set_acknowledgement(p, packet, v.peer.initial_sequence + 1);
}

Verdict check_after_reset(const RulePacket&, const FlowContext& context) {
    const View v(context);
    if (!v.me.rst) return Verdict::not_applicable;
    return pass_if(v.has(tcp_flag::rst) || v.segment.payload == 0);
}
void repair_after_reset(const RulePacket& p, const FlowContext&, MutablePacket& packet) {
    cut_tcp_payload(p, packet, 0);
}

Verdict check_reset_sequence(const RulePacket&, const FlowContext& context) {
    const View v(context);
    if (!v.has(tcp_flag::rst) || v.has(tcp_flag::syn)) return Verdict::not_applicable;
    if (is_refusal(v)) {
        if (!v.peer.seen) return Verdict::not_checkable;
        if (v.has(tcp_flag::ack) && v.segment.sequence == 0) return Verdict::passed;
        if (!v.peer.acknowledged) return Verdict::not_checkable;
    }
    const std::int64_t slack = v.flow.slack(context.direction);
    const std::uint32_t expected = v.me.seen ? v.me.next : v.peer.acknowledgement;
    const std::int64_t ahead = sequence_distance(v.segment.sequence, expected);
    return pass_if(ahead <= slack && -ahead <= slack);
}
void repair_reset_sequence(const RulePacket& p, const FlowContext& context, MutablePacket& packet) {
    const View v(context);
    set_sequence(p, packet, v.me.seen ? v.me.next : v.peer.acknowledgement);
}

constexpr Rule rules[] = {
    tcp_flow_rule("tcp.flow.handshake", "a conversation opens with SYN, SYN-ACK, ACK", "RFC 9293 section 3.5",
                  "made the SYN, SYN-ACK or ACK that is due", check_handshake, repair_handshake),
    tcp_flow_rule("tcp.flow.syn_repeated", "a repeated SYN has the same sequence number",
                  "RFC 9293 section 3.8.1", "set to the first SYN's", check_syn_repeated,
                  repair_syn_repeated),
    tcp_flow_rule("tcp.flow.syn_acknowledged", "a SYN-ACK acknowledges the SYN", "RFC 9293 section 3.5",
                  "acknowledgement set to the SYN's number + 1", check_syn_acknowledged,
                  repair_syn_acknowledged),
    tcp_flow_rule("tcp.flow.options_answered",
                  "a SYN-ACK has window scale, SACK-permitted and timestamps only if the SYN had",
                  "RFC 7323 sections 2.2 and 3.2; RFC 2018 section 2", "replaced by No-Operation",
                  check_options_answered, repair_options_answered),
    tcp_flow_rule("tcp.flow.early_data", "there is no data before the handshake, but with Fast Open",
                  "RFC 9293 section 3.5; RFC 7413", "payload removed", check_early_data, repair_early_data),
    tcp_flow_rule("tcp.flow.after_fin", "nothing new is sent after FIN", "RFC 9293 section 3.6",
                  "made a bare ACK", check_after_fin, repair_after_fin),
    tcp_flow_rule("tcp.flow.fin_repeated", "a repeated FIN stands at the same sequence number",
                  "RFC 9293 sections 3.6 and 3.8.1", "FIN cleared", check_fin_repeated, clear_fin),
    tcp_flow_rule("tcp.flow.fin_last", "FIN stands after all data that its sender has sent",
                  "RFC 9293 sections 3.6 and 3.10.4", "FIN cleared", check_fin_last, clear_fin),
    tcp_flow_rule("tcp.flow.refusal", "a RST that refuses a SYN acknowledges it",
                  "RFC 9293 sections 3.5.2 and 3.10.7.1", "ACK set, with the SYN's number + 1", check_refusal,
                  repair_refusal),
    tcp_flow_rule("tcp.flow.after_reset", "the sender of RST sends no more data", "RFC 9293 section 3.5.3",
                  "payload removed", check_after_reset, repair_after_reset),
    tcp_flow_rule("tcp.flow.reset_sequence", "a RST is within a window of what its sender has sent",
                  "RFC 9293 section 3.10.7; RFC 5961 section 3", "set to the sender's next number",
                  check_reset_sequence, repair_reset_sequence),
    tcp_flow_rule("tcp.flow.sequence", "sequence numbers go on from earlier ones, within a window",
                  "RFC 9293 sections 3.4 and 3.10.7.4", "set to the sender's next number", check_sequence,
                  repair_sequence),
    tcp_flow_rule("tcp.flow.window", "data stay within the window that the receiver has advertised",
                  "RFC 9293 section 3.8.6", "payload cut to the window", check_window, repair_window),
    tcp_flow_rule("tcp.flow.syn_ack_acknowledged", "the initiator acknowledges the SYN-ACK",
                  "RFC 9293 section 3.5", "set to what the peer has sent", check_syn_ack_acknowledged,
                  repair_syn_ack_acknowledged),
    tcp_flow_rule("tcp.flow.acknowledgement", "only what the peer has sent is acknowledged, without gaps",
                  "RFC 9293 sections 3.4 and 3.10.7.4", "set to what the peer has sent",
                  check_acknowledgement, repair_acknowledgement),
    tcp_flow_rule("tcp.flow.acknowledged_before", "data are not acknowledged before they are sent",
                  "RFC 9293 section 3.10.7.4", "set to what was acknowledged", check_acknowledged_before,
                  repair_acknowledged_before),
    tcp_flow_rule("tcp.flow.same_data", "what is sent again is the same", "RFC 9293 sections 3.4 and 3.8.1",
                  "payload replaced by zeros", check_same_data, repair_same_data),
    tcp_flow_rule("tcp.flow.acknowledgement_order", "acknowledgements do not go back, but for late segments",
                  "RFC 9293 section 3.4; RFC 5961 section 5", "set to what the peer has sent",
                  check_acknowledgement_order, repair_acknowledgement_order),
};

}  // namespace

std::span<const Rule> tcp_flow_rules() {
    return rules;
}

}  // namespace tracebench
