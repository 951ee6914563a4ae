#include "traffic/rules/repair.h"

#include "traffic/rules/flow_repair.h"

namespace tracebench {

bool apply_packet_rules(MutablePacket& packet, std::set<std::string_view>& applied) {
    bool changed = false;
    RulePacket p = read_rule_packet(packet.view());
    // A repair may uncover a layer that other rules speak about, so the table is gone through until all pass.
    constexpr int rounds = 12;
    for (int round = 0; round < rounds; ++round) {
        bool clean = true;
        for (const Rule& rule : rule_table()) {
            if (!rule.check_packet || check_rule(rule, p) != Verdict::failed) continue;
            rule.repair_packet(p, packet);
            applied.insert(rule.id);
            p = read_rule_packet(packet.view());
            clean = false;
            changed = true;
        }
        if (clean) break;
    }
    return changed;
}

void repair_packet(MutablePacket& packet, RepairReport& report) {
    std::set<std::string_view> applied;
    const bool changed = apply_packet_rules(packet, applied);
    ++report.packets;
    report.packets_changed += changed;
    for (const std::string_view id : applied) ++report.repaired[std::string(id)];
}

Trace repair_trace(const Trace& trace, RepairReport& report, const RepairOptions& options) {
    std::vector<MutablePacket> packets;
    std::vector<std::set<std::string_view>> applied(trace.size());
    packets.reserve(trace.size());
    for (const PacketView& view : trace.packets) {
        packets.push_back(
            {view.time_ns, view.original_length, view.link, {view.bytes.begin(), view.bytes.end()}});
        apply_packet_rules(packets.back(), applied[packets.size() - 1]);
    }
    // Repairs can move packets to other flows (a SYN begins one), so flows are split anew until all are
    // legal; what session rules change may matter to flows again.
    constexpr int rounds = 8;
    for (int round = 0; round < rounds; ++round) {
        const bool flows_changed = repair_flows(packets, applied, options);
        const bool session_changed = repair_session(packets, applied);
        if (!flows_changed && !session_changed) break;
    }

    Trace result;
    for (std::size_t i = 0; i < packets.size(); ++i) {
        const MutablePacket& packet = packets[i];
        result.append(packet.time_ns, packet.bytes, packet.original_length, packet.link);
        for (const std::string_view id : applied[i]) ++report.repaired[std::string(id)];
        report.packets_changed += !applied[i].empty();
    }
    report.packets += packets.size();
    return result;
}

}  // namespace tracebench
