#pragma once
/// Precision, recall, density and coverage of synthetic vectors, by nearest neighbours.

#include <cstddef>
#include <optional>
#include <span>

#include "metrics/joint/pair_distances.h"

namespace tracebench {

/// A vector's ball reaches to its k-th nearest neighbour of its own side. Higher is better.
struct Manifolds {
    /// Share of synthetic vectors within a ball of a real one, 0..1: is what is made realistic?
    double precision = 0;
    /// Share of real vectors within a ball of a synthetic one, 0..1: is everything real made?
    /// Kynkaanniemi et al., "Improved Precision and Recall Metric for Assessing Generative Models", NeurIPS
    /// 2019.
    double recall = 0;
    /// Real balls that a synthetic vector lies in, over k, on average, 0..: unlike precision it is not taken
    /// in by one real outlier's large ball. Above 1 where synthetic vectors keep to where real ones are
    /// dense.
    double density = 0;
    /// Share of real vectors whose ball holds a synthetic one, 0..1: recall that synthetic outliers do not
    /// raise. Naeem et al., "Reliable Fidelity and Diversity Metrics for Generative Models", ICML 2020.
    double coverage = 0;
};

/// Session s is real where left[s] > 0 and synthetic where right[s] > 0. A session that counts several times
/// has its vectors once among the neighbours, which its copies would crowd, and the number of times in the
/// means. Points on a ball's edge are in it. Nothing where a side has no more than k vectors.
std::optional<Manifolds> compare_manifolds(const PairDistances& pairs, std::span<const double> left,
                                           std::span<const double> right, std::size_t k = 5);

}  // namespace tracebench
