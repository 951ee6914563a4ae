#include "reports/run_record.h"

#include <fmt/format.h>

#include <cmath>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "reports/assets.h"

namespace tracebench {
namespace {

using nlohmann::json;

constexpr std::uint64_t max_file = 256u << 20;

json number(double value) {
    return std::isfinite(value) ? json(value) : json(nullptr);
}

double number(const json& value) {
    return value.is_number() ? value.get<double>() : std::numeric_limits<double>::quiet_NaN();
}

double number_at(const json& object, const char* key) {
    const auto found = object.find(key);
    return found == object.end() ? std::numeric_limits<double>::quiet_NaN() : number(*found);
}

/// A NaN inside a json value would be written as null but not compare equal to it: make it null here.
void finite_only(json& value) {
    if (value.is_number_float() && !std::isfinite(value.get<double>())) value = nullptr;
    if (value.is_structured())
        for (json& child : value) finite_only(child);
}

json row_to_json(const MetricRow& row) {
    json seeds = json::array();
    for (const double seed : row.seeds) seeds.push_back(number(seed));
    const bool interval = std::isfinite(row.ci95[0]) && std::isfinite(row.ci95[1]);
    return {{"dataset", row.dataset},
            {"generator", row.generator},
            {"metric", row.metric},
            {"group", row.group},
            {"area", row.area},
            {"value", number(row.value)},
            {"direction", row.lower_is_better ? "lower" : "higher"},
            {"unit", row.unit},
            {"n", row.n},
            {"seeds", std::move(seeds)},
            {"ci95", interval ? json::array({row.ci95[0], row.ci95[1]}) : json(nullptr)},
            {"floor", number(row.floor)},
            {"ceiling", number(row.ceiling)},
            {"score", number(row.score)},
            {"status", row.status},
            {"reason", row.reason},
            {"version", row.version},
            {"in_score", row.in_score}};
}

/// `value` has passed the schema.
MetricRow row_from_json(const json& value) {
    MetricRow row;
    row.dataset = value["dataset"];
    row.generator = value["generator"];
    row.metric = value["metric"];
    row.group = value["group"];
    row.area = value.value("area", "");
    row.value = number(value["value"]);
    row.lower_is_better = value["direction"] == "lower";
    row.unit = value.value("unit", "");
    row.n = value["n"];
    for (const json& seed : value["seeds"]) row.seeds.push_back(number(seed));
    const json interval = value.value("ci95", json());
    row.ci95[0] = interval.is_array() ? number(interval[0]) : std::numeric_limits<double>::quiet_NaN();
    row.ci95[1] = interval.is_array() ? number(interval[1]) : std::numeric_limits<double>::quiet_NaN();
    row.floor = number_at(value, "floor");
    row.ceiling = number_at(value, "ceiling");
    row.score = number_at(value, "score");
    row.status = value["status"];
    row.reason = value.value("reason", "");
    row.version = value.value("version", 1);
    row.in_score = value.value("in_score", true);
    return row;
}

}  // namespace

json RunRecord::to_json() const {
    json out = document.is_object() ? document : json::object();
    finite_only(out);
    out["schema_version"] = schema_version;
    json rows = json::array();
    for (const MetricRow& row : metrics) rows.push_back(row_to_json(row));
    out["metrics"] = std::move(rows);
    return out;
}

RunRecord RunRecord::from_json(const json& value, const std::string& name) {
    if (!value.is_object() || !value.contains("schema_version"))
        throw InputError(name, "is not a run record: it has no schema_version",
                         "name a results.json that 'tracebench run' wrote");
    if (value["schema_version"] != schema_version)
        throw InputError(name, fmt::format("/schema_version is {}", value["schema_version"].dump()),
                         fmt::format("this tracebench reads version {}", schema_version));
    static const json schema = json::parse(assets::results_schema());
    check_schema(value, schema, name);
    RunRecord record;
    record.document = value;
    record.document.erase("metrics");
    for (const json& row : value["metrics"]) record.metrics.push_back(row_from_json(row));
    return record;
}

RunRecord RunRecord::load(const std::filesystem::path& file_or_folder) {
    std::error_code ignored;
    const bool folder = std::filesystem::is_directory(file_or_folder, ignored);
    const std::filesystem::path file = folder ? file_or_folder / "results.json" : file_or_folder;
    if (folder && !std::filesystem::exists(file, ignored))
        throw InputError(file_or_folder.string(), "has no results.json in it",
                         "name a folder that 'tracebench run -o' wrote, or its results.json");
    return from_json(parse_json(read_file(file, max_file), file.string()), file.string());
}

}  // namespace tracebench
