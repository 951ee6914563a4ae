#pragma once
/// Rank correlations (Spearman's) of two sets of vectors, for any weighting of their sessions.

#include <optional>
#include <span>
#include <vector>

#include "metrics/joint/gaussian.h"

namespace tracebench {

class RankCorrelation {
  public:
    /// Sorts every feature once.
    explicit RankCorrelation(const Points& points);

    /// Mean and covariance of the ranks of the vectors, every session counted weights[s] times: its
    /// correlations are Spearman's, ties at their mean rank. Ranks are divided by the number of vectors,
    /// 0..1. Nothing with fewer than two vectors. Spearman, Am. J. Psychol. 15(1), 1904.
    std::optional<Gaussian> fit(std::span<const double> weights) const;

  private:
    Points points_;
    std::vector<std::vector<std::uint32_t>> order_;  ///< of each feature: rows by value
};

}  // namespace tracebench
