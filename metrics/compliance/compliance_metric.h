#pragma once
/// Metric `compliance`: how far samples keep the protocol rules (compliance.h), as values with intervals.

#include "metrics/metric.h"

namespace tracebench {

/// Values, all of area `compliance`:
/// - `compliance.pass_rate`: share of checked packets that fail no rule; higher is better.
/// - `compliance.checkable_share`: share of verdicts that could be reached at all, over all rules but those
///   of application layers (whose payload traces often lack); higher is better. Flows that begin in the
///   middle show up here: what needs their beginning cannot be checked.
/// - `compliance.failure_rate`, group: the rule; lower is better. Rules that check nothing on either side are
///   left out.
/// - `observed.rate`, group: the behaviour (observed_rates.h); lower is better, not in the score.
/// Floors of the first three are real samples' own rates (train and held-out pooled), ceilings those of the
/// ceiling samples; no ceiling where it is not worse than the floor by 0.02 at least.
class ComplianceMetric : public Metric {
  public:
    std::string name() const override { return "compliance"; }
    int version() const override { return 3; }
    MetricResult evaluate(const MetricInput& input) const override;
    nlohmann::json describe_real(const SampleSet& heldout) const override;
};

}  // namespace tracebench
