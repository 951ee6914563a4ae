#pragma once
/// The settings of generator `diffusion`, as a manifest or `tracebench train --config` gives them.

#include <filesystem>
#include <optional>
#include <string>

#include "generators/checked_json.h"
#include "generators/diffusion/diffusion_model.h"
#include "generators/diffusion/sampling/make_samples.h"
#include "generators/diffusion/training/trainer.h"

namespace tracebench::diffusion {

struct DiffusionSettings {
    std::string preset = "small";
    ModelConfig model;  ///< its classes and fixed columns are the samples'
    ComputeOptions compute;
    /// Of a training from the beginning; stages without steps where only the clock limits them.
    TrainingOptions training;
    /// The preset's steps by stage, for a training that is limited neither in steps nor seconds.
    std::int64_t default_autoencoder_steps = 0, default_steps = 0, default_control_steps = 0,
                 default_adapter_steps = 0;
    std::optional<std::int64_t> autoencoder_steps, steps, control_steps;  ///< as given
    double autoencoder_share = 0.25, control_share = 0.2;
    double learning_rate = 2e-3, autoencoder_learning_rate = 1e-3, adapter_learning_rate = 1e-3;
    SamplingOptions sampling;
    ControlChoice control;
    std::filesystem::path from;         ///< a model folder to go on from; empty: begin anew
    std::optional<AdapterConfig> lora;  ///< with `from`: train an adapter, not the base

    /// Throws InputError: a setting that is unknown, out of range or at odds with another.
    static DiffusionSettings from_json(const CheckedJson& settings);
    /// Options of a training that may take `budget_s` (0: any time): stages, their limits and shares.
    TrainingOptions training_within(double budget_s) const;
};

}  // namespace tracebench::diffusion
