#pragma once
/// Metric `consistency`: do the fields of a flow record belong together (consistency_rules.h)?

#include "metrics/metric.h"

namespace tracebench {

/// Values, all of area `compliance`, none of which counts in a score:
/// - `consistency.rate`, 0..1: share of synthetic flow records that break no required rule; by rule (group)
/// of
///   those it speaks about. Higher is better. Floor: the rate of all real records (train and held-out);
///   ceiling: that of the ceiling samples where it is lower by 0.02 or more.
/// - `consistency.observed_difference`, 0..1, group: a rule that real traffic often breaks: how far its
///   synthetic rate is from the held-out one. Lower is better. Floor and ceiling as for distances.
/// A rule that speaks about no synthetic record is skipped, and so is a difference where it speaks about no
/// held-out one.
class ConsistencyMetric : public Metric {
  public:
    std::string name() const override { return "consistency"; }
    int version() const override { return 1; }
    MetricResult evaluate(const MetricInput& input) const override;
    nlohmann::json describe_real(const SampleSet& heldout) const override;
};

}  // namespace tracebench
