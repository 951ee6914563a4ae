#include "traffic/rules/checker.h"

#include <algorithm>

#include "base/parallel.h"
#include "traffic/rules/rule_counters.h"

namespace tracebench {
namespace {

constexpr std::size_t batch_packets = 2048;

void add_counts(RuleResult& sum, const RuleResult& part) {
    sum.checked += part.checked;
    sum.failed += part.failed;
    sum.not_checkable += part.not_checkable;
    sum.offloaded += part.offloaded;
}

/// Examples are joined, to be put in order and cut when all are there.
void add(std::vector<RuleResult>& sum, const std::vector<RuleResult>& part) {
    for (std::size_t i = 0; i < sum.size(); ++i) {
        add_counts(sum[i], part[i]);
        sum[i].examples.insert(sum[i].examples.end(), part[i].examples.begin(), part[i].examples.end());
    }
}

void add(std::vector<BehaviourCount>& sum, const std::vector<BehaviourCount>& part) {
    for (std::size_t i = 0; i < sum.size(); ++i) {
        sum[i].count += part[i].count;
        sum[i].of += part[i].of;
    }
}

void add(ComplianceResult& sum, const ScopeRules& rules) {
    add(sum.rules, rules.results());
    add(sum.observed, rules.observed().counts());
}

struct PacketTotals {
    std::uint64_t packets = 0, checked = 0, failed = 0;

    void add(const PacketVerdict& verdict) {
        ++packets;
        checked += verdict.checked;
        failed += verdict.failed;
    }
};

ComplianceResult result_of(const PacketTotals& totals, const std::vector<const PacketRules*>& packet_rules,
                           const FlowRules& flow_rules, const SessionRules& session_rules) {
    BehaviourCounter observed;
    ComplianceResult result{totals.packets, no_results(), totals.checked, totals.failed, observed.counts()};
    for (const PacketRules* rules : packet_rules) add(result, *rules);
    add(result, flow_rules);
    add(result, session_rules);
    for (const RuleResult& rule : result.rules)
        if (rule.rule->id == "tcp.checksum" || rule.rule->id == "udp.checksum")
            observed.add_checksums(rule.checked, rule.offloaded);
    add(result.observed, observed.counts());
    return result;
}

/// Some packets in a row on their way through the rules.
struct Batch {
    std::vector<PacketView> views;
    std::vector<RulePacket> packets;
    std::vector<PacketVerdict> verdicts;
    PacketRules rules;
};

}  // namespace

double ComplianceResult::score() const {
    if (packets_checked == 0) return 1;
    return 1 - static_cast<double>(packets_failed) / static_cast<double>(packets_checked);
}

void ComplianceResult::merge(const ComplianceResult& other) {
    packets += other.packets;
    packets_checked += other.packets_checked;
    packets_failed += other.packets_failed;
    add(observed, other.observed);
    for (std::size_t i = 0; i < rules.size(); ++i) {
        add_counts(rules[i], other.rules[i]);
        if (rules[i].examples.empty()) rules[i].examples = other.rules[i].examples;
    }
}

struct ComplianceChecker::State {
    explicit State(const FlowOptions& options) : flow_rules(options) {}

    PacketRules packet_rules;
    FlowRules flow_rules;
    SessionRules session_rules;
    PacketTotals totals;
};

ComplianceChecker::ComplianceChecker(FlowOptions options) : state_(std::make_unique<State>(options)) {}
ComplianceChecker::~ComplianceChecker() = default;

void ComplianceChecker::add(const PacketView& view) {
    const RulePacket packet = read_rule_packet(view);
    PacketVerdict verdict;
    state_->packet_rules.check(packet, verdict);
    const bool begins_flow = state_->flow_rules.check(packet, verdict);
    state_->session_rules.check(packet, begins_flow, verdict);
    state_->totals.add(verdict);
}

ComplianceResult ComplianceChecker::finish() {
    state_->flow_rules.finish();
    return result_of(state_->totals, {&state_->packet_rules}, state_->flow_rules, state_->session_rules);
}

ComplianceResult check_compliance(const Trace& trace) {
    ComplianceChecker checker;
    for (const PacketView& packet : trace.packets) checker.add(packet);
    return checker.finish();
}

ComplianceResult stream_compliance(const std::function<bool(PacketView&)>& next) {
    FlowRules flow_rules{checked_flows()};
    SessionRules session_rules;
    PacketTotals totals;
    std::vector<Batch> batches(batches_wanted());
    const auto read = [&](std::size_t b) {
        std::vector<PacketView>& views = batches[b].views;
        views.clear();
        for (PacketView view; views.size() < batch_packets && next(view);) views.push_back(view);
        return !views.empty();
    };
    const auto check_packets = [&batches](std::size_t b) {
        Batch& batch = batches[b];
        batch.packets.clear();
        batch.verdicts.assign(batch.views.size(), {});
        for (std::size_t i = 0; i < batch.views.size(); ++i) {
            batch.packets.push_back(read_rule_packet(batch.views[i]));
            batch.rules.check(batch.packets.back(), batch.verdicts[i]);
        }
    };
    const auto check_in_order = [&](std::size_t b) {
        Batch& batch = batches[b];
        for (std::size_t i = 0; i < batch.packets.size(); ++i) {
            const bool begins_flow = flow_rules.check(batch.packets[i], batch.verdicts[i]);
            session_rules.check(batch.packets[i], begins_flow, batch.verdicts[i]);
            totals.add(batch.verdicts[i]);
        }
    };
    run_stages(batches.size(), read, {{check_packets, false}, {check_in_order, true}});
    flow_rules.finish();

    std::vector<const PacketRules*> packet_rules;
    for (const Batch& batch : batches) packet_rules.push_back(&batch.rules);
    ComplianceResult result = result_of(totals, packet_rules, flow_rules, session_rules);
    // Each batch has the first failures that it saw, so the first of all are among them.
    for (RuleResult& rule : result.rules) {
        std::sort(rule.examples.begin(), rule.examples.end());
        if (rule.examples.size() > RuleResult::max_examples) rule.examples.resize(RuleResult::max_examples);
    }
    return result;
}

}  // namespace tracebench
