/// RTP over UDP. RFC 3550, RFC 5761.
///
/// No port says that a datagram is RTP. Its sequence numbers do: after four packets of one source that follow
/// on each other (RFC 3550 appendix A.1 asks for two) it is, and what comes later is checked.

#include "traffic/rules/packet_edit.h"
#include "traffic/rules/rule_groups.h"

namespace tracebench {
namespace {

constexpr std::uint32_t udp_header = 8, fixed_header = 12;

const std::uint8_t* rtp(const RulePacket& p) {
    return p.segment() + udp_header;
}
std::uint8_t* rtp(const RulePacket& p, MutablePacket& packet) {
    return segment(p, packet) + udp_header;
}

/// Whether the packet belongs to a source that is known to send RTP.
bool is_rtp(const RulePacket& p, const FlowContext& context) {
    const RtpSource& known = context.state.rtp[static_cast<int>(context.direction)];
    return known.in_order == RtpSource::proven && possible_rtp_source(p) == known.source;
}

/// The list of contributing sources, and the header of an extension.
Verdict check_header(const RulePacket& p, const FlowContext& context) {
    if (!is_rtp(p, context)) return Verdict::not_applicable;
    const unsigned first = rtp(p)[0];
    const bool extended = (first & 0x10) != 0;
    std::uint32_t size = udp_header + fixed_header + 4 * (first & 0x0FU);
    if (extended) {
        if (size + 4 > p.segment_length()) return Verdict::failed;
        if (!p.captured(p.transport + size, 4)) return Verdict::not_checkable;
        size += 4 + 4U * load16(p.segment() + size + 2);
    }
    return pass_if(size <= p.segment_length());
}
void repair_header(const RulePacket& p, const FlowContext&, MutablePacket& packet) {
    rtp(p, packet)[0] &= 0xE0;
}

bool reads_as_rtcp(unsigned payload_type) {
    return payload_type >= 72 && payload_type <= 76;
}
/// With the marker bit, these would read as RTCP's packet types 200 to 204.
Verdict check_payload_type(const RulePacket& p, const FlowContext& context) {
    if (!is_rtp(p, context)) return Verdict::not_applicable;
    return pass_if(!reads_as_rtcp(rtp(p)[1] & 0x7FU));
}
void repair_payload_type(const RulePacket& p, const FlowContext& context, MutablePacket& packet) {
    const std::uint8_t last = context.state.rtp[static_cast<int>(context.direction)].payload_type;
    std::uint8_t& field = rtp(p, packet)[1];
    constexpr unsigned first_dynamic = 96;  // RFC 3551 section 6
    field = static_cast<std::uint8_t>((field & 0x80) | (reads_as_rtcp(last) ? first_dynamic : last));
}

/// The limits of RFC 3550 appendix A.1, past which a receiver takes the source for restarted.
Verdict check_sequence(const RulePacket& p, const FlowContext& context) {
    if (!is_rtp(p, context)) return Verdict::not_applicable;
    constexpr std::uint32_t most_lost = 3000, most_late = 100, numbers = 1U << 16;
    const RtpSource& known = context.state.rtp[static_cast<int>(context.direction)];
    const auto ahead = static_cast<std::uint16_t>(load16(rtp(p) + 2) - known.sequence);
    return pass_if(ahead < most_lost || ahead > numbers - most_late);
}
void repair_sequence(const RulePacket& p, const FlowContext& context, MutablePacket& packet) {
    const RtpSource& known = context.state.rtp[static_cast<int>(context.direction)];
    store16(rtp(p, packet) + 2, static_cast<std::uint16_t>(known.sequence + 1));
}

constexpr Rule rule(std::string_view id, std::string_view title, std::string_view reference,
                    std::string_view remedy, Rule::CheckFlow check, Rule::RepairFlow repair) {
    return {id, title, reference, remedy, RuleLayer::udp, nullptr, nullptr, check, repair};
}

constexpr Rule rules[] = {
    rule("rtp.flow.header", "the datagram holds the contributing sources and the extension",
         "RFC 3550 sections 5.1 and 5.3.1", "both left out", check_header, repair_header),
    rule("rtp.flow.payload_type", "the payload type is none that RTCP could be taken for (72 to 76)",
         "RFC 3550 section 12; RFC 5761 section 4", "set to the source's last, or to 96", check_payload_type,
         repair_payload_type),
    rule("rtp.flow.sequence", "sequence numbers go on within 3000, or 100 back", "RFC 3550 appendix A.1",
         "set to the source's next number", check_sequence, repair_sequence),
};

}  // namespace

std::span<const Rule> rtp_flow_rules() {
    return rules;
}

}  // namespace tracebench
