#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/json.h"
#include "bench/check.h"
#include "bench/metric_json.h"

namespace tracebench {
using nlohmann::json;

namespace {
/// Six significant digits: enough to compare, short enough to review.
json rounded(double value) {
    const json exact = number(value);
    return exact.is_null() ? exact : json::parse(fmt::format("{:.6g}", value));
}
}  // namespace

std::string render_baseline(const RunRecord& run) {
    std::vector<std::string> rows;
    for (const MetricRow& row : run.metrics) {
        if (row.status != "ok") continue;
        // A p-value is chance itself where a generator is good, and moves in coarse steps.
        if (row.metric.ends_with(".p_value")) continue;
        json seeds = json::array();
        for (const double value : row.seeds) seeds.push_back(rounded(value));
        json entry = {{"dataset", row.dataset},
                      {"generator", row.generator},
                      {"metric", row.metric},
                      {"group", row.group},
                      {"direction", row.lower_is_better ? "lower" : "higher"},
                      {"unit", row.unit},
                      {"version", row.version},
                      {"seeds", std::move(seeds)},
                      {"floor", rounded(row.floor)},
                      {"ceiling", rounded(row.ceiling)}};
        rows.push_back("    " + entry.dump(-1, ' ', false, json::error_handler_t::replace));
    }
    std::sort(rows.begin(), rows.end());
    json datasets = json::object();
    for (const json& dataset : run.document.at("datasets"))
        datasets[dataset.at("name").get<std::string>()] = dataset.at("sha256");
    std::string out = "{\n  \"baseline_version\": 1,\n";
    out += fmt::format("  \"manifest_sha256\": {},\n", run.document.at("manifest").at("sha256").dump());
    out += fmt::format("  \"datasets\": {},\n", datasets.dump());
    out += fmt::format("  \"seeds\": {},\n", run.document.value("seeds", json::array()).dump());
    out += fmt::format("  \"rows\": [\n{}\n  ]\n}}\n", fmt::join(rows, ",\n"));
    return out;
}

json parse_baseline(const std::string& text, const std::string& name) {
    json baseline = parse_json(text, name);
    static const json schema = json::parse(R"({
        "type": "object",
        "required": ["baseline_version", "manifest_sha256", "datasets", "rows"],
        "properties": {
            "baseline_version": {"enum": [1]},
            "manifest_sha256": {"type": "string"},
            "datasets": {"type": "object"},
            "seeds": {"type": "array"},
            "rows": {"type": "array", "items": {
                "type": "object",
                "required": ["dataset", "generator", "metric", "group", "direction", "unit", "version", "seeds"],
                "properties": {
                    "dataset": {"type": "string"}, "generator": {"type": "string"},
                    "metric": {"type": "string"}, "group": {"type": "string"},
                    "direction": {"enum": ["lower", "higher"]}, "unit": {"type": "string"},
                    "version": {"type": "integer"},
                    "seeds": {"type": "array", "items": {"type": "number"}, "minItems": 1},
                    "floor": {"type": ["number", "null"]}, "ceiling": {"type": ["number", "null"]}
                }}}
        }})");
    check_schema(baseline, schema, name);
    return baseline;
}

}  // namespace tracebench
