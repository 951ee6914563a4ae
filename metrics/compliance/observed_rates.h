#pragma once
/// How far behaviour that is no violation (retransmission, resets, fragments, ...: traffic/rules/observed.h)
/// is as frequent in synthetic samples as in real ones.

#include <nlohmann/json.hpp>
#include <vector>

#include "metrics/compliance/compliance.h"
#include "metrics/metric.h"

namespace tracebench {

struct ObservedSides {
    const ComplianceSummary& train;
    const ComplianceSummary& heldout;
    const ComplianceSummary& synthetic;
};

/// `observed.rate`, one a behaviour that occurs on either side: |synthetic rate - held-out rate|, 0 to 1,
/// lower is better; never in the score. The floor is its mean between random halves of all real sessions;
/// there is no ceiling. Intervals resample the sessions of both sides. Skipped where one side has nothing to
/// count in (no TCP segment, say).
std::vector<MetricValue> observed_rates(const MetricInput& input, const ObservedSides& sides);

/// For the report: behaviour id -> {"count", "of"}.
nlohmann::json describe_observed(const ComplianceSummary& summary);
/// Every behaviour: [{"id", "title", "of", "reference"}].
nlohmann::json list_behaviours();

}  // namespace tracebench
