/// UDP header rules, but for the checksum's value (checksum_rules.cpp). RFC 768, RFC 8200 section 8.1.

#include <algorithm>

#include "traffic/rules/packet_edit.h"
#include "traffic/rules/rule_groups.h"

namespace tracebench {
namespace {

Verdict check_header(const RulePacket& p) {
    if (p.transport == Headers::none || p.headers.more_fragments) return Verdict::not_checkable;
    return pass_if(p.segment_length() >= 8);
}
void repair_header(const RulePacket& p, MutablePacket& packet) {
    set_ip_end(p, packet, p.transport + 8);
}

Verdict check_length(const RulePacket& p) {
    const std::uint32_t length = load16(p.segment() + 4);
    if (p.headers.more_fragments) return length >= 8 ? Verdict::not_checkable : Verdict::failed;
    if (length == 0 && p.segment_length() > 65535) return Verdict::not_checkable;  // a jumbogram (RFC 2675)
    return pass_if(length == p.segment_length());
}
void repair_length(const RulePacket& p, MutablePacket& packet) {
    const std::uint32_t length =
        p.headers.more_fragments ? std::max(p.segment_length(), 8U) : p.segment_length();
    store16(segment(p, packet) + 4, static_cast<std::uint16_t>(std::min(length, 65535U)));
}

Verdict check_port(const RulePacket& p) {
    return pass_if(load16(p.segment() + 2) != 0);
}
void repair_port(const RulePacket& p, MutablePacket& packet) {
    constexpr std::uint16_t first_dynamic = 49152;  // RFC 6335 section 6
    store16(segment(p, packet) + 2, first_dynamic);
}

constexpr RuleLayer layer = RuleLayer::udp;

constexpr Rule rules[] = {
    {"udp.header", "the IP packet holds the whole header of 8 bytes", "RFC 768", "completed with zeros",
     layer, check_header, repair_header, nullptr, nullptr, true},
    {"udp.length", "the length is that of the IP packet's payload", "RFC 768", "set to it", layer,
     check_length, repair_length},
    {"udp.destination_port", "the destination port is not 0", "RFC 768; RFC 6335 section 6", "set to 49152",
     layer, check_port, repair_port},
};

}  // namespace

std::span<const Rule> udp_rules() {
    return rules;
}

}  // namespace tracebench
