#pragma once
/// Metric `distance`: eight distances on every field; formulae and calibration are in docs/metrics.md.

#include "metrics/metric.h"

namespace tracebench {

/// Values: metric `jsd`, `tvd`, `hellinger`, `kl`, `chi_square`, and for continuous fields `ks`,
/// `wasserstein` and `energy`; group: the field; area: its scope. `kl`, `chi_square` and `energy` are other
/// views of what the others say already and do not count in the area's score. A field that occurs on neither
/// side is skipped. One that occurs on one side only is as far as can be: 1 in the bounded measures; `kl`,
/// `wasserstein` and `energy` are failed.
class FieldDistance : public Metric {
  public:
    std::string name() const override { return "distance"; }
    int version() const override { return 2; }
    MetricResult evaluate(const MetricInput& input) const override;
};

}  // namespace tracebench
