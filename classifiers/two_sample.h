#pragma once
/// Classifier two-sample test (C2ST): what a learner can tell apart is different. Lopez-Paz and Oquab,
/// "Revisiting Classifier Two-Sample Tests", ICLR 2017, with cross-fitting in place of their one split, the
/// area under the ROC curve beside the accuracy, and sessions (not rows) as what is independent.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "classifiers/features.h"
#include "classifiers/side_scorer.h"

namespace tracebench {

struct TwoSampleOptions {
    std::size_t folds = 5;        ///< at most; as many as a side has sessions where these are fewer
    std::size_t max_rows = 1000;  ///< of a side; above it rows are drawn at random, as many of each session
    std::uint64_t seed = 1;       ///< of sessions and rows drawn, of folds, of the model
    MakeScorer scorer = make_xgboost_scorer;
};

/// Every row's score by a model that saw no row of its session. Sessions are numbered through, by name: those
/// of the first side, then those of the second.
struct TwoSampleScores {
    std::vector<float> score;    ///< larger: more like the second side
    std::vector<double> weight;  ///< see two_sample_scores()
    std::vector<std::uint32_t> session;
    std::vector<std::string> first_labels, second_labels;  ///< one a session: its commonest label

    std::size_t sessions() const { return first_labels.size() + second_labels.size(); }
    bool is_second(std::size_t row) const { return session[row] >= first_labels.size(); }
    /// Rows of either side.
    std::size_t rows(bool second) const;
};

/// Cross-fitted scores of the rows of two tables with the same columns. Balanced: in training and in the
/// result every label weighs the same on both sides, and every session of a label the same within a side;
/// labels that one side alone has weigh nothing. Folds are dealt by session, side and label; rows of a fold
/// whose others have nothing to learn from score 0.5. Nothing where a side has fewer than two sessions or the
/// sides have no label in common.
/// Throws InputError where columns differ.
std::optional<TwoSampleScores> two_sample_scores(const FeatureTable& first, const FeatureTable& second,
                                                 const TwoSampleOptions& options);

/// How well scores tell the sides apart, for any weighting of the sessions: resamples cost one sweep each.
class TwoSampleMeasure {
  public:
    explicit TwoSampleMeasure(const TwoSampleScores& scores);

    struct Result {
        /// Area under the ROC curve, 0..1: the chance that a row of the second side scores higher than one of
        /// the first, ties counting half. 0.5: cannot be told apart.
        double auc = 0;
        /// Mean of both sides' share of rows on the right side of 0.5 (balanced accuracy), 0..1.
        double accuracy = 0;
    };
    /// One weight a session. Nothing where a side has no weight.
    std::optional<Result> operator()(std::span<const double> weights) const;
    /// All sessions once.
    Result operator()() const;

  private:
    struct Row {
        float score;
        double weight;
        std::uint32_t session;
        bool second;
    };
    std::vector<Row> rows_;  ///< by score
    std::size_t sessions_;
};

/// What the test gives where both sides are real: the null distribution.
struct TwoSampleNull {
    std::vector<TwoSampleMeasure::Result> draws;
    std::size_t first_sessions = 0, second_sessions = 0;  ///< of the sides in each draw
};

/// The test, refitted, between random disjoint sets of sessions of one table: of each label as many on either
/// side as wanted; where there are too few, as near to halves of them as that allows, so that the
/// distribution is rather too wide. No draws where that leaves a side with fewer than two sessions.
/// `before_draw` is called before each of them (to give up by throwing).
TwoSampleNull two_sample_null(const FeatureTable& pool,
                              const std::map<std::string, std::size_t>& first_wanted,
                              const std::map<std::string, std::size_t>& second_wanted, std::size_t draws,
                              const TwoSampleOptions& options, const std::function<void()>& before_draw = {});

/// Share of null draws, the observed one counted among them, with an AUC as large or larger: at most 5% of
/// sides that do not differ get 0.05 or less. 1/(draws + 1) at least.
double two_sample_p_value(double auc, const TwoSampleNull& null);

/// Sessions of each label; a session's label is its commonest one.
std::map<std::string, std::size_t> count_sessions(const FeatureTable& table);

}  // namespace tracebench
