#pragma once
/// A trained model in a folder, as Hugging Face lays it out: `config.json`, `tokenizer.json`,
/// `model.safetensors` (or PyTorch's `pytorch_model.bin`), and our `training.json` and `calibration.json`
/// beside them.

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "generators/ssm/encoding/encoding.h"
#include "generators/ssm/generation/plan_calibration.h"
#include "generators/ssm/model_config.h"
#include "generators/ssm/training/training_record.h"
#include "generators/weights/named_tensor.h"

namespace tracebench::ssm {

struct ModelFiles {
    ModelConfig config;  ///< its vocabulary is the encoding's
    std::unique_ptr<Encoding> encoding;
    std::vector<NamedTensor> weights;
    std::optional<TrainingRecord> training;  ///< absent in other programs' folders
    PlanCalibration calibration;             ///< so too
};

using EncodingLoader = std::function<std::unique_ptr<Encoding>(const std::filesystem::path& folder)>;

/// Reads such a folder, whoever wrote it. Throws InputError: a file is missing or damaged, or tokenizer and
/// configuration disagree about the vocabulary by more than its padding.
ModelFiles read_model_files(const std::filesystem::path& folder, const EncodingLoader& load_encoding);

/// Into an existing folder.
void write_model_files(const std::filesystem::path& folder, const ModelConfig& config,
                       const Encoding& encoding, const std::vector<NamedTensor>& weights,
                       const TrainingRecord& training, const PlanCalibration& calibration);

/// Whether the folder looks like one that read_model_files() reads.
inline bool holds_model_files(const std::filesystem::path& folder) {
    return std::filesystem::is_regular_file(folder / "config.json") &&
           std::filesystem::is_regular_file(folder / "tokenizer.json");
}

/// Adds labels to the encoding and rows for them to the embedding: the mean of the other labels' rows and a
/// little noise drawn from `seed`, so that a new label begins as an average one. Labels that are there
/// already change nothing. Throws InputError where the embedding is missing or of another shape.
void add_labels(ModelFiles& files, const std::vector<std::string>& labels, std::uint64_t seed);

}  // namespace tracebench::ssm
