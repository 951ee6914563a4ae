#pragma once
/// Downstream utility: what a classifier trained on real, synthetic or augmented data is worth.
/// TRTR train on real, test on real; TSTR train on synthetic, test on real; TRTS the reverse; AUG real plus
/// synthetic at a mixing ratio, tested on real (ratio r: synthetic samples = r * real ones, 0 to 1).

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "classifiers/features.h"
#include "classifiers/model.h"

namespace tracebench {

enum class Protocol { trtr, tstr, trts, aug };

/// "TRTR", "TSTR", "TRTS", "AUG".
std::string evaluation_protocol_name(Protocol protocol);

struct EvaluationRequest {
    std::string model = "xgboost";
    Protocol protocol = Protocol::trtr;
    double mixing_ratio = 1;      ///< AUG only
    std::uint64_t seed = 1;       ///< of the model and, for AUG, of which synthetic samples are drawn
    std::size_t bootstrap = 200;  ///< replicates; 0: none, and no intervals
};

/// `labels` are those of the training and the test set together, sorted. macro_f1 is the mean F1 over labels
/// that occur in the test set or among the predictions, as scikit-learn's f1_score(average="macro"): a label
/// that is only in the training set and never predicted does not count, and a warning names it.
struct EvaluationResult {
    double accuracy = 0, macro_f1 = 0;
    std::size_t n_train = 0, n_test = 0;
    std::vector<std::string> labels;
    std::vector<double> precision, recall, f1;  ///< per label, in `labels` order
    std::vector<std::size_t> support;
    std::vector<std::vector<std::size_t>> confusion;  ///< [true][predicted]
    /// Over test sessions drawn with replacement, whole; empty where the test set has fewer than two
    /// sessions.
    std::vector<double> accuracy_replicates, f1_replicates;
    std::vector<std::string>
        warnings;  ///< labels without training or test samples, too few synthetic samples
};

/// Tables that the protocol uses have the same columns; the others may be empty. Training and test set:
/// TRTR real_train, real_heldout; TSTR synthetic, real_heldout; TRTS real_train, synthetic; AUG real_train
/// plus, of each of its labels, round(mixing_ratio * its real samples) synthetic samples, real_heldout. The
/// draw for a smaller ratio is part of that for a larger one, so ratios are compared on nested sets; where a
/// label has too few synthetic samples all are used, and a warning says so.
/// Throws InputError where a table is empty, columns differ, the training labels number fewer than two, the
/// mixing ratio is not within [0, 1] or the model is unknown.
EvaluationResult evaluate(const FeatureTable& real_train, const FeatureTable& real_heldout,
                          const FeatureTable& synthetic, const EvaluationRequest& request);

/// 95% percentile interval {low, high} of bootstrap replicates; nothing where there are none.
std::optional<std::pair<double, double>> interval95(std::vector<double> replicates);

/// {"accuracy","accuracy_ci95","macro_f1","macro_f1_ci95","n_train","n_test","labels","per_class":[{"label",
/// "precision","recall","f1","support"}],"confusion_matrix":[[n]],"warnings"}; intervals null where none.
nlohmann::json to_json(const EvaluationResult& result);

}  // namespace tracebench
