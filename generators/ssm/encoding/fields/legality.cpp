#include "generators/ssm/encoding/fields/legality.h"

#include <algorithm>

#include "traffic/rules/application.h"
#include "traffic/rules/repair.h"

namespace tracebench::ssm {
namespace {

bool is_checksum(const Rule& rule) {
    return rule.id.ends_with("checksum");
}

/// Of other ICMP messages rules also ask what is inside.
bool is_echo(const PacketFields& fields) {
    const std::uint8_t type = fields.icmp_type;
    return fields.protocol == ip_protocol::icmp ? type == 0 || type == 8 : type == 128 || type == 129;
}

/// The rules that can fail here, taken out of the table once. Session rules ask about fragments, errors and
/// neighbours, which a field model does not make.
const std::vector<const Rule*>& rules_in_question() {
    static const std::vector<const Rule*> rules = [] {
        std::vector<const Rule*> list;
        for (const Rule& rule : rule_table())
            if (!is_checksum(rule) && !is_application(rule.layer) && !rule.check_session)
                list.push_back(&rule);
        return list;
    }();
    return rules;
}

/// Flow rules of UDP, once. False where all passed.
bool repair_datagram(MutablePacket& packet, const FlowContext& context) {
    bool changed = false;
    for (const Rule& rule : rule_table()) {
        if (!rule.check_flow || rule.layer != RuleLayer::udp) continue;
        const RulePacket p = read_rule_packet(packet.view());
        if (rule.check_flow(p, context) != Verdict::failed) continue;
        rule.repair_flow(p, context, packet);
        changed = true;
    }
    return changed;
}

}  // namespace

bool passes_rules(const Record& record, const Draft& draft) {
    const bool whole = !record.tcp() && !record.udp() && !is_echo(record.fields);
    const std::vector<std::uint8_t> headers = whole ? build_frame(record, 0) : build_headers(record);
    const RulePacket packet =
        read_rule_packet({record.time_ns, record.wire_bytes(), link_type::ethernet, 0, headers});
    const auto segment = read_segment(packet);
    const SegmentFields fields = segment.value_or(SegmentFields{});
    const FlowContext context{draft.flow->rules, fields, draft.direction};
    return std::none_of(rules_in_question().begin(), rules_in_question().end(), [&](const Rule* rule) {
        if (rule->check_packet) return check_rule(*rule, packet) == Verdict::failed;
        return rule->layer == packet.transport_layer && rule->check_flow(packet, context) == Verdict::failed;
    });
}

bool make_payload_legal(Record& record, const FlowState& flow, Direction direction) {
    if (!record.udp() || record.fields.payload.empty()) return false;
    MutablePacket packet{record.time_ns, record.wire_bytes(), link_type::ethernet, build_frame(record, 0)};
    RepairReport report;
    const SegmentFields none;
    const FlowContext context{flow, none, direction};
    bool changed = true;
    constexpr int rounds = 4;  // each kind of repair may uncover what the other speaks about
    for (int round = 0; round < rounds && changed; ++round) {
        repair_packet(packet, report);
        changed = repair_datagram(packet, context);
        report.packets_changed += changed;
    }
    if (report.packets_changed == 0) return false;
    const auto first = packet.bytes.begin() + record.header_bytes();
    std::copy_n(first, record.fields.payload.size(), record.fields.payload.begin());
    return true;
}

bool has_reason(const Record& record, const Draft& draft) {
    const PacketFields& f = record.fields;
    const Sender& me = draft.flow->own(draft.direction);
    const TcpSide& rules = draft.flow->rules.own(draft.direction);
    const bool pure =
        (f.tcp_flags & (tcp_flag::syn | tcp_flag::fin | tcp_flag::rst)) == 0 && f.payload_length == 0;
    return !record.tcp() || !pure || !rules.seen || !rules.acknowledged || me.unanswered > 0 ||
           me.windows.count() == 0 || f.window != me.windows.at(0) ||
           sequence_distance(f.acknowledgement, rules.acknowledgement) > 0;
}

bool option_may_be(int option, const Draft& draft) {
    const bool syn = draft.has(tcp_flag::syn);
    if (option == code::mss_option || option == code::scale_option || option == code::sack_permitted)
        return syn;
    if (option > code::sack && option < code::other)
        return !syn && (!draft.flow->rules.peer(draft.direction).options_known ||
                        draft.flow->rules.peer(draft.direction).offered_sack);
    return true;
}

}  // namespace tracebench::ssm
