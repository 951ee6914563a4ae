#pragma once
/// Classifier results as metric values and as details for the report.

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "metrics/metric.h"

namespace tracebench {

/// What the classify tasks of one seed, model and kind of features gave.
struct UtilityInput {
    std::string model, features;
    std::uint64_t seed = 0;
    const nlohmann::json* synthetic = nullptr;  ///< the generator's task; the real task itself for "real"
    const nlohmann::json* real = nullptr;       ///< TRTR with the same seed, model and features
    std::string failed;                         ///< why either is missing
};

/// `tstr.accuracy`, `tstr.macro_f1`, `trts.accuracy`, `trts.macro_f1` with group `model/features`, and
/// `aug.accuracy`, `aug.macro_f1` with group `model/features@ratio`. Floor: TRTR with the same seed. Ceiling of
/// TSTR accuracy: always naming the commonest class. TRTS and AUG have no score: TRTS flatters whoever copies
/// the training data, AUG is read beside TRTR.
std::vector<MetricValue> utility_values(const std::vector<UtilityInput>& inputs);

/// `trtr.accuracy`, `trtr.macro_f1`; for features "identifiers" `shortcut.accuracy`.
std::vector<MetricValue> real_utility_values(const UtilityInput& input);

/// What the c2st tasks of one seed gave.
struct TwoSampleInput {
    const nlohmann::json* synthetic = nullptr;  ///< the generator's task
    const nlohmann::json* real = nullptr;       ///< the null distribution
    std::string failed;                         ///< why either is missing
};

/// `c2st.auc` and `c2st.accuracy`, lower is better: floor the mean between real samples, ceiling 1.
/// `c2st.p_value`, higher is better: two_sample_p_value(). Area `flow`, group `xgboost/flow`; none counts in a
/// score: they sum up differences that the fields' distances count one by one.
std::vector<MetricValue> two_sample_values(const TwoSampleInput& input);

/// Entries of details.classification (docs/results.md) for one generator: seeds merged, confusions summed, and
/// the real result as AUG at ratio 0.
std::vector<nlohmann::json> classification_details(const std::string& generator,
                                                   const std::vector<UtilityInput>& inputs);

}  // namespace tracebench
