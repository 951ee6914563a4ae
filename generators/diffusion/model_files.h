#pragma once
/// A trained diffusion model in a folder:
///
///     config.json                       sizes of the model and which columns it learns
///     classes.json                      labels by id, lengths of their samples, header layouts
///     autoencoder.safetensors           rows to latents and back, with the latents' mean and scale
///     denoiser.safetensors              weights as the optimiser left them
///     denoiser_averaged.safetensors     their running average, which samples
///     control.safetensors               the control branch, if there is one
///     adapter.safetensors               LoRA factors and new classes, if there are any
///     training.json                     what the training was
///
/// An adapter names the hash of the base that it was trained on and says itself which classes it adds: it can
/// be put beside the same base anywhere.

#include <filesystem>
#include <functional>
#include <memory>

#include "generators/diffusion/class_book.h"
#include "generators/diffusion/diffusion_model.h"
#include "generators/diffusion/training/training_record.h"

namespace tracebench::diffusion {

using ModelMaker = std::function<std::unique_ptr<DiffusionModel>(const ModelConfig&, const ComputeOptions&,
                                                                 std::uint64_t seed)>;

struct ModelFiles {
    std::unique_ptr<DiffusionModel> model;
    ClassBook classes;
    TrainingRecord training;
};

/// Throws InputError: a file is missing or damaged, files that do not belong together, an adapter of another
/// base.
ModelFiles read_model_files(const std::filesystem::path& folder, const ComputeOptions& compute,
                            const ModelMaker& make_model);
/// Into an existing folder.
void write_model_files(const std::filesystem::path& folder, const DiffusionModel& model,
                       const ClassBook& classes, const TrainingRecord& training);

/// SHA-256 of what an adapter depends on: the autoencoder and the denoiser's averaged weights.
std::string base_hash(const DiffusionModel& model);

}  // namespace tracebench::diffusion
