#include "metrics/nprint/nprint_metric.h"

#include "metrics/details.h"
#include "metrics/nprint/bit_evaluation.h"
#include "traffic/nprint.h"

namespace tracebench {
namespace {

const char* role(const NprintField& field) {
    return field.identifier ? "identifier"
           : field.counter  ? "counter"
           : field.checksum ? "checksum"
                            : "plain";
}

nlohmann::json by_measure(const BitDistances& distances) {
    nlohmann::json result;
    for (std::size_t m = 0; m < kBitMeasures; ++m)
        result[std::string(bit_measure_names[m])] = rounded(distances[m]);
    return result;
}

nlohmann::json describe_fields(const BitEvaluation& evaluation) {
    const std::vector<ColumnGroup> fields = field_groups();
    const std::vector<GroupDistances> distances = evaluation.evaluate(fields, 0);
    nlohmann::json result = nlohmann::json::object();
    for (std::size_t f = 0; f < fields.size(); ++f) {
        if (!evaluation.occurs(fields[f])) continue;
        nlohmann::json& entry = result[fields[f].name] = by_measure(distances[f].value);
        entry["floor"] = by_measure(distances[f].floor);
        entry["ceiling"] = by_measure(distances[f].ceiling);
    }
    return result;
}

}  // namespace

MetricResult NprintMetric::evaluate(const MetricInput& input) const {
    const BitEvaluation evaluation(input);
    const std::vector<ColumnGroup> groups = column_groups(evaluation.real_bits());
    std::vector<GroupDistances> distances = evaluation.evaluate(groups, input.bootstrap);
    MetricResult result;
    for (std::size_t g = 0; g < groups.size(); ++g) {
        for (std::size_t m = 0; m < kBitMeasures; ++m) {
            MetricValue value;
            value.metric = "nprint." + std::string(bit_measure_names[m]);
            value.group = groups[g].name;
            value.area = "packet";
            value.unit = m == 0 ? "bit" : "1";
            value.in_score = groups[g].name == "all";
            value.n_real = evaluation.real_rows();
            value.n_synthetic = evaluation.synthetic_rows();
            value.value = distances[g].value[m];
            value.floor = distances[g].floor[m];
            value.ceiling = distances[g].ceiling[m];
            value.replicates = std::move(distances[g].replicates[m]);
            if (groups[g].columns.empty())
                value.skipped = "no column varies in real samples";
            else if (!evaluation.occurs(groups[g]))
                value.skipped = "occurs neither in held-out nor in synthetic samples";
            result.values.push_back(std::move(value));
        }
    }
    result.details["nprint"] = describe_fields(evaluation);
    return result;
}

nlohmann::json NprintMetric::describe_real(const SampleSet& heldout) const {
    nlohmann::json fields = nlohmann::json::array();
    for (const NprintField& field : nprint_fields())
        fields.push_back(
            {{"name", std::string(field.name)}, {"columns", field.width}, {"role", role(field)}});
    return {{"nprint", {{"fields", std::move(fields)}, {"packets", BitCounts(heldout.samples).rows()}}}};
}

}  // namespace tracebench
