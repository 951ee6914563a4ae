/// Rules that need the session so far: questions and answers of neighbours (neighbour_questions.h), datagrams
/// in fragments (fragments.h), what errors quote (quotes.h). RFC 826, 791, 792, 2131, 4443, 4861, 5722, 8200.
///
/// A capture may begin late, or see one side only: an answer is held against its receiver's questions only
/// where that one was seen asking, a quote against the conversations of its two hosts only where one was
/// seen.

#include <algorithm>

#include "traffic/rules/application.h"
#include "traffic/rules/ipv6_chain.h"
#include "traffic/rules/neighbour_questions.h"
#include "traffic/rules/packet_edit.h"
#include "traffic/rules/quotes.h"
#include "traffic/rules/rule_groups.h"

namespace tracebench {
namespace {

/// `wider` was seen and `narrower` was not: it was not there, unless it was forgotten.
Verdict check_seen(const SeenSet& wider, std::uint64_t whose, const SeenSet& narrower, std::uint64_t what) {
    if (narrower.contains(what)) return Verdict::passed;
    return wider.contains(whose) && !narrower.forgot() ? Verdict::failed : Verdict::not_checkable;
}

// --- answers of neighbours

Verdict check_answer(const RulePacket& p, const SessionState& session) {
    const auto answer = neighbour_answer(p);
    if (!answer) return Verdict::not_applicable;
    return check_seen(session.askers, answer->asker, session.questions, answer->question);
}

/// A reply to all is heard where the request, to the server alone or through another access point, was not.
Verdict check_dhcp_reply(const RulePacket& p, const SessionState& session) {
    const Verdict verdict = check_answer(p, session);
    const bool to_all = p.network_layer == RuleLayer::ipv4 && load32(p.net() + 16) == 0xFFFFFFFF;
    return verdict == Verdict::failed && to_all ? Verdict::not_checkable : verdict;
}

void make_announcement(const RulePacket& p, const SessionState&, MutablePacket& packet) {
    std::uint8_t* const arp = net(p, packet);
    std::copy_n(arp + 8, 10, arp + 18);
}
void clear_solicited(const RulePacket& p, const SessionState&, MutablePacket& packet) {
    segment(p, packet)[4] &= 0xBF;
}
void blank_message(const RulePacket& p, const SessionState&, MutablePacket& packet) {
    blank_payload(p, packet);
}

// --- fragments

template <bool (*is_wrong)(const Fragment&, const OpenDatagram&)>
Verdict check_fragment(const RulePacket& p, const SessionState& session) {
    const auto fragment = read_fragment(p);
    if (!fragment) return Verdict::not_applicable;
    const OpenDatagram* const datagram = session.datagrams.find(*fragment);
    return datagram ? pass_if(!is_wrong(*fragment, *datagram)) : Verdict::not_applicable;
}
void make_whole_v4(const RulePacket& p, const SessionState&, MutablePacket& packet) {
    store16(net(p, packet) + 6, load16(p.net() + 6) & 0xC000);
}
void make_whole_v6(const RulePacket& p, const SessionState&, MutablePacket& packet) {
    store16(packet.bytes.data() + *find_fragment_header(p) + 2, 0);
}

// --- errors

Verdict check_quoted(const RulePacket& p, const SessionState& session) {
    const auto quoted = quoted_conversation(p);
    if (!quoted) return Verdict::not_applicable;
    return check_seen(session.hosts, quoted->hosts, session.conversations, quoted->ports);
}
void make_echo_request(const RulePacket& p, const SessionState&, MutablePacket& packet) {
    std::uint8_t* const message = segment(p, packet);
    message[0] = p.transport_layer == RuleLayer::icmp ? 8 : 128;
    message[1] = 0;
}

constexpr Rule rule(std::string_view id, std::string_view title, std::string_view reference,
                    std::string_view remedy, RuleLayer layer, Rule::CheckSession check,
                    Rule::RepairSession repair) {
    Rule rule{id, title, reference, remedy, layer};
    rule.check_session = check;
    rule.repair_session = repair;
    return rule;
}

constexpr Rule rules[] = {
    rule("arp.session.reply", "a reply answers a request of its receiver", "RFC 826", "made an announcement",
         RuleLayer::arp, check_answer, make_announcement),
    rule("icmpv6.session.solicited", "a solicited neighbour advertisement answers a solicitation",
         "RFC 4861 sections 4.4 and 7.2.4", "solicited flag cleared", RuleLayer::icmpv6, check_answer,
         clear_solicited),
    rule("dhcp.session.reply", "a reply has the transaction identifier of a request of its client",
         "RFC 2131 section 4.3.1", "payload replaced by zeros", RuleLayer::dhcp, check_dhcp_reply,
         blank_message),
    rule("ipv4.session.fragment_overlap", "fragments of a datagram do not overlap, but for repeated ones",
         "RFC 791 section 3.2; RFC 1858 section 4", "made whole", RuleLayer::ipv4, check_fragment<overlaps>,
         make_whole_v4),
    rule("ipv4.session.fragment_last", "no fragment lies past the end of the last one", "RFC 791 section 3.2",
         "made whole", RuleLayer::ipv4, check_fragment<contradicts_end>, make_whole_v4),
    rule("ipv6.session.fragment_overlap", "fragments of a packet do not overlap, but for repeated ones",
         "RFC 8200 section 4.5; RFC 5722 section 4", "made whole", RuleLayer::ipv6, check_fragment<overlaps>,
         make_whole_v6),
    rule("ipv6.session.fragment_last", "no fragment lies past the end of the last one",
         "RFC 8200 section 4.5", "made whole", RuleLayer::ipv6, check_fragment<contradicts_end>,
         make_whole_v6),
    rule("icmp.session.error_about", "an error is about a conversation that took place",
         "RFC 792; RFC 1122 section 3.2.2", "made an echo request", RuleLayer::icmp, check_quoted,
         make_echo_request),
    rule("icmpv6.session.error_about", "an error is about a conversation that took place",
         "RFC 4443 section 2.4", "made an echo request", RuleLayer::icmpv6, check_quoted, make_echo_request),
};

}  // namespace

std::span<const Rule> session_rules() {
    return rules;
}

}  // namespace tracebench
