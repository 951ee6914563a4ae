#pragma once
/// What the rules of TCP conversations share. Not for use elsewhere.

#include "traffic/rules/packet_edit.h"
#include "traffic/rules/rule.h"

namespace tracebench {

/// Shorthands for one check or repair.
struct TcpFlowView {
    const FlowState& flow;
    const SegmentFields& segment;
    const TcpSide& me;
    const TcpSide& peer;
    bool initiator;  ///< the sender opened the conversation

    explicit TcpFlowView(const FlowContext& context)
        : flow(context.state),
          segment(context.segment),
          me(flow.own(context.direction)),
          peer(flow.peer(context.direction)),
          initiator(flow.initiator == context.direction) {}
    bool has(std::uint8_t flag) const { return segment.has(flag); }
};

inline void set_flags(const RulePacket& p, MutablePacket& packet, std::uint8_t flags) {
    segment(p, packet)[13] = flags;
}
inline void set_sequence(const RulePacket& p, MutablePacket& packet, std::uint32_t value) {
    store32(segment(p, packet) + 4, value);
}
inline void set_acknowledgement(const RulePacket& p, MutablePacket& packet, std::uint32_t value) {
    store32(segment(p, packet) + 8, value);
}

constexpr Rule tcp_flow_rule(std::string_view id, std::string_view title, std::string_view reference,
                             std::string_view remedy, Rule::CheckFlow check, Rule::RepairFlow repair) {
    return {id, title, reference, remedy, RuleLayer::tcp, nullptr, nullptr, check, repair};
}

}  // namespace tracebench
