#pragma once
/// Wasserstein distance of vectors by way of their projections onto lines.

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "metrics/distance/ordered.h"
#include "metrics/joint/points.h"

namespace tracebench {

/// `count` unit vectors of `width` numbers, one after the other, evenly spread over all directions.
std::vector<double> random_directions(std::size_t width, std::size_t count, std::uint64_t seed);

/// Mean over the directions of the Wasserstein-1 distance of the projections, 0.., in the vectors' unit. A
/// metric for all directions; with some, a projection of it. Bonneel et al., "Sliced and Radon Wasserstein
/// Barycenters of Measures", J. Math. Imaging Vis. 51, 2015.
class SlicedWasserstein {
  public:
    /// `directions`: any number of vectors of as many numbers as the points have features. Throws
    /// std::invalid_argument where there is none or numbers are left over.
    SlicedWasserstein(const Points& points, std::span<const double> directions);

    /// Session s counts left[s] times on one side and right[s] times on the other. Nothing where a side has
    /// no vector.
    std::optional<double> compare(std::span<const double> left, std::span<const double> right) const;

  private:
    std::vector<SortedSessions> projections_;
};

}  // namespace tracebench
