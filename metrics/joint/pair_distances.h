#pragma once
/// Distances between all pairs of vectors of two sets, computed once: kernels and nearest neighbours of any
/// weighting of the sessions come from them.

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "metrics/joint/points.h"

namespace tracebench {

class PairDistances {
  public:
    /// Rows of `a` are numbered first, then those of `b`; sessions likewise. Vectors must be finite.
    /// Needs 8 (a + b)^2 bytes: thin before.
    PairDistances(const Points& a, const Points& b);

    std::size_t size() const { return session_.size(); }
    std::size_t sessions() const { return sessions_; }
    std::uint32_t session(std::size_t i) const { return session_[i]; }
    /// Squared Euclidean distances of row i to every row.
    std::span<const double> row(std::size_t i) const { return {squares_.get() + i * size(), size()}; }

  private:
    std::unique_ptr<double[]> squares_;
    std::vector<std::uint32_t> session_;
    std::size_t sessions_;
};

/// Median of the distances between different rows, a kernel's usual bandwidth (Gretton et al., JMLR 13, 2012,
/// section 8). Where more than half of them are 0, the mean of the others; 1 where all are, or with fewer
/// than two rows.
double median_distance(const PairDistances& pairs);

}  // namespace tracebench
