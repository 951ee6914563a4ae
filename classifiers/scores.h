#pragma once
/// Accuracy, precision, recall and F1 from a confusion matrix.

#include <vector>

namespace tracebench {

/// [true][predicted], square.
using ConfusionMatrix = std::vector<std::vector<std::size_t>>;

struct Scores {
    /// Share of samples on the diagonal; 0 without samples.
    double accuracy = 0;
    /// Mean F1 of the classes that occur in the test set or among the predictions (scikit-learn's
    /// f1_score(average="macro", zero_division=0)); 0 without samples.
    double macro_f1 = 0;
    /// One a class; 0 where undefined (never predicted, no sample).
    std::vector<double> precision, recall, f1;
    std::vector<std::size_t> support;
};

Scores score(const ConfusionMatrix& confusion);

}  // namespace tracebench
