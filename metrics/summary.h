#pragma once
/// Metric `summary`: no values of its own, but what the report draws of fields, flows and sessions.

#include "metrics/metric.h"

namespace tracebench {

class Summary : public Metric {
  public:
    std::string name() const override { return "summary"; }
    int version() const override { return 1; }
    MetricResult evaluate(const MetricInput& input) const override;
    nlohmann::json describe_real(const SampleSet& heldout) const override;
};

}  // namespace tracebench
