#pragma once
/// The settings of generator `ssm`, as a manifest or `tracebench train --config` gives them.

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "generators/checked_json.h"
#include "generators/ssm/generation/sampler.h"
#include "generators/ssm/training/trainer.h"

namespace tracebench::ssm {

struct SsmSettings {
    std::string preset = "small";
    std::string encoding = "fields";
    nlohmann::json encoding_settings = nlohmann::json::object();
    bool encoding_given = false;
    ModelConfig model;  ///< its vocabulary is the encoding's
    ComputeOptions compute;
    TrainingOptions training;
    /// The preset's epochs, for a training that is limited neither in epochs nor steps nor seconds.
    std::int64_t default_epochs = 0;
    double plan_weight = 4;  ///< see Encoding::is_plan()
    SamplerOptions sampling;
    std::int64_t parallel = 32;
    std::int64_t max_tokens_per_sample = 0;  ///< 0: four times the longest training sample
    std::filesystem::path from;              ///< a model folder to go on from; empty: begin anew

    /// Throws InputError: a setting that is unknown, out of range or at odds with another.
    static SsmSettings from_json(const CheckedJson& settings);
    /// Limits of a training that may take `budget_s` (0: any time): the settings' own, or the preset's epochs
    /// where there are none.
    TrainingOptions training_within(double budget_s) const;
};

}  // namespace tracebench::ssm
