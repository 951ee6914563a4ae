#pragma once
/// results.json: all that a report, a comparison or a gate knows of a run. The shape is in docs/results.md.

#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace tracebench {

/// One line of `metrics`: a value of one generator on one dataset, over all seeds.
struct MetricRow {
    std::string dataset, generator, metric, group, area;
    double value = 0;  ///< mean over seeds
    bool lower_is_better = true;
    std::string unit;
    std::size_t n = 0;          ///< synthetic observations of one seed
    std::vector<double> seeds;  ///< one value a seed
    double ci95[2] = {0, 0};    ///< hierarchical bootstrap: seeds, then sessions; NaN where none
    double floor = 0, ceiling = 0, score = 0;  ///< NaN where there is none
    std::string status = "ok";                 ///< ok, failed, skipped
    std::string reason;
    int version = 1;
    bool in_score = true;  ///< false: another view of what counts in the area's score already
};

struct RunRecord {
    static constexpr int schema_version = 1;

    nlohmann::json document;  ///< the whole of results.json except `metrics`
    std::vector<MetricRow> metrics;

    nlohmann::json to_json() const;  ///< NaN becomes null
    /// Throws InputError naming file and JSON pointer for what is missing or of another type or version.
    static RunRecord from_json(const nlohmann::json& json, const std::string& name);
    static RunRecord load(const std::filesystem::path& file_or_folder);
};

}  // namespace tracebench
