#include "metrics/compliance/compliance.h"

#include "traffic/rules/checker.h"

namespace tracebench {
namespace {

constexpr std::size_t max_examples = 10;

double share(std::uint64_t part, std::uint64_t whole) {
    return whole == 0 ? 1 : static_cast<double>(part) / static_cast<double>(whole);
}

void add_rule(RuleSummary& summary, const RuleResult& result) {
    summary.checked += result.checked;
    summary.failed += result.failed;
    summary.not_checkable += result.not_checkable;
    summary.offloaded += result.offloaded;
    summary.session_checked.push_back(static_cast<std::uint32_t>(result.checked));
    summary.session_failed.push_back(static_cast<std::uint32_t>(result.failed));
    summary.session_not_checkable.push_back(static_cast<std::uint32_t>(result.not_checkable));
}

void add_behaviour(BehaviourSummary& summary, const BehaviourCount& count) {
    summary.count += count.count;
    summary.of += count.of;
    summary.session_count.push_back(static_cast<std::uint32_t>(count.count));
    summary.session_of.push_back(static_cast<std::uint32_t>(count.of));
}

/// Round by round, the next failure of each sample: one bad sample must not hide the others.
void choose_examples(RuleSummary& summary, const std::vector<std::vector<std::uint64_t>>& frames,
                     const std::vector<std::string>& samples) {
    bool more = true;
    for (std::size_t round = 0; more; ++round) {
        more = false;
        for (std::size_t i = 0; i < frames.size() && summary.examples.size() < max_examples; ++i) {
            if (round >= frames[i].size()) continue;
            summary.examples.push_back({samples[i], frames[i][round]});
            more = true;
        }
    }
}

}  // namespace

double RuleSummary::pass_rate() const {
    return share(checked - failed, checked);
}

double RuleSummary::checkable_share() const {
    return share(checked, checked + not_checkable);
}

ComplianceSummary summarise_compliance(const Samples& samples) {
    ComplianceSummary summary;
    for (const Rule& rule : rule_table()) summary.rules.emplace_back().rule = &rule;
    for (const Behaviour& behaviour : behaviour_table())
        summary.observed.push_back({&behaviour, 0, 0, {}, {}});
    std::vector<std::vector<std::vector<std::uint64_t>>> frames(summary.rules.size());  // by rule, by sample
    std::vector<std::string> names;
    for (const LabelledTrace& sample : samples) {
        ComplianceResult result = check_compliance(sample.trace);
        names.push_back(sample.id);
        summary.packets += result.packets;
        summary.packets_checked += result.packets_checked;
        summary.packets_failed += result.packets_failed;
        summary.session_scores.push_back(result.score());
        summary.session_packets_checked.push_back(result.packets_checked);
        summary.session_packets_failed.push_back(result.packets_failed);
        for (std::size_t i = 0; i < result.observed.size(); ++i)
            add_behaviour(summary.observed[i], result.observed[i]);
        for (std::size_t i = 0; i < result.rules.size(); ++i) {
            add_rule(summary.rules[i], result.rules[i]);
            frames[i].push_back(std::move(result.rules[i].examples));
        }
    }
    for (std::size_t i = 0; i < summary.rules.size(); ++i)
        choose_examples(summary.rules[i], frames[i], names);
    summary.score = share(summary.packets_checked - summary.packets_failed, summary.packets_checked);
    return summary;
}

}  // namespace tracebench
