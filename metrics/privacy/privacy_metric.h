#pragma once
/// Metric `privacy`: what synthetic samples give away of the training samples.

#include "metrics/metric.h"

namespace tracebench {

/// Values, all of area `privacy`: those of copies.h, neighbours.h, membership.h and leakage.h. Floors are
/// what held-out samples, which no generator has seen, give away themselves. No ceilings, so no scores:
/// independent marginals are no yardstick for privacy. Details: levels (verdict.h), excess over floors,
/// examples.
class PrivacyMetric : public Metric {
  public:
    std::string name() const override { return "privacy"; }
    int version() const override { return 2; }
    MetricResult evaluate(const MetricInput& input) const override;
    /// What levels depend on.
    nlohmann::json describe_real(const SampleSet& heldout) const override;
};

}  // namespace tracebench
