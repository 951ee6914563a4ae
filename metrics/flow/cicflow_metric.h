#pragma once
/// Metric `cicflow`: distances between the distributions of CICFlowMeter's features (cic_features.h) over
/// real and synthetic flows. Formulae and calibration are in docs/metrics.md.

#include "metrics/metric.h"

namespace tracebench {

/// Values: `cicflow.jsd` and `cicflow.ks`, group: the feature; area `flow`; 0..1, lower is better. None
/// counts in the area's score: the fields of metric `distance` do, and these are another view of the same
/// flows. Skipped where neither side has a flow; 1 where one side alone has flows. Of more than max_flows a
/// side, that many are drawn at random; how many is in n.
class CicflowMetric : public Metric {
  public:
    static constexpr std::size_t max_flows = 20'000;

    std::string name() const override { return "cicflow"; }
    int version() const override { return 1; }
    MetricResult evaluate(const MetricInput& input) const override;
};

}  // namespace tracebench
