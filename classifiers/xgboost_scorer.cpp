#include <algorithm>

#include "base/random.h"
#include "classifiers/side_scorer.h"
#include "classifiers/xgboost_handles.h"

namespace tracebench {
namespace {

constexpr int boosting_rounds = 30;

class XgboostScorer : public SideScorer {
  public:
    void fit(MatrixView rows, std::span<const float> second, std::span<const float> weights,
             std::uint64_t seed) override {
        const xgboost::Matrix training(rows);
        training.set("label", second);
        training.set("weight", weights);
        const double column_share = std::clamp(30.0 / static_cast<double>(rows.columns), 0.3, 1.0);
        booster_ = xgboost::Booster(training,
                                    {
                                        {"booster", "gbtree"},
                                        {"tree_method", "hist"},
                                        {"objective", "binary:logistic"},
                                        {"max_depth", "3"},
                                        {"eta", "0.3"},
                                        {"subsample", "0.8"},
                                        {"colsample_bytree", std::to_string(column_share)},
                                        {"max_bin", "32"},
                                        {"nthread", std::to_string(xgboost::threads)},
                                        {"seed", std::to_string(stream_seed(seed, "xgboost") & 0x7FFFFFFF)},
                                        {"verbosity", "0"},
                                    },
                                    boosting_rounds);
    }

    std::vector<float> score(MatrixView rows) const override { return booster_.predict(rows, 1); }

  private:
    xgboost::Booster booster_;
};

}  // namespace

std::unique_ptr<SideScorer> make_xgboost_scorer() {
    return std::make_unique<XgboostScorer>();
}

}  // namespace tracebench
