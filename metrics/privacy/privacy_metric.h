#pragma once
/// Metric `privacy`: what synthetic samples give away of the training samples (memorisation.h).

#include "metrics/metric.h"

namespace tracebench {

/// Values, all of area `privacy`; floors are what held-out samples, which no generator has seen, give away
/// themselves. No ceilings, so no scores: independent marginals are no yardstick for privacy.
/// - `privacy.copy_rate`: exact copies of training flows of five packets or more.
/// - `privacy.distance_ratio`: nearest training over nearest held-out flow; higher is better, floor 1.
/// - `privacy.membership_auc`: floor 0.5; `privacy.membership_tpr`: at 1% false positives, floor 0.01.
/// - `privacy.leaked_identifiers`, group: addresses, macs, endpoints or connections.
class PrivacyMetric : public Metric {
  public:
    std::string name() const override { return "privacy"; }
    int version() const override { return 1; }
    MetricResult evaluate(const MetricInput& input) const override;
};

}  // namespace tracebench
