#pragma once
/// Metric `joint`: distances between whole vectors of features, which see what distances field by field
/// cannot: how the fields of a flow, session or packet belong together. Formulae and calibration are in
/// docs/metrics.md.

#include "metrics/metric.h"

namespace tracebench {

/// Values: `joint.` + `mmd`, `energy`, `sliced_wasserstein`, `precision`, `recall`, `density`, `coverage`,
/// `rank_correlation`, `mmd_linear`, `frechet`, `correlation` of the groups `flow` and `session`;
/// `mutual_information`, `correlation` and `rank_correlation` of the group `packet`. Each group counts in the
/// score of the area of its name as one field does: by `energy`, `coverage` and `correlation`, and of packets
/// by `mutual_information`; the others are further views. Held-out against synthetic; the ceiling is that of
/// the independent-marginals samples. A group that neither side has is skipped. Without synthetic vectors
/// `recall` and `coverage` are 0 and all else is failed.
class JointMetric : public Metric {
  public:
    std::string name() const override { return "joint"; }
    int version() const override { return 1; }
    MetricResult evaluate(const MetricInput& input) const override;
};

}  // namespace tracebench
