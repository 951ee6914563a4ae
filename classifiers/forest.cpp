#include <algorithm>
#include <cmath>
#include <numeric>

#include "classifiers/decision_tree.h"
#include "classifiers/models.h"

namespace tracebench {
namespace {

constexpr std::size_t forest_trees = 100;

/// Averages the leaf shares of its trees; a single tree on all rows and columns is the special case.
class TreeEnsemble : public Classifier {
  public:
    explicit TreeEnsemble(bool random) : random_(random) {}

    void fit(MatrixView features, std::span<const int> classes, int class_count,
             std::uint64_t seed) override {
        class_count_ = static_cast<std::size_t>(class_count);
        trees_.clear();
        const RankedColumns data(features);
        Random random(stream_seed(seed, "forest"));
        std::vector<std::uint32_t> rows(features.rows());
        std::iota(rows.begin(), rows.end(), 0U);
        if (!random_) {
            trees_.emplace_back(data, classes, class_count_, std::move(rows), 0, random);
            return;
        }
        const auto candidates =
            static_cast<std::size_t>(std::max(1.0, std::sqrt(static_cast<double>(features.columns))));
        for (std::size_t t = 0; t < forest_trees; ++t) {
            for (std::uint32_t& row : rows) row = static_cast<std::uint32_t>(random.below(rows.size()));
            trees_.emplace_back(data, classes, class_count_, rows, candidates, random);
        }
    }

    std::vector<int> predict(MatrixView features) const override {
        std::vector<int> predicted(features.rows());
        std::vector<double> votes(class_count_);
        for (std::size_t i = 0; i < predicted.size(); ++i) {
            std::fill(votes.begin(), votes.end(), 0);
            for (const DecisionTree& tree : trees_) {
                const auto shares = tree.shares(features.row(i));
                for (std::size_t c = 0; c < class_count_; ++c) votes[c] += shares[c];
            }
            predicted[i] = static_cast<int>(std::max_element(votes.begin(), votes.end()) - votes.begin());
        }
        return predicted;
    }

  private:
    bool random_;
    std::size_t class_count_ = 0;
    std::vector<DecisionTree> trees_;
};

}  // namespace

std::unique_ptr<Classifier> make_forest() {
    return std::make_unique<TreeEnsemble>(true);
}
std::unique_ptr<Classifier> make_tree() {
    return std::make_unique<TreeEnsemble>(false);
}

}  // namespace tracebench
