#include "datasets/manifest.h"

#include <fmt/format.h>

#include <set>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "datasets/manifest_schema_text.h"

namespace tracebench {
namespace fs = std::filesystem;
namespace {

using nlohmann::json;

DatasetPlan parse_dataset(const json& entry, const fs::path& base, const std::string& name, std::size_t index) {
    DatasetPlan plan;
    plan.source.name = entry["name"];
    plan.source.folder = (base / entry["folder"].get<std::string>()).lexically_normal();
    plan.source.labels = (base / entry["labels"].get<std::string>()).lexically_normal();
    plan.source.unit = entry.value("unit", "session") == "flow" ? Unit::flow : Unit::session;
    plan.source.classes = entry.value("classes", std::vector<std::string>{});
    plan.source.min_packets = entry.value("min_packets", std::size_t{2});
    plan.source.max_packets = entry.value("max_packets", std::size_t{0});
    plan.source.max_samples = entry.value("max_samples_per_class", std::size_t{0});
    const json split = entry.value("split", json::object());
    plan.train_fraction = split.value("train", 0.5);
    plan.split_seed = split.value("seed", std::uint64_t{1});
    const auto require = [&](const fs::path& path, const char* key) {
        if (!fs::exists(path))
            throw InputError(name, fmt::format("/datasets/{}/{}: {} does not exist", index, key, path.string()),
                             "correct the path (it is relative to the manifest) or fetch the data set first");
    };
    require(plan.source.folder, "folder");
    require(plan.source.labels, "labels");
    return plan;
}

/// Paths in a manifest are relative to it, those in the settings of generators too.
GeneratorPlan parse_generator(const json& entry, const fs::path& base) {
    GeneratorPlan plan;
    plan.name = entry["name"];
    plan.kind = entry.value("kind", plan.name);
    plan.settings = entry.value("settings", json::object());
    const auto is_path = [&](const std::string& key) {
        return plan.kind == "captures" ? key == "folder" || key == "labels"
                                       : (plan.kind == "ssm" || plan.kind == "diffusion") && key == "from";
    };
    for (const char* key : {"folder", "labels", "from"})
        if (is_path(key) && plan.settings.contains(key) && plan.settings[key].is_string())
            plan.settings[key] = (base / plan.settings[key].get<std::string>()).lexically_normal().string();
    plan.fit_budget_s = entry.value("fit_budget_s", 0.0);
    plan.sample_budget_s = entry.value("sample_budget_s", 0.0);
    plan.max_packets = entry.value("max_packets", std::size_t{0});
    plan.constrained = entry.value("constrained", true);
    return plan;
}

template <typename Plans, typename Name>
void require_unique(const Plans& plans, const char* key, const std::string& manifest, Name name_of) {
    std::set<std::string> seen;
    std::size_t index = 0;
    for (const auto& plan : plans) {
        if (!seen.insert(name_of(plan)).second)
            throw InputError(manifest, fmt::format("/{}/{}/name: '{}' is used twice", key, index, name_of(plan)),
                             "give each a name of its own");
        ++index;
    }
}

}  // namespace

const json& manifest_schema() {
    static const json schema = json::parse(manifest_schema_text);
    return schema;
}

Manifest load_manifest(const fs::path& file) {
    const std::string name = file.string();
    Manifest manifest;
    manifest.path = file;
    manifest.content = parse_json(read_file(file, 16 << 20), name);
    check_schema(manifest.content, manifest_schema(), name);
    manifest.sha256 = sha256(manifest.content.dump());

    const json& content = manifest.content;
    const fs::path base = file == "-" ? fs::current_path() : fs::absolute(file).parent_path();
    manifest.name = content["name"];
    manifest.description = content.value("description", "");
    for (std::size_t i = 0; i < content["datasets"].size(); ++i)
        manifest.datasets.push_back(parse_dataset(content["datasets"][i], base, name, i));
    for (const json& entry : content["generators"]) manifest.generators.push_back(parse_generator(entry, base));
    require_unique(manifest.datasets, "datasets", name, [](const auto& plan) { return plan.source.name; });
    require_unique(manifest.generators, "generators", name, [](const auto& plan) { return plan.name; });

    for (const json& entry : content.value("metrics", json::array({"distance", "compliance", "summary"}))) {
        if (entry.is_string()) manifest.metrics.push_back({entry.get<std::string>()});
        else manifest.metrics.push_back({entry["name"], entry.value("settings", json::object())});
    }
    const json classifiers = content.value("classifiers", json::object());
    manifest.classifiers.models = classifiers.value("models", std::vector<std::string>{});
    manifest.classifiers.features = classifiers.value("features", std::vector<std::string>{"nprint", "flow"});
    manifest.classifiers.mixing = classifiers.value("mixing", std::vector<double>{0, 0.25, 0.5, 0.75, 1});
    manifest.classifiers.packets = classifiers.value("packets", std::size_t{10});
    manifest.samples_per_class = content.value("samples_per_class", std::size_t{0});
    manifest.seeds = content.value("seeds", std::vector<std::uint64_t>{1, 2, 3});
    manifest.bootstrap = content.value("bootstrap", std::size_t{200});
    return manifest;
}

}  // namespace tracebench
