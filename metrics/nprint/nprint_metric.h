#pragma once
/// Metric `nprint`: distances between the nPrint bits of real and synthetic packets, as NetDiffusion is
/// judged (Jiang et al., "NetDiffusion: Network Data Augmentation Through Protocol-Constrained Traffic
/// Generation", Proc. ACM Meas. Anal. Comput. Syst. 8(1), 2024). Formulae and calibration are in
/// docs/metrics.md.

#include "metrics/metric.h"

namespace tracebench {

/// Values, all of area `packet`: `nprint.jsd`, `nprint.tvd`, `nprint.hellinger`; group: see column_groups().
/// Each is a mean over the group's columns of the distance between the pooled packets of held-out and
/// synthetic samples, 0..1, lower is better. Only the group `all` counts in the area's score. A group none of
/// whose bits occurs on either side, or without columns, is skipped. Where one side alone has packets with a
/// row, it is as far as can be: 1.
class NprintMetric : public Metric {
  public:
    std::string name() const override { return "nprint"; }
    int version() const override { return 1; }
    MetricResult evaluate(const MetricInput& input) const override;
    nlohmann::json describe_real(const SampleSet& heldout) const override;
};

}  // namespace tracebench
