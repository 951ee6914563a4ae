#include "traffic/rules/flow_repair.h"

namespace tracebench {
namespace {

bool apply_session_rules(MutablePacket& packet, std::set<std::string_view>& applied,
                         const SessionState& session) {
    bool changed = false;
    // A repair may make of the packet one that other rules speak about.
    constexpr int rounds = 4;
    for (int round = 0; round < rounds; ++round) {
        bool clean = true;
        for (const Rule& rule : rule_table()) {
            if (!rule.check_session) continue;
            const RulePacket p = read_rule_packet(packet.view());
            if (p.state(rule.layer) != LayerState::readable) continue;
            if (rule.check_session(p, session) != Verdict::failed) continue;
            rule.repair_session(p, session, packet);
            applied.insert(rule.id);
            apply_packet_rules(packet, applied);
            clean = false;
            changed = true;
        }
        if (clean) break;
    }
    return changed;
}

}  // namespace

bool repair_session(std::vector<MutablePacket>& packets, std::vector<std::set<std::string_view>>& applied) {
    bool changed = false;
    SessionState session;
    FlowTable table({}, nullptr);
    for (std::size_t i = 0; i < packets.size(); ++i) {
        changed |= apply_session_rules(packets[i], applied[i], session);
        const RulePacket p = read_rule_packet(packets[i].view());
        const auto placed = table.add(p.packet, p.headers);
        session.add(p, placed && placed->first);
    }
    return changed;
}

}  // namespace tracebench
