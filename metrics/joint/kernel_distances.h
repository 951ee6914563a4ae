#pragma once
/// Distances between two sets of vectors as sums over all pairs: maximum mean discrepancy and energy
/// distance.

#include <optional>
#include <span>
#include <vector>

#include "metrics/joint/pair_distances.h"

namespace tracebench {

struct KernelDistances {
    /// Unbiased estimate of the squared maximum mean discrepancy with the kernel exp(-|x-y|^2 / (2 s^2)), s
    /// the bandwidth: mean k(x,x') + mean k(y,y') - 2 mean k(x,y), the first two over different vectors. At
    /// most 2; around 0, so also below it, for equal distributions. Gretton et al., "A Kernel Two-Sample
    /// Test", JMLR 13, 2012, equation 3.
    double mmd = 0;
    /// sqrt(2 E|X-Y| - E|X-X'| - E|Y-Y'|), 0.., Euclidean, means over all pairs: 0 only for equal sets of
    /// vectors, a metric. Szekely and Rizzo, J. Statist. Plann. Inference 143(8), 2013.
    double energy = 0;
};

/// Kernel and distance summed once for every pair of sessions: any weighting of sessions then costs their
/// number squared, whatever the number of vectors.
class KernelSums {
  public:
    /// Bandwidth above 0.
    KernelSums(const PairDistances& pairs, double bandwidth);

    /// Session s counts left[s] times on one side and right[s] times on the other, whole numbers. Nothing
    /// where a side has fewer than two vectors.
    std::optional<KernelDistances> compare(std::span<const double> left, std::span<const double> right) const;

  private:
    std::size_t sessions_;
    std::vector<double> vectors_;            ///< of each session
    std::vector<double> kernel_, distance_;  ///< sessions x sessions
};

/// The squared maximum mean discrepancy estimated in one pass over pairs of neighbours, whatever the number
/// of vectors: mean over i of k(x_2i,x_2i+1) + k(y_2i,y_2i+1) - k(x_2i,y_2i+1) - k(x_2i+1,y_2i). Unbiased;
/// much noisier than KernelDistances::mmd of as many vectors. `left` and `right` are rows of `points`,
/// repeated or not, and should be in random order; what the longer list has more is left out. Gretton et al.,
/// JMLR 13, 2012, lemma 14. Throws std::invalid_argument where a side has fewer than two rows.
double mmd_linear(const Points& points, std::span<const std::uint32_t> left,
                  std::span<const std::uint32_t> right, double bandwidth);

}  // namespace tracebench
