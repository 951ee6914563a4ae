#pragma once
/// What a training was: for `training.json`, the report and whoever asks.

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "generators/checked_json.h"

namespace tracebench::diffusion {

/// One point of a stage's training curve. Losses as Loss::mean says for the stage.
struct CurvePoint {
    std::int64_t steps = 0;
    double seconds = 0;     ///< since the training's begin
    double train_loss = 0;  ///< over the rows since the point before
    std::optional<double> validation_loss;

    bool operator==(const CurvePoint&) const = default;
};

struct StageRecord {
    std::string stage;  ///< `autoencoder`, `denoiser`, `control`, `adapter`
    std::int64_t steps = 0, rows = 0;
    std::int64_t skipped_steps = 0;  ///< whose gradient was not finite
    double seconds = 0;
    std::optional<double> best_validation;
    std::string stopped;  ///< by which limit: `steps`, `seconds`, `patience`; empty: not ended
    std::vector<CurvePoint> curve;

    bool operator==(const StageRecord&) const = default;
};

/// How well rows come back from their latents, without noise.
struct RowAccuracy {
    std::int64_t rows = 0;
    double wrong_columns = 0;  ///< share of all columns of all rows, in [0, 1]
    double wrong_rows = 0;     ///< share of rows with a wrong column
    double gap_error = 0;      ///< mean absolute error of the scaled gap
    bool validation = false;   ///< on rows kept out of training

    bool operator==(const RowAccuracy&) const = default;
};

struct TrainingRecord {
    std::int64_t samples = 0, validation_samples = 0;
    std::int64_t packets = 0;   ///< rows of both
    std::int64_t left_out = 0;  ///< packets beyond a sample's first 1024, or of protocols without a row
    std::int64_t reopened = 0;  ///< ModelRows::reopened, of all samples
    double seconds = 0;
    std::vector<StageRecord> stages;
    std::optional<RowAccuracy> accuracy;
    std::vector<std::string> notes;

    /// {"samples","packets","left_out","seconds","steps","best_validation","curve":[{"steps","seconds",
    ///  "train_loss","validation_loss"}],"stages":[...],"autoencoder":{...},...}; `steps`, `best_validation`,
    /// `stopped` and `curve` are those of the last stage, which is the one that counts.
    nlohmann::json to_json() const;
    /// Throws InputError. Members that are absent stay at their defaults.
    static TrainingRecord from_json(const CheckedJson& json);

    bool operator==(const TrainingRecord&) const = default;
};

}  // namespace tracebench::diffusion
