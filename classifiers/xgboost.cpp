#include <algorithm>
#include <cmath>

#include "classifiers/models.h"
#include "classifiers/xgboost_handles.h"

namespace tracebench {
namespace {

constexpr int boosting_rounds = 40;

class XgboostClassifier : public Classifier {
  public:
    void fit(MatrixView features, std::span<const int> classes, int class_count,
             std::uint64_t seed) override {
        class_count_ = static_cast<std::size_t>(class_count);
        const xgboost::Matrix training(features);
        training.set("label", std::vector<float>(classes.begin(), classes.end()));

        // For tens to hundreds of samples: shallow trees, a third of the columns a tree, and leaves as small
        // as a class's few samples make them (min_child_weight is a sum of p(1-p), not a count).
        booster_ = xgboost::Booster(training,
                                    xgboost::tree_parameters(features.columns, seed,
                                                             {{"objective", "multi:softprob"},
                                                              {"num_class", std::to_string(class_count)},
                                                              {"max_depth", "4"},
                                                              {"min_child_weight", "0.3"}}),
                                    boosting_rounds);
    }

    std::vector<int> predict(MatrixView features) const override {
        const std::vector<float> probabilities = booster_.predict(features, class_count_);
        std::vector<int> predicted(features.rows());
        for (std::size_t i = 0; i < predicted.size(); ++i) {
            const auto row = std::span(probabilities).subspan(i * class_count_, class_count_);
            predicted[i] = static_cast<int>(std::max_element(row.begin(), row.end()) - row.begin());
        }
        return predicted;
    }

  private:
    std::size_t class_count_ = 0;
    xgboost::Booster booster_;
};

}  // namespace

std::unique_ptr<Classifier> make_xgboost() {
    return std::make_unique<XgboostClassifier>();
}

}  // namespace tracebench
