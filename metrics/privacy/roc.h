#pragma once
/// How well scores tell members from others (receiver operating characteristic).

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace tracebench {

/// One that is to be judged: the greater the score, the more likely a member.
struct Judged {
    double score = 0;
    bool member = false;
    std::uint32_t session = 0;  ///< of the training samples for members, else of the held-out ones
};

/// Highest scores first. NaN is not allowed.
void sort_by_score(std::vector<Judged>& judged);

/// The chance that a member's score is greater than another's, ties counting half: the area under the ROC
/// curve, 0..1, 0.5 for guessing. Each counts as often as its session's weight says. NaN where a side has no
/// weight. `judged` is sorted.
double area_under_curve(std::span<const Judged> judged, std::span<const double> member_weights,
                        std::span<const double> other_weights);

/// Share of members found at the lowest threshold that takes at most the share `false_positives` of others
/// for members: a point of the curve, nothing between points. Weights, NaN and order as above.
double true_positive_rate(std::span<const Judged> judged, double false_positives,
                          std::span<const double> member_weights, std::span<const double> other_weights);

}  // namespace tracebench
