#pragma once
/// Metric `distance`: five distances on every field; formulae and calibration are in docs/metrics.md.

#include "metrics/metric.h"

namespace tracebench {

/// Values: metric `jsd`, `tvd`, `hellinger`, and for continuous fields `wasserstein` and `ks`; group: the
/// field; area: its scope.
/// A field that occurs on neither side is skipped. One that occurs on one side only is as far as can be: 1
/// in the bounded measures; `wasserstein` is failed.
class FieldDistance : public Metric {
  public:
    std::string name() const override { return "distance"; }
    int version() const override { return 1; }
    MetricResult evaluate(const MetricInput& input) const override;
};

}  // namespace tracebench
