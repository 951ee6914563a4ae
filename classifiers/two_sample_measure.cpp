#include <algorithm>

#include "classifiers/two_sample.h"

namespace tracebench {

TwoSampleMeasure::TwoSampleMeasure(const TwoSampleScores& scores) : sessions_(scores.sessions()) {
    for (std::size_t i = 0; i < scores.score.size(); ++i)
        rows_.push_back({scores.score[i], scores.weight[i], scores.session[i], scores.is_second(i)});
    std::stable_sort(rows_.begin(), rows_.end(),
                     [](const Row& a, const Row& b) { return a.score < b.score; });
}

std::optional<TwoSampleMeasure::Result> TwoSampleMeasure::operator()(std::span<const double> weights) const {
    double first = 0, second = 0, ordered_pairs = 0, first_right = 0, second_right = 0;
    for (std::size_t i = 0; i < rows_.size();) {
        double tied_first = 0, tied_second = 0;
        const float score = rows_[i].score;
        for (; i < rows_.size() && rows_[i].score == score; ++i)
            (rows_[i].second ? tied_second : tied_first) += rows_[i].weight * weights[rows_[i].session];
        ordered_pairs += tied_second * (first + tied_first / 2);
        first += tied_first;
        second += tied_second;
        // Undecided rows count half for either side.
        first_right += score < 0.5F ? tied_first : score == 0.5F ? tied_first / 2 : 0;
        second_right += score > 0.5F ? tied_second : score == 0.5F ? tied_second / 2 : 0;
    }
    if (!(first > 0) || !(second > 0)) return std::nullopt;
    return Result{ordered_pairs / (first * second), (first_right / first + second_right / second) / 2};
}

TwoSampleMeasure::Result TwoSampleMeasure::operator()() const {
    return (*this)(std::vector<double>(sessions_, 1.0)).value_or(Result{0.5, 0.5});
}

}  // namespace tracebench
