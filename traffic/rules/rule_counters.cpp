#include "traffic/rules/rule_counters.h"

namespace tracebench {
namespace {

RulesByLayer by_layer(RuleScope scope) {
    RulesByLayer rules;
    const std::span<const Rule> table = rule_table();
    for (std::uint32_t i = 0; i < table.size(); ++i)
        if (table[i].scope() == scope) rules[static_cast<std::size_t>(table[i].layer)].push_back(i);
    return rules;
}

}  // namespace

void RuleResult::count(Verdict verdict, std::uint64_t frame) {
    switch (verdict) {
        case Verdict::not_applicable:
            return;
        case Verdict::passed:
            ++checked;
            return;
        case Verdict::failed:
            ++checked;
            ++failed;
            if (examples.size() < max_examples) examples.push_back(frame);
            return;
        case Verdict::offloaded:
            ++offloaded;
            [[fallthrough]];
        case Verdict::not_checkable:
            ++not_checkable;
            return;
    }
}

std::vector<RuleResult> no_results() {
    std::vector<RuleResult> results;
    for (const Rule& rule : rule_table()) results.push_back({&rule, 0, 0, 0, 0, {}});
    return results;
}

ScopeRules::ScopeRules(RuleScope scope) : rules_(by_layer(scope)), results_(no_results()) {}

void ScopeRules::count(std::uint32_t rule, Verdict found, const RulePacket& packet, PacketVerdict& verdict) {
    verdict.add(found);
    results_[rule].count(found, packet.packet.frame);
}

void PacketRules::check_layer(RuleLayer layer, LayerState state, const RulePacket& packet,
                              PacketVerdict& verdict) {
    if (state == LayerState::absent) return;
    const std::span<const Rule> all = rule_table();
    for (const std::uint32_t i : rules_of(layer)) {
        const bool callable = state == LayerState::readable || all[i].structural;
        count(i, callable ? all[i].check_packet(packet) : Verdict::not_checkable, packet, verdict);
    }
}

void PacketRules::check(const RulePacket& packet, PacketVerdict& verdict) {
    observed_.add(packet);
    check_layer(RuleLayer::link, packet.link_state, packet, verdict);
    check_layer(packet.network_layer, packet.network_state, packet, verdict);
    check_layer(packet.transport_layer, packet.transport_state, packet, verdict);
    check_layer(packet.application_layer, packet.application_state, packet, verdict);
}

FlowRules::FlowRules(const FlowOptions& options)
    : ScopeRules(RuleScope::flow), table_(options, [this](const Flow& flow) {
          flows_.erase(flow.number);
          observed_.end(flow);
      }) {}

bool FlowRules::check(const RulePacket& packet, PacketVerdict& verdict) {
    const auto placed = table_.add(packet.packet, packet.headers);
    if (placed) check(packet, *placed, verdict);
    return placed && placed->first;
}

void FlowRules::check(const RulePacket& packet, const FlowTable::Placed& placed, PacketVerdict& verdict) {
    if (packet.transport_state != LayerState::readable) return;
    const RuleLayer layer = packet.transport_layer;
    const auto& indices = rules_of(layer);
    if (indices.empty()) return;
    if (layer == RuleLayer::udp && !may_have_flow_rules(packet)) return;
    FlowState& flow = flows_[placed.flow];
    const std::span<const Rule> all = rule_table();
    const auto segment = layer == RuleLayer::tcp ? read_segment(packet) : SegmentFields{};
    const SegmentFields fields = segment.value_or(SegmentFields{});
    const FlowContext context{flow, fields, placed.direction};
    if (layer == RuleLayer::tcp && segment) observed_.add(context);
    for (const std::uint32_t i : indices)
        count(i, segment ? all[i].check_flow(packet, context) : Verdict::not_checkable, packet, verdict);
    if (layer == RuleLayer::udp) {
        flow.add_datagram(packet, placed.direction);
    } else if (layer != RuleLayer::tcp) {
        flow.add_icmp(packet, placed.direction);
    } else if (segment) {
        flow.add(*segment, placed.direction);
    }
}

void SessionRules::check_layer(RuleLayer layer, LayerState state, const RulePacket& packet,
                               PacketVerdict& verdict) {
    if (state != LayerState::readable) return;
    const std::span<const Rule> all = rule_table();
    for (const std::uint32_t i : rules_of(layer))
        count(i, all[i].check_session(packet, session_), packet, verdict);
}

void SessionRules::check(const RulePacket& packet, bool begins_flow, PacketVerdict& verdict) {
    check_layer(packet.network_layer, packet.network_state, packet, verdict);
    check_layer(packet.transport_layer, packet.transport_state, packet, verdict);
    check_layer(packet.application_layer, packet.application_state, packet, verdict);
    observed_.add(packet, session_, begins_flow);
    session_.add(packet, begins_flow);
}

}  // namespace tracebench
