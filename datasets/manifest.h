#pragma once
/// The manifest: one run as a file. Its JSON Schema (manifest.schema.json) is the reference; every manifest
/// is checked against it before anything runs.

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "datasets/source.h"

namespace tracebench {

struct DatasetPlan {
    SourceOptions source;  ///< paths already resolved against the manifest's folder
    double train_fraction = 0.5;
    std::uint64_t split_seed = 1;
};

struct GeneratorPlan {
    std::string name, kind;
    nlohmann::json settings = nlohmann::json::object();
    double fit_budget_s = 0, sample_budget_s = 0;
    std::size_t max_packets = 0;
    bool constrained = true;
};

struct MetricPlan {
    std::string name;
    nlohmann::json settings = nlohmann::json::object();
};

struct ClassifierPlan {
    std::vector<std::string> models, features;
    std::vector<double> mixing;  ///< synthetic share of the real sample count; 0: real alone
    std::size_t packets = 10;
};

struct Manifest {
    std::filesystem::path path;
    std::string name, description;
    std::vector<DatasetPlan> datasets;
    std::vector<GeneratorPlan> generators;
    std::vector<MetricPlan> metrics;
    ClassifierPlan classifiers;
    std::size_t samples_per_class = 0;  ///< 0: as many as the class has training samples
    std::vector<std::uint64_t> seeds;
    std::size_t bootstrap = 200;

    nlohmann::json content;  ///< as written
    std::string sha256;      ///< of `content` in canonical form (sorted keys, no white space)
};

/// Reads and checks a manifest. Throws InputError naming the file and the JSON pointer (`/datasets/0/unit`),
/// or line and column where it is no JSON at all; paths that do not exist are errors too.
Manifest load_manifest(const std::filesystem::path& file);

/// The schema, as shipped.
const nlohmann::json& manifest_schema();

}  // namespace tracebench
