#include "bench/metric_json.h"

#include <cmath>
#include <limits>

namespace tracebench {
using nlohmann::json;

json number(double value) { return std::isfinite(value) ? json(value) : json(nullptr); }

double number(const json& value) {
    return value.is_number() ? value.get<double>() : std::numeric_limits<double>::quiet_NaN();
}

json to_json(const MetricValue& value) {
    json replicates = json::array();
    for (const double replicate : value.replicates) replicates.push_back(number(replicate));
    return {{"metric", value.metric},       {"group", value.group},
            {"area", value.area},           {"value", number(value.value)},
            {"lower", value.lower_is_better}, {"unit", value.unit},
            {"n", {value.n_real, value.n_synthetic}},
            {"replicates", std::move(replicates)},
            {"floor", number(value.floor)}, {"ceiling", number(value.ceiling)},
            {"in_score", value.in_score},   {"failed", value.failed},       {"skipped", value.skipped}};
}

MetricValue metric_value(const json& entry) {
    MetricValue value;
    value.metric = entry.at("metric");
    value.group = entry.at("group");
    value.area = entry.at("area");
    value.value = number(entry.at("value"));
    value.lower_is_better = entry.at("lower");
    value.unit = entry.at("unit");
    value.n_real = entry.at("n").at(0);
    value.n_synthetic = entry.at("n").at(1);
    for (const json& replicate : entry.at("replicates")) value.replicates.push_back(number(replicate));
    value.floor = number(entry.at("floor"));
    value.ceiling = number(entry.at("ceiling"));
    value.in_score = entry.at("in_score");
    value.failed = entry.at("failed");
    value.skipped = entry.at("skipped");
    return value;
}

}  // namespace tracebench
