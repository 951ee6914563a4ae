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
        booster_ =
            xgboost::Booster(training,
                             xgboost::tree_parameters(rows.columns, seed,
                                                      {{"objective", "binary:logistic"}, {"max_depth", "3"}}),
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
