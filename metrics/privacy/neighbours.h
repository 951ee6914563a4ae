#pragma once
/// Flows as points, and how near they are to those of another side.

#include <array>
#include <vector>

#include "metrics/privacy/finding.h"
#include "metrics/privacy/flow_selection.h"

namespace tracebench {

/// Centres and scales each feature by mean and deviation (of n, not n - 1) among reference flows. An absent
/// value becomes the mean, a feature that never varies 0.
class FeatureScaling {
  public:
    explicit FeatureScaling(const std::vector<const Flows*>& reference);
    std::vector<std::vector<double>> apply(const Flows& flows) const;

  private:
    std::vector<double> mean_, scale_;
};

using Points = std::vector<std::vector<double>>;

/// Euclidean distances to the nearest and the second nearest point of `to`, for each point of `from`;
/// infinite where there are not as many. All points have the same number of coordinates.
std::vector<std::array<double, 2>> nearest_two(const Points& from, const Points& to);

/// Values, over synthetic flows (skipped where a side has none), with equally many training and held-out
/// flows to be near to:
/// - `privacy.distance_ratio`: median distance to the nearest training flow over that to the nearest held-out
///   flow; higher is better, 1 where synthetic flows are no closer to what was learned from.
/// - `privacy.dcr_share`: share of flows that are closer to a training flow than to any held-out one, ties
///   counting half; 0.5 is ideal. Platzer and Reutterer, Frontiers in Big Data 4, 2021.
/// - `privacy.dcr`: distance to the closest (training) record, 5th percentile; `privacy.nndr`: distance to
///   the nearest over that to the second nearest training flow (1 where both are 0
///   or there is no second), 5th percentile; both
///   higher is better, floors from held-out flows in the synthetic ones' place. Zhao et al. (CTAB-GAN),
///   ACML 2021.
Findings measure_neighbours(const PrivacyComparison& comparison);

}  // namespace tracebench
