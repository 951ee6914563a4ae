/// TCP rules about what the SYNs agreed on: timestamps, selective acknowledgements, ECN. RFC 7323, RFC 2018,
/// RFC 2883, RFC 3168.

#include "traffic/rules/packet_edit.h"
#include "traffic/rules/rule_groups.h"
#include "traffic/rules/tcp_flow_view.h"
#include "traffic/rules/tcp_options.h"

namespace tracebench {
namespace {

using View = TcpFlowView;

bool timestamps_negotiated(const FlowState& flow) {
    return flow.side[0].offered_timestamps && flow.side[1].offered_timestamps;
}
Verdict check_timestamps_negotiated(const RulePacket&, const FlowContext& context) {
    const View v(context);
    if (v.has(tcp_flag::syn) || v.has(tcp_flag::rst)) return Verdict::not_applicable;
    if (!v.flow.negotiated() || !v.segment.options_known) return Verdict::not_checkable;
    return pass_if(v.segment.timestamps == timestamps_negotiated(v.flow));
}
void repair_timestamps_negotiated(const RulePacket& p, const FlowContext& context, MutablePacket& packet) {
    const View v(context);
    if (timestamps_negotiated(v.flow)) {
        set_tcp_timestamps(p, packet, v.me.last_timestamp, v.peer.last_timestamp);
    } else {
        remove_tcp_option(p, packet, tcp_option::timestamps);
    }
}

Verdict check_timestamps_order(const RulePacket&, const FlowContext& context) {
    const View v(context);
    if (!v.segment.timestamps || v.has(tcp_flag::rst) || !v.me.timestamped) return Verdict::not_applicable;
    const std::int32_t back = sequence_distance(v.me.last_timestamp, v.segment.timestamp);
    if (back <= 0) return Verdict::passed;
    // An older segment may arrive late, one with new data cannot be older (RFC 7323 section 5.2).
    const bool new_data = v.segment.payload > 0 && sequence_distance(v.segment.sequence, v.me.next) >= 0;
    constexpr std::int32_t late = 60'000;  // a minute of the usual clock of 1 kHz
    return pass_if(!new_data && back <= late);
}
void repair_timestamps_order(const RulePacket& p, const FlowContext& context, MutablePacket& packet) {
    set_tcp_timestamps(p, packet, View(context).me.last_timestamp, context.segment.timestamp_echo);
}

Verdict check_timestamp_echo(const RulePacket&, const FlowContext& context) {
    const View v(context);
    if (!v.segment.timestamps || !v.has(tcp_flag::ack) || v.has(tcp_flag::rst))
        return Verdict::not_applicable;
    if (!v.peer.timestamped || v.peer.clock_ran_far) return Verdict::not_checkable;
    const std::int64_t ahead = sequence_distance(v.segment.timestamp_echo, v.peer.last_timestamp);
    if (ahead > 0) {
        // The capture may have missed the segment that is echoed. Clocks tick once a millisecond at most
        // (RFC 7323 section 5.4); a second more allows for delay between the capture point and the peer.
        const std::int64_t elapsed_ms = (v.segment.time_ns - v.peer.last_timestamp_ns) / 1'000'000;
        return ahead <= elapsed_ms + 1000 ? Verdict::not_checkable : Verdict::failed;
    }
    if (!v.flow.from_start) return Verdict::passed;
    return pass_if(sequence_distance(v.segment.timestamp_echo, v.peer.first_timestamp) >= 0);
}
void repair_timestamp_echo(const RulePacket& p, const FlowContext& context, MutablePacket& packet) {
    set_tcp_timestamps(p, packet, context.segment.timestamp, View(context).peer.last_timestamp);
}

Verdict check_sack_negotiated(const RulePacket&, const FlowContext& context) {
    const View v(context);
    if (v.segment.sack_blocks == 0 || v.has(tcp_flag::syn)) return Verdict::not_applicable;
    if (!v.flow.from_start || !v.peer.options_known) return Verdict::not_checkable;
    return pass_if(v.peer.offered_sack);
}
void remove_sack(const RulePacket& p, const FlowContext&, MutablePacket& packet) {
    remove_tcp_option(p, packet, tcp_option::sack);
}

Verdict check_sack_range(const RulePacket&, const FlowContext& context) {
    const View v(context);
    if (v.segment.sack_blocks == 0 || v.has(tcp_flag::syn)) return Verdict::not_applicable;
    if (!v.peer.seen || (!v.flow.from_start && !v.me.acknowledged)) return Verdict::not_checkable;
    for (std::size_t i = 0; i < v.segment.sack_blocks; ++i) {
        // Beyond what the capture saw of the peer, a block may still lie in the window.
        const std::uint32_t right = v.segment.sack[2 * i + 1];
        const bool in_window = v.me.acknowledged && sequence_distance(right, v.me.window_edge) <= 0;
        if (sequence_distance(right, v.peer.next) > 0 && !in_window) return Verdict::failed;
        // Only the first block may report what was received twice (RFC 2883 section 4).
        if (i > 0 && sequence_distance(v.segment.sack[2 * i], v.segment.acknowledgement) < 0)
            return Verdict::failed;
    }
    return Verdict::passed;
}

Verdict check_ecn_negotiated(const RulePacket&, const FlowContext& context) {
    const View v(context);
    if (v.has(tcp_flag::syn) || v.has(tcp_flag::rst)) return Verdict::not_applicable;
    if (!v.flow.negotiated()) return Verdict::not_checkable;
    if (!v.has(tcp_flag::ece) && !v.has(tcp_flag::cwr)) return Verdict::passed;
    return pass_if(v.flow.side[0].offered_ecn && v.flow.side[1].offered_ecn);
}
void repair_ecn_negotiated(const RulePacket& p, const FlowContext& context, MutablePacket& packet) {
    set_flags(p, packet, static_cast<std::uint8_t>(context.segment.flags & ~(tcp_flag::ece | tcp_flag::cwr)));
}

constexpr Rule rules[] = {
    tcp_flow_rule("tcp.flow.timestamps_negotiated",
                  "timestamps are on every segment, or on none, as the SYNs agreed", "RFC 7323 section 3.2",
                  "added or replaced by No-Operation", check_timestamps_negotiated,
                  repair_timestamps_negotiated),
    tcp_flow_rule("tcp.flow.timestamps_order", "timestamps do not go back, but for late segments",
                  "RFC 7323 sections 4.3, 5.2", "set to the sender's latest", check_timestamps_order,
                  repair_timestamps_order),
    tcp_flow_rule("tcp.flow.timestamp_echo", "timestamps are echoed only after the peer has sent them",
                  "RFC 7323 section 3.2", "set to the peer's latest", check_timestamp_echo,
                  repair_timestamp_echo),
    tcp_flow_rule("tcp.flow.sack_negotiated", "SACK is sent only to who permitted it", "RFC 2018 section 2",
                  "replaced by No-Operation", check_sack_negotiated, remove_sack),
    tcp_flow_rule("tcp.flow.sack_range",
                  "SACK blocks lie above the acknowledgement, in what the peer has sent or the window",
                  "RFC 2018 section 4; RFC 2883 section 4", "replaced by No-Operation", check_sack_range,
                  remove_sack),
    tcp_flow_rule("tcp.flow.ecn_negotiated", "ECE and CWR are set only if both SYNs agreed to ECN",
                  "RFC 3168 section 6.1", "cleared", check_ecn_negotiated, repair_ecn_negotiated),
};

}  // namespace

std::span<const Rule> tcp_flow_option_rules() {
    return rules;
}

}  // namespace tracebench
