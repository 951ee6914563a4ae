#pragma once
/// How far a set of samples keeps the protocol rules, with what a session-level bootstrap needs.
///
///     ComplianceSummary real = summarise_compliance(heldout.samples);
///     for (const RuleSummary& rule : real.rules) print(rule.id, rule.pass_rate());

#include <cstdint>
#include <string>
#include <vector>

#include "datasets/samples.h"
#include "traffic/rules/observed.h"
#include "traffic/rules/rule.h"

namespace tracebench {

/// A packet that fails a rule, for a person to look at.
struct ComplianceExample {
    std::string sample;       ///< LabelledTrace::id
    std::uint64_t frame = 0;  ///< in that sample's capture, from 1
};

/// One rule over all samples. The totals are the sums of the per-sample vectors.
struct RuleSummary {
    const Rule* rule = nullptr;  ///< id, title, reference, scope; lives as long as the program
    std::uint64_t checked = 0;   ///< passed or failed
    std::uint64_t failed = 0;
    std::uint64_t not_checkable = 0;  ///< cut, began mid-flow, or left to the network card
    std::uint64_t offloaded = 0;      ///< the part of not_checkable that is checksum or segmentation offload
    std::vector<std::uint32_t> session_checked, session_failed,
        session_not_checkable;                ///< one a sample, in order
    std::vector<ComplianceExample> examples;  ///< the first failures of different samples first, at most 10

    /// 1 - failed / checked; 1 where nothing was checked.
    double pass_rate() const;
    /// Share of the packets the rule speaks about that could be judged; 1 where there are none. Synthetic
    /// flows that never open with a handshake show up here, not in pass_rate().
    double checkable_share() const;
};

/// One behaviour over all samples. The totals are the sums of the per-sample vectors.
struct BehaviourSummary {
    const Behaviour* behaviour = nullptr;  ///< lives as long as the program
    std::uint64_t count = 0, of = 0;
    std::vector<std::uint32_t> session_count, session_of;  ///< one a sample, in order
};

struct ComplianceSummary {
    std::uint64_t packets = 0;
    std::vector<RuleSummary> rules;          ///< every rule of the table, in table order
    std::vector<BehaviourSummary> observed;  ///< every behaviour of the table, in table order
    std::uint64_t packets_checked = 0, packets_failed = 0;
    /// Share of checked packets that fail no rule; 1 where nothing was checked.
    double score = 1;
    /// The same for each sample alone, in sample order: resample these, or the two counts for a pooled score.
    std::vector<double> session_scores;
    std::vector<std::uint64_t> session_packets_checked, session_packets_failed;
};

/// Empty input gives every rule with zero counts.
ComplianceSummary summarise_compliance(const Samples& samples);

}  // namespace tracebench
