#pragma once
/// What a training was: for `training.json`, the report and whoever asks.

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "generators/checked_json.h"

namespace tracebench::ssm {

/// One point of the training curve. Losses are nats a token.
struct CurvePoint {
    std::int64_t tokens = 0;  ///< trained on so far, each epoch's anew
    std::int64_t steps = 0;   ///< of the optimiser
    double seconds = 0;
    double train_loss = 0;  ///< over the tokens since the point before
    std::optional<double> validation_loss;
    std::optional<double> bits_per_packet;  ///< of the validation samples

    bool operator==(const CurvePoint&) const = default;
};

struct TrainingRecord {
    std::int64_t samples = 0, validation_samples = 0;
    std::int64_t packets = 0;         ///< that the samples hold in encoded form
    std::int64_t left_out = 0;        ///< that the encoding could not hold
    std::int64_t sample_tokens = 0;   ///< that the samples encode to
    std::int64_t longest_sample = 0;  ///< in tokens
    std::int64_t tokens = 0, steps = 0;
    std::int64_t skipped_steps = 0;  ///< whose gradient was not finite
    double epochs = 0, seconds = 0;
    std::optional<double> best_validation;
    std::string stopped;  ///< by which limit: `epochs`, `steps`, `seconds`, `patience`
    std::vector<std::string> notes;
    std::vector<CurvePoint> curve;

    /// {"tokens","packets","tokens_per_packet","left_out","seconds","tokens_per_s","steps","epochs",
    ///  "best_validation","curve":[{"tokens","steps","seconds","train_loss",...}],...}
    nlohmann::json to_json() const;
    /// Throws InputError. Members that are absent stay at their defaults: other programs' folders have none.
    static TrainingRecord from_json(const CheckedJson& json);

    bool operator==(const TrainingRecord&) const = default;
};

}  // namespace tracebench::ssm
