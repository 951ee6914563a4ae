#pragma once
/// Metric `netshare`: the distances that NetShare and what followed it report, so that their tables can be
/// reproduced (trace_fields.h has the source). Formulae and differences are in docs/metrics.md.

#include "metrics/metric.h"

namespace tracebench {

/// Values of areas `packet` and `flow`, none of which counts in a score (they are other views of what the
/// metric `distance` measures): `netshare.jsd`, 0..ln 2 nats, and `netshare.emd`, 0.. in the field's unit;
/// group: a field of trace_fields. Lower is better. A field that neither side has is skipped; where one side
/// alone has it `netshare.jsd` is ln 2 and `netshare.emd` fails. Ceilings are the distances of the ceiling
/// samples, where they can be told from the floor.
class NetshareMetric : public Metric {
  public:
    std::string name() const override { return "netshare"; }
    int version() const override { return 1; }
    MetricResult evaluate(const MetricInput& input) const override;
};

}  // namespace tracebench
