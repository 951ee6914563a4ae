#include "traffic/rules/checker.h"

#include <array>
#include <optional>
#include <unordered_map>

namespace tracebench {
namespace {

constexpr std::size_t max_examples = 10;

/// Indices into the rule table, by the layer that they speak about.
struct RulesByLayer {
    std::array<std::vector<std::uint32_t>, rule_layers> packet, flow, session;

    RulesByLayer() {
        const std::span<const Rule> table = rule_table();
        for (std::uint32_t i = 0; i < table.size(); ++i) {
            auto& lists = table[i].check_session ? session : table[i].check_flow ? flow : packet;
            lists[static_cast<std::size_t>(table[i].layer)].push_back(i);
        }
    }
};

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

double ComplianceResult::score() const {
    if (packets_checked == 0) return 1;
    return 1 - static_cast<double>(packets_failed) / static_cast<double>(packets_checked);
}

void ComplianceResult::merge(const ComplianceResult& other) {
    packets += other.packets;
    packets_checked += other.packets_checked;
    packets_failed += other.packets_failed;
    for (std::size_t i = 0; i < observed.size(); ++i) {
        observed[i].count += other.observed[i].count;
        observed[i].of += other.observed[i].of;
    }
    for (std::size_t i = 0; i < rules.size(); ++i) {
        RuleResult& mine = rules[i];
        const RuleResult& theirs = other.rules[i];
        mine.checked += theirs.checked;
        mine.failed += theirs.failed;
        mine.not_checkable += theirs.not_checkable;
        mine.offloaded += theirs.offloaded;
        if (mine.examples.empty()) mine.examples = theirs.examples;
    }
}

struct ComplianceChecker::State {
    explicit State(FlowOptions options)
        : table(options, [this](const Flow& flow) {
              flows.erase(flow.number);
              observed.end(flow);
          }) {
        for (const Rule& rule : rule_table()) result.rules.push_back({&rule, 0, 0, 0, 0, {}});
    }

    RulesByLayer rules;
    ComplianceResult result;
    FlowTable table;
    std::unordered_map<std::uint64_t, FlowState> flows;  ///< of those that rules speak about; looked up only
    SessionState session;
    BehaviourCounter observed;
    bool checked = false, failed = false;  ///< of the current packet

    void count(std::uint32_t rule, Verdict verdict, std::uint64_t frame) {
        if (verdict == Verdict::not_applicable) return;
        checked |= verdict == Verdict::passed || verdict == Verdict::failed;
        failed |= verdict == Verdict::failed;
        result.rules[rule].count(verdict, frame);
    }

    void check_layer(RuleLayer layer, LayerState state, const RulePacket& packet) {
        if (state == LayerState::absent) return;
        const std::span<const Rule> all = rule_table();
        for (const std::uint32_t i : rules.packet[static_cast<std::size_t>(layer)]) {
            const bool callable = state == LayerState::readable || all[i].structural;
            count(i, callable ? all[i].check_packet(packet) : Verdict::not_checkable, packet.packet.frame);
        }
    }

    void check_session(RuleLayer layer, LayerState state, const RulePacket& packet) {
        if (state != LayerState::readable) return;
        const std::span<const Rule> all = rule_table();
        for (const std::uint32_t i : rules.session[static_cast<std::size_t>(layer)])
            count(i, all[i].check_session(packet, session), packet.packet.frame);
    }

    void check_session(const RulePacket& packet, bool begins_flow) {
        check_session(packet.network_layer, packet.network_state, packet);
        check_session(packet.transport_layer, packet.transport_state, packet);
        check_session(packet.application_layer, packet.application_state, packet);
        observed.add(packet, session, begins_flow);
        session.add(packet, begins_flow);
    }

    void check_flow(const RulePacket& packet, const std::optional<FlowTable::Placed>& placed) {
        if (!placed || packet.transport_state != LayerState::readable) return;
        const RuleLayer layer = packet.transport_layer;
        const auto& indices = rules.flow[static_cast<std::size_t>(layer)];
        if (indices.empty()) return;
        if (layer == RuleLayer::udp && !may_have_flow_rules(packet)) return;
        FlowState& flow = flows[placed->flow];
        const std::span<const Rule> all = rule_table();
        const auto segment = layer == RuleLayer::tcp ? read_segment(packet) : SegmentFields{};
        const SegmentFields fields = segment.value_or(SegmentFields{});
        const FlowContext context{flow, fields, placed->direction};
        if (layer == RuleLayer::tcp && segment) observed.add(context);
        for (const std::uint32_t i : indices)
            count(i, segment ? all[i].check_flow(packet, context) : Verdict::not_checkable,
                  packet.packet.frame);
        if (layer == RuleLayer::udp) {
            flow.add_datagram(packet, placed->direction);
        } else if (layer != RuleLayer::tcp) {
            flow.add_icmp(packet, placed->direction);
        } else if (segment) {
            flow.add(*segment, placed->direction);
        }
    }
};

ComplianceChecker::ComplianceChecker(FlowOptions options) : state_(std::make_unique<State>(options)) {}
ComplianceChecker::~ComplianceChecker() = default;

void ComplianceChecker::add(const PacketView& view) {
    State& s = *state_;
    s.checked = s.failed = false;
    const RulePacket packet = read_rule_packet(view);
    s.observed.add(packet);
    s.check_layer(RuleLayer::link, packet.link_state, packet);
    s.check_layer(packet.network_layer, packet.network_state, packet);
    s.check_layer(packet.transport_layer, packet.transport_state, packet);
    s.check_layer(packet.application_layer, packet.application_state, packet);
    const auto placed = s.table.add(packet.packet, packet.headers);
    s.check_flow(packet, placed);
    s.check_session(packet, placed && placed->first);
    ++s.result.packets;
    s.result.packets_checked += s.checked;
    s.result.packets_failed += s.failed;
}

ComplianceResult ComplianceChecker::finish() {
    state_->table.finish();
    for (const RuleResult& rule : state_->result.rules)
        if (rule.rule->id == "tcp.checksum" || rule.rule->id == "udp.checksum")
            state_->observed.add_checksums(rule.checked, rule.offloaded);
    state_->result.observed = state_->observed.counts();
    return std::move(state_->result);
}

ComplianceResult check_compliance(const Trace& trace) {
    ComplianceChecker checker;
    for (const PacketView& packet : trace.packets) checker.add(packet);
    return checker.finish();
}

}  // namespace tracebench
