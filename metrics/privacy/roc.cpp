#include "metrics/privacy/roc.h"

#include <algorithm>
#include <limits>

namespace tracebench {
namespace {

/// Weight of members and of others at one threshold.
struct Step {
    double members = 0, others = 0;
};

/// Calls `use` with what each threshold adds, highest first: equal scores cannot be told apart.
template <typename Use>
void each_threshold(std::span<const Judged> judged, std::span<const double> member_weights,
                    std::span<const double> other_weights, const Use& use) {
    for (std::size_t i = 0; i < judged.size();) {
        Step step;
        const double score = judged[i].score;
        for (; i < judged.size() && judged[i].score == score; ++i) {
            if (judged[i].member)
                step.members += member_weights[judged[i].session];
            else
                step.others += other_weights[judged[i].session];
        }
        use(step);
    }
}

Step total(std::span<const Judged> judged, std::span<const double> member_weights,
           std::span<const double> other_weights) {
    Step all;
    each_threshold(judged, member_weights, other_weights, [&](const Step& step) {
        all.members += step.members;
        all.others += step.others;
    });
    return all;
}

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

}  // namespace

void sort_by_score(std::vector<Judged>& judged) {
    std::stable_sort(judged.begin(), judged.end(),
                     [](const Judged& a, const Judged& b) { return a.score > b.score; });
}

double area_under_curve(std::span<const Judged> judged, std::span<const double> member_weights,
                        std::span<const double> other_weights) {
    Step found;
    double pairs = 0;
    each_threshold(judged, member_weights, other_weights, [&](const Step& step) {
        pairs += step.others * (found.members + step.members / 2);
        found.members += step.members;
        found.others += step.others;
    });
    return found.members > 0 && found.others > 0 ? pairs / (found.members * found.others) : nan;
}

double true_positive_rate(std::span<const Judged> judged, double false_positives,
                          std::span<const double> member_weights, std::span<const double> other_weights) {
    const Step all = total(judged, member_weights, other_weights);
    if (all.members <= 0 || all.others <= 0) return nan;
    Step found;
    double members = 0;
    each_threshold(judged, member_weights, other_weights, [&](const Step& step) {
        found.members += step.members;
        found.others += step.others;
        if (found.others / all.others <= false_positives) members = found.members;
    });
    return members / all.members;
}

}  // namespace tracebench
