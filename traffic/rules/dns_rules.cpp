/// DNS messages over UDP (ports 53 and 5353, multicast DNS), by their header and first name. RFC 1035 section
/// 4, RFC 2136, RFC 6762, RFC 6895.

#include <algorithm>

#include "traffic/rules/application.h"
#include "traffic/rules/rule_groups.h"

namespace tracebench {
namespace {

constexpr std::uint32_t header_size = 12;
constexpr std::uint16_t unicast_port = 53;

bool is_response(const RulePacket& p) {
    return (payload(p)[2] & 0x80) != 0;
}
unsigned opcode(const RulePacket& p) {
    return (payload(p)[2] >> 3) & 0x0FU;
}
bool is_multicast(const RulePacket& p) {
    return load16(p.segment()) != unicast_port && load16(p.segment() + 2) != unicast_port;
}
/// 0: questions, 1: answers, 2: authority, 3: additional.
std::uint32_t count(const RulePacket& p, std::uint32_t section) {
    return load16(payload(p) + 4 + 2 * section);
}

Verdict check_header(const RulePacket& p) {
    return check_message_length(p, header_size);
}

Verdict check_opcode(const RulePacket& p) {
    return pass_if(opcode(p) <= 6 && opcode(p) != 3);
}
void repair_opcode(const RulePacket& p, MutablePacket& packet) {
    payload(p, packet)[2] &= 0x87;
}

/// Port 53 at one end says which the server is; multicast DNS has the same port at both.
Verdict check_direction(const RulePacket& p) {
    if (goes_to(p, unicast_port)) return pass_if(!is_response(p));
    return comes_from(p, unicast_port) ? pass_if(is_response(p)) : Verdict::not_applicable;
}
void repair_direction(const RulePacket& p, MutablePacket& packet) {
    payload(p, packet)[2] ^= 0x80;
}

Verdict check_reserved(const RulePacket& p) {
    return pass_if((payload(p)[3] & 0x40) == 0);
}
void repair_reserved(const RulePacket& p, MutablePacket& packet) {
    payload(p, packet)[3] &= 0xBF;
}

/// 12 to 15 are not assigned; larger codes stand elsewhere (RFC 6891).
Verdict check_response_code(const RulePacket& p) {
    const unsigned code = payload(p)[3] & 0x0FU;
    return pass_if(is_response(p) ? code <= 11 : code == 0);
}
void repair_response_code(const RulePacket& p, MutablePacket& packet) {
    payload(p, packet)[3] &= 0xF0;
}

Verdict check_question_count(const RulePacket& p) {
    if (opcode(p) != 0 || is_multicast(p)) return Verdict::not_applicable;
    return pass_if(count(p, 0) <= 1);
}
void repair_question_count(const RulePacket& p, MutablePacket& packet) {
    store16(payload(p, packet) + 4, 1);
}

/// A question has 5 bytes or more, a resource record 11: both with the root's name.
std::uint32_t least_size(const RulePacket& p) {
    return header_size + 5 * count(p, 0) + 11 * (count(p, 1) + count(p, 2) + count(p, 3));
}
Verdict check_counts(const RulePacket& p) {
    return pass_if(least_size(p) <= p.payload_length());
}
void repair_counts(const RulePacket& p, MutablePacket& packet) {
    std::uint8_t* const counts = payload(p, packet) + 4;
    std::fill_n(counts, 8, std::uint8_t{0});
    if (p.payload_length() >= header_size + 5) store16(counts, 1);
}

/// Labels of at most 63 bytes, 255 in all, within the message; compression points back to an earlier name,
/// and there is none before the first.
Verdict check_name(const RulePacket& p) {
    if (least_size(p) == header_size) return Verdict::not_applicable;
    constexpr std::uint32_t longest = 255;
    for (std::uint32_t at = header_size; at < p.payload_length() && at - header_size < longest;) {
        if (!payload_captured(p, at, 1)) return Verdict::not_checkable;
        const std::uint32_t label = payload(p)[at];
        if (label == 0) return Verdict::passed;
        if (label > 63) return Verdict::failed;
        at += 1 + label;
    }
    return Verdict::failed;
}
/// Ends the name where it begins: the root.
void repair_name(const RulePacket& p, MutablePacket& packet) {
    payload(p, packet)[header_size] = 0;
}

constexpr RuleLayer layer = RuleLayer::dns;

constexpr Rule rules[] = {
    {"dns.header", "the datagram holds the header of 12 bytes", "RFC 1035 section 4.1.1",
     "payload replaced by zeros", layer, check_header, blank_payload, nullptr, nullptr, true},
    {"dns.opcode", "the kind of query is assigned", "RFC 1035 section 4.1.1; IANA DNS parameters",
     "set to 0 (query)", layer, check_opcode, repair_opcode},
    {"dns.direction", "queries go to port 53, responses come from it", "RFC 1035 sections 4.1.1 and 4.2.1",
     "QR inverted", layer, check_direction, repair_direction},
    {"dns.reserved", "the reserved bit is 0", "RFC 1035 section 4.1.1; RFC 4035 section 3", "cleared", layer,
     check_reserved, repair_reserved},
    {"dns.response_code", "the response code is assigned, and 0 in a query",
     "RFC 1035 section 4.1.1; RFC 6895 section 2.3", "set to 0", layer, check_response_code,
     repair_response_code},
    {"dns.question_count", "a query has one question at most", "RFC 9619 section 4", "set to 1", layer,
     check_question_count, repair_question_count},
    {"dns.counts", "the message has room for the records that it counts", "RFC 1035 section 4.1",
     "set to one question, or none where there is no room", layer, check_counts, repair_counts},
    {"dns.name", "the first name has labels of at most 63 bytes, 255 in all, and ends in the message",
     "RFC 1035 sections 3.1 and 4.1.4", "made the root", layer, check_name, repair_name},
};

}  // namespace

std::span<const Rule> dns_rules() {
    return rules;
}

}  // namespace tracebench
