#pragma once
/// Metric `sequence`: whether packets of a flow follow each other as in real flows. Formulae and calibration
/// are in docs/metrics.md.

#include "metrics/metric.h"

namespace tracebench {

/// Values of area `flow`, lower is better: `sequence.jsd`, group `trigrams`, 0..1 bit; `sequence.dtw`, group
/// `nearest flow`, 0..2. DTW looks at 200 flows of the held-out and of the synthetic side at most, trigrams
/// at 20,000, thinned at random; how many is in n. Skipped where neither side has a flow; where one side
/// alone has flows, trigrams are 1 and DTW fails.
class SequenceMetric : public Metric {
  public:
    static constexpr std::size_t max_flows = 200, max_trigram_flows = 20'000;

    std::string name() const override { return "sequence"; }
    int version() const override { return 1; }
    MetricResult evaluate(const MetricInput& input) const override;
};

}  // namespace tracebench
