#include "metrics/summary.h"

#include "metrics/distance/distributions.h"
#include "metrics/flow/statistics.h"
#include "metrics/session/timeline.h"

namespace tracebench {

MetricResult Summary::evaluate(const MetricInput& input) const {
    MetricResult result;
    const Observations& synthetic = input.synthetic.observations;
    result.details = {{"distributions", describe_distributions(synthetic, input.real_heldout.observations)},
                      {"summary", summarise_statistics(synthetic)},
                      {"sessions", describe_sessions(input.synthetic.samples)}};
    return result;
}

nlohmann::json Summary::describe_real(const SampleSet& heldout) const {
    nlohmann::json fields = nlohmann::json::array();
    for (const FieldInfo& field : all_fields())
        fields.push_back({{"name", field.name},
                          {"title", field.title},
                          {"kind", kind_name(field.kind)},
                          {"scope", scope_name(field.scope)},
                          {"unit", field.unit}});
    return {{"fields", std::move(fields)},
            {"distributions", describe_distributions(heldout.observations)},
            {"summary",
             {{"statistics", describe_statistics()}, {"real", summarise_statistics(heldout.observations)}}},
            {"sessions", {{"real", describe_sessions(heldout.samples)}}}};
}

}  // namespace tracebench
