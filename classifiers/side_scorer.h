#pragma once
/// Learns to tell two sides apart, and says how much a row looks like the second one: what a classifier
/// two-sample test needs, where classes alone (model.h) are not enough.

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "classifiers/model.h"

namespace tracebench {

class SideScorer {
  public:
    virtual ~SideScorer() = default;
    /// `second`: 1 for rows of the second side, 0 for the first; both occur. `weights`: positive, one a row.
    /// Values are finite or NaN (absent). Same seed, same model.
    virtual void fit(MatrixView rows, std::span<const float> second, std::span<const float> weights,
                     std::uint64_t seed) = 0;
    /// One number a row, larger where the second side is likelier; 0.5 is undecided.
    virtual std::vector<float> score(MatrixView rows) const = 0;
};

using MakeScorer = std::function<std::unique_ptr<SideScorer>()>;

/// Gradient-boosted trees by XGBoost: 30 rounds, depth 3, logistic loss; scores are probabilities.
std::unique_ptr<SideScorer> make_xgboost_scorer();

}  // namespace tracebench
