#pragma once
/// Downstream utility: what a classifier trained on real, synthetic or augmented data is worth.
/// TRTR train on real, test on real; TSTR train on synthetic, test on real; TRTS the reverse; AUG real plus
/// synthetic at a mixing ratio, tested on real (ratio r: synthetic samples = r * real ones, 0 to 1).

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "classifiers/features.h"
#include "classifiers/model.h"

namespace tracebench {

enum class Protocol { trtr, tstr, trts, aug };

struct EvaluationRequest {
    std::string model = "xgboost";
    Protocol protocol = Protocol::trtr;
    double mixing_ratio = 1;  ///< AUG only
    std::uint64_t seed = 1;
    std::size_t bootstrap = 200;
};

struct EvaluationResult {
    double accuracy = 0, macro_f1 = 0;
    std::size_t n_train = 0, n_test = 0;
    std::vector<std::string> labels;
    std::vector<double> precision, recall, f1;             ///< per label, in `labels` order
    std::vector<std::size_t> support;
    std::vector<std::vector<std::size_t>> confusion;       ///< [true][predicted]
    std::vector<double> accuracy_replicates, f1_replicates;  ///< over resampled test sessions
};

/// All three tables have the same columns. Throws InputError where a table is empty or the training labels
/// number fewer than two.
EvaluationResult evaluate(const FeatureTable& real_train, const FeatureTable& real_heldout,
                          const FeatureTable& synthetic, const EvaluationRequest& request);

nlohmann::json to_json(const EvaluationResult& result);

}  // namespace tracebench
