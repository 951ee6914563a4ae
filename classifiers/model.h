#pragma once
/// Classifiers behind one interface: xgboost, forest, tree, svm, mlp.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace tracebench {

/// Rows x columns of floats, row-major, NaN = absent.
struct MatrixView {
    std::span<const float> values;
    std::size_t columns = 0;
    std::size_t rows() const { return columns == 0 ? 0 : values.size() / columns; }
    std::span<const float> row(std::size_t i) const { return values.subspan(i * columns, columns); }
};

class Classifier {
  public:
    virtual ~Classifier() = default;
    /// `classes[i]` in [0, class_count). Same seed, same model.
    virtual void fit(MatrixView features, std::span<const int> classes, int class_count,
                     std::uint64_t seed) = 0;
    virtual std::vector<int> predict(MatrixView features) const = 0;
};

/// Throws InputError for an unknown name, listing those there are, and for `mlp` in a build without LibTorch.
std::unique_ptr<Classifier> make_classifier(const std::string& name);
/// Those that this build has.
std::vector<std::string> classifier_names();

}  // namespace tracebench
