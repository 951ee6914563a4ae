#include "generators/diffusion/model_files.h"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "generators/weights/weight_file.h"

namespace tracebench::diffusion {
namespace fs = std::filesystem;
namespace {

using nlohmann::json;

constexpr const char* config_file = "config.json";
constexpr const char* classes_file = "classes.json";
constexpr const char* training_file = "training.json";
constexpr const char* adapter_file = "adapter.safetensors";
constexpr const char* control_file = "control.safetensors";
constexpr std::uint64_t max_config_bytes = std::uint64_t{1} << 20,
                        max_classes_bytes = std::uint64_t{256} << 20,
                        max_training_bytes = std::uint64_t{256} << 20;

struct PartFile {
    Part part;
    const char* file;
};
/// In the order in which they are set: the weights set the averaged ones too.
constexpr PartFile base_files[] = {{Part::autoencoder, "autoencoder.safetensors"},
                                   {Part::denoiser, "denoiser.safetensors"},
                                   {Part::averaged, "denoiser_averaged.safetensors"}};

std::size_t base_classes(const DiffusionModel& model) {
    return static_cast<std::size_t>(model.config().classes);
}

const std::string& metadata_at(const std::map<std::string, std::string>& metadata, const std::string& key,
                               const std::string& name) {
    const auto found = metadata.find(key);
    if (found == metadata.end())
        throw InputError(name, fmt::format("has no '{}' in its metadata", key),
                         "name an adapter that 'tracebench train' wrote");
    return found->second;
}

void write_adapter(const fs::path& path, const DiffusionModel& model, const ClassBook& classes) {
    const AdapterConfig config = *model.adapter();
    write_safetensors(
        path, model.parameters(Part::adapter),
        {{"format", "pt"},
         {"base", base_hash(model)},
         {"adapter",
          json({{"rank", config.rank}, {"alpha", config.alpha}, {"new_classes", config.new_classes}}).dump()},
         {"classes", classes.to_json(base_classes(model)).dump()}});
}

json parse_metadata(const std::string& text, const std::string& key, const std::string& name) {
    json parsed = json::parse(text, nullptr, false);
    if (parsed.is_discarded())
        throw InputError(name, fmt::format("'{}' in its metadata is not valid JSON", key), "copy it again");
    return parsed;
}

void read_adapter(const fs::path& path, DiffusionModel& model, ClassBook& classes) {
    std::map<std::string, std::string> metadata;
    const std::string name = path.string();
    const std::vector<NamedTensor> tensors = read_safetensors(path, &metadata);
    const std::string& base = metadata_at(metadata, "base", name);
    if (const std::string own = base_hash(model); base != own)
        throw InputError(name,
                         fmt::format("is an adapter for another base: {}..., this one is {}...",
                                     printable(base.substr(0, 12)), own.substr(0, 12)),
                         "put it beside the model that it was trained on");
    const json described = parse_metadata(metadata_at(metadata, "adapter", name), "adapter", name);
    const CheckedJson checked(described, name, "/adapter");
    AdapterConfig config;
    config.rank = checked.at("rank").integer(1, 256);
    config.alpha = checked.at("alpha").number(0, 1e6);
    config.new_classes = checked.at("new_classes").integer(0, 4096);
    const std::size_t before = classes.size();
    const json added = parse_metadata(metadata_at(metadata, "classes", name), "classes", name);
    classes.append(CheckedJson(added, name, "/classes"));
    if (std::cmp_not_equal(classes.size() - before, config.new_classes))
        throw InputError(
            name,
            fmt::format("describes {} classes, but has {}", classes.size() - before, config.new_classes),
            "copy it again");
    model.set_adapter(config, tensors, name);
}

}  // namespace

std::string base_hash(const DiffusionModel& model) {
    std::string hashes;
    for (const Part part : {Part::autoencoder, Part::averaged})
        for (const NamedTensor& tensor : model.parameters(part))
            hashes +=
                tensor.name + sha256(std::string_view(reinterpret_cast<const char*>(tensor.values.data()),
                                                      tensor.values.size() * sizeof(float)));
    return sha256(hashes);
}

ModelFiles read_model_files(const fs::path& folder, const ComputeOptions& compute,
                            const ModelMaker& make_model) {
    for (const char* name : {config_file, classes_file})
        if (!fs::is_regular_file(folder / name))
            throw InputError(folder.string(), fmt::format("lacks {}", name),
                             "name a folder with a diffusion model");
    const fs::path config_path = folder / config_file, classes_path = folder / classes_file;
    const ModelConfig config =
        ModelConfig::from_json(parse_json_file(config_path, max_config_bytes), config_path.string());
    if (config.columns() != static_cast<std::int64_t>(kTernary) ||
        config.control != static_cast<std::int64_t>(kImageBytes) ||
        config.longest != static_cast<std::int64_t>(kImageRows))
        throw InputError(config_path.string(),
                         fmt::format("is of a model for {} columns, {} bytes and {} rows", config.columns(),
                                     config.control, config.longest),
                         fmt::format("rows have {} columns and {} bytes, samples {} rows", kTernary,
                                     kImageBytes, kImageRows));
    ModelFiles files;
    const json classes = parse_json_file(classes_path, max_classes_bytes);
    files.classes.append(CheckedJson(classes, classes_path.string()));
    if (std::cmp_not_equal(files.classes.size(), config.classes))
        throw InputError(
            classes_path.string(),
            fmt::format("has {} classes, but {} says {}", files.classes.size(), config_file, config.classes),
            "the two must come from the same model");
    files.model = make_model(config, compute, 1);
    for (const PartFile& part : base_files) {
        const fs::path path = folder / part.file;
        files.model->set_parameters(part.part, read_safetensors(path), path.string());
    }
    if (const fs::path path = folder / control_file; fs::exists(path))
        files.model->set_parameters(Part::control, read_safetensors(path), path.string());
    if (const fs::path path = folder / adapter_file; fs::exists(path))
        read_adapter(path, *files.model, files.classes);
    if (const fs::path path = folder / training_file; fs::exists(path)) {
        const json training = parse_json_file(path, max_training_bytes);
        files.training = TrainingRecord::from_json(CheckedJson(training, path.string()));
    }
    return files;
}

void write_model_files(const fs::path& folder, const DiffusionModel& model, const ClassBook& classes,
                       const TrainingRecord& training) {
    const json all = classes.to_json();
    json of_base = json::array();
    for (std::size_t id = 0; id < base_classes(model); ++id) of_base.push_back(all.at(id));
    write_file(folder / config_file, model.config().to_json().dump(1) + "\n");
    write_file(folder / classes_file, of_base.dump() + "\n");
    for (const PartFile& part : base_files)
        write_safetensors(folder / part.file, model.parameters(part.part), {{"format", "pt"}});
    if (model.has_control())
        write_safetensors(folder / control_file, model.parameters(Part::control), {{"format", "pt"}});
    if (model.adapter()) write_adapter(folder / adapter_file, model, classes);
    write_file(folder / training_file,
               training.to_json().dump(1, ' ', false, json::error_handler_t::replace) + "\n");
}

}  // namespace tracebench::diffusion
