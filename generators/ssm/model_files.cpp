#include "generators/ssm/model_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "base/random.h"
#include "generators/weights/weight_file.h"

namespace tracebench::ssm {
namespace fs = std::filesystem;
namespace {

constexpr const char* config_file = "config.json";
constexpr const char* tokenizer_file = "tokenizer.json";
constexpr const char* weights_file = "model.safetensors";
constexpr const char* training_file = "training.json";
constexpr const char* calibration_file = "calibration.json";
constexpr std::uint64_t max_config_bytes = std::uint64_t{1} << 20,
                        max_training_bytes = std::uint64_t{256} << 20;
constexpr const char* embedding_name = "backbone.embedding.weight";
constexpr double label_noise = 0.002;  // a tenth of what mamba_ssm initialises embeddings with

NamedTensor* find_tensor(std::vector<NamedTensor>& tensors, std::string_view name) {
    const auto found = std::find_if(tensors.begin(), tensors.end(),
                                    [&](const NamedTensor& tensor) { return tensor.name == name; });
    return found == tensors.end() ? nullptr : &*found;
}

/// The tokenizer says how many tokens there are; the configuration may count its padding in.
void reconcile_vocabulary(ModelConfig& config, const Encoding& encoding, const fs::path& folder) {
    const std::int64_t rows = config.padded_vocabulary(), named = config.vocab_size;
    config.vocab_size = static_cast<std::int64_t>(encoding.vocabulary_size());
    if (config.padded_vocabulary() != rows)
        throw InputError(
            (folder / tokenizer_file).string(),
            fmt::format("has {} tokens, but {} says vocab_size {}", config.vocab_size, config_file, named),
            "the two must come from the same model");
}

}  // namespace

ModelFiles read_model_files(const fs::path& folder, const EncodingLoader& load_encoding) {
    for (const char* name : {config_file, tokenizer_file})
        if (!fs::is_regular_file(folder / name))
            throw InputError(folder.string(), fmt::format("lacks {}", name),
                             "a model folder holds config.json, tokenizer.json and model.safetensors or "
                             "pytorch_model.bin");
    ModelFiles files;
    const fs::path config = folder / config_file;
    files.config = ModelConfig::from_json(parse_json_file(config, max_config_bytes), config.string());
    files.encoding = load_encoding(folder);
    reconcile_vocabulary(files.config, *files.encoding, folder);
    files.weights = read_weights(folder);
    const fs::path training = folder / training_file;
    if (fs::exists(training)) {
        const nlohmann::json json = parse_json_file(training, max_training_bytes);
        files.training = TrainingRecord::from_json(CheckedJson(json, training.string()));
    }
    if (const fs::path calibration = folder / calibration_file; fs::exists(calibration)) {
        const nlohmann::json json = parse_json_file(calibration, max_training_bytes);
        files.calibration = PlanCalibration::from_json(CheckedJson(json, calibration.string()),
                                                       files.encoding->vocabulary_size());
    }
    return files;
}

void write_model_files(const fs::path& folder, const ModelConfig& config, const Encoding& encoding,
                       const std::vector<NamedTensor>& weights, const TrainingRecord& training,
                       const PlanCalibration& calibration) {
    write_file(folder / config_file, config.to_json().dump(2) + "\n");
    encoding.save(folder);
    write_safetensors(folder / weights_file, weights, {{"format", "pt"}});
    write_file(folder / training_file,
               training.to_json().dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
    if (!calibration.empty()) write_file(folder / calibration_file, calibration.to_json().dump() + "\n");
}

void add_labels(ModelFiles& files, const std::vector<std::string>& labels, std::uint64_t seed) {
    const std::vector<std::string> known = files.encoding->labels();
    std::vector<std::string> added;
    for (const std::string& label : labels)
        if (!std::binary_search(known.begin(), known.end(), label)) added.push_back(label);
    if (added.empty()) return;

    NamedTensor* embedding = find_tensor(files.weights, embedding_name);
    const std::vector<std::int64_t> expected = {files.config.padded_vocabulary(), files.config.d_model};
    if (embedding == nullptr || embedding->shape != expected)
        throw InputError(
            "generator 'ssm'",
            fmt::format("'from' has no '{}' of shape [{}, {}]", embedding_name, expected[0], expected[1]),
            "its config.json and weights must come from the same model");
    // A tied copy would have to grow alike; the model needs only one of the two.
    if (const NamedTensor* head = find_tensor(files.weights, "lm_head.weight")) {
        if (head->values != embedding->values)
            throw InputError("generator 'ssm'", "'from' has an lm_head.weight that is not its embedding",
                             "only models with tied embeddings can be loaded");
        std::erase_if(files.weights,
                      [](const NamedTensor& tensor) { return tensor.name == "lm_head.weight"; });
        embedding = find_tensor(files.weights, embedding_name);
    }

    const auto width = static_cast<std::size_t>(files.config.d_model);
    std::vector<std::vector<double>> means;  // by place among a label's tokens
    for (const std::string& label : known) {
        const std::vector<Token> tokens = files.encoding->label_tokens(label);
        means.resize(tokens.size(), std::vector<double>(width));
        for (std::size_t place = 0; place < tokens.size(); ++place) {
            const auto row = static_cast<std::size_t>(tokens[place]) * width;
            for (std::size_t i = 0; i < width; ++i)
                means[place][i] +=
                    static_cast<double>(embedding->values[row + i]) / static_cast<double>(known.size());
        }
    }
    files.encoding->add_labels(added);
    files.config.vocab_size = static_cast<std::int64_t>(files.encoding->vocabulary_size());
    embedding->shape[0] = files.config.padded_vocabulary();
    embedding->values.resize(static_cast<std::size_t>(embedding->size()));
    for (const std::string& label : added) {
        Random random(stream_seed(seed, "ssm/label/" + label));
        const std::vector<Token> tokens = files.encoding->label_tokens(label);
        means.resize(tokens.size(), std::vector<double>(width));  // a model without labels has no mean
        for (std::size_t place = 0; place < tokens.size(); ++place) {
            const auto row = static_cast<std::size_t>(tokens[place]) * width;
            for (std::size_t i = 0; i < width; ++i)
                embedding->values[row + i] =
                    static_cast<float>(means[place][i] + label_noise * random.normal());
        }
    }
}

}  // namespace tracebench::ssm
