/// Answers over UDP repeat something of what was asked (answers.h): RFC 1035, RFC 5905, RFC 9000. Asked about
/// within a flow; of a flow whose requests were not captured nothing can be said.

#include <algorithm>

#include "traffic/rules/answers.h"
#include "traffic/rules/application.h"
#include "traffic/rules/rule_groups.h"

namespace tracebench {
namespace {

template <RuleLayer application>
Verdict check(const RulePacket& p, const FlowContext& context) {
    if (p.application_layer != application) return Verdict::not_applicable;
    const auto answer = answer_of(p);
    if (!answer) return Verdict::not_applicable;
    const Direction asker = opposite(context.direction);
    const auto requests = context.state.asked.of(asker);
    if (requests.empty()) return Verdict::not_checkable;
    const bool found = std::any_of(requests.begin(), requests.end(), [&](std::uint64_t request) {
        return fits(application, *answer, request);
    });
    if (found) return Verdict::passed;
    return context.state.asked.forgot(asker) ? Verdict::not_checkable : Verdict::failed;
}

/// The identifier of a query with this question.
void repair_dns(const RulePacket& p, const FlowContext& context, MutablePacket& packet) {
    constexpr int shift = 48;
    const std::uint64_t question = *answer_of(p) << 16 >> 16;
    for (const std::uint64_t request : context.state.asked.of(opposite(context.direction))) {
        const std::uint64_t identifier = request >> shift;
        if (!fits(RuleLayer::dns, identifier << shift | question, request)) continue;
        store16(payload(p, packet), static_cast<std::uint16_t>(identifier));
        return;
    }
    blank_payload(p, packet);
}

void repair_ntp(const RulePacket& p, const FlowContext& context, MutablePacket& packet) {
    constexpr std::uint32_t origin_at = 24;
    const std::uint64_t time = context.state.asked.last(opposite(context.direction));
    store32(payload(p, packet) + origin_at, static_cast<std::uint32_t>(time >> 32));
    store32(payload(p, packet) + origin_at + 4, static_cast<std::uint32_t>(time));
}

void repair_quic(const RulePacket& p, const FlowContext&, MutablePacket& packet) {
    blank_payload(p, packet);
}

constexpr Rule rule(std::string_view id, std::string_view title, std::string_view reference,
                    std::string_view remedy, Rule::CheckFlow check, Rule::RepairFlow repair) {
    return {id, title, reference, remedy, RuleLayer::udp, nullptr, nullptr, check, repair};
}

constexpr Rule rules[] = {
    rule("dns.flow.response", "a response has the identifier and the question of a query",
         "RFC 1035 section 4.1; RFC 5452 section 9.1",
         "identifier set to that of a query with its question, else payload replaced by zeros",
         check<RuleLayer::dns>, repair_dns),
    rule("ntp.flow.origin", "a server's origin timestamp is the transmit timestamp of a request",
         "RFC 5905 section 8", "set to the last request's", check<RuleLayer::ntp>, repair_ntp),
    rule("quic.flow.destination_id", "a server's long header goes to the client's connection identifier",
         "RFC 9000 section 7.2", "payload replaced by zeros", check<RuleLayer::quic>, repair_quic),
};

}  // namespace

std::span<const Rule> answer_flow_rules() {
    return rules;
}

}  // namespace tracebench
