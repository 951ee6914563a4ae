#pragma once
/// Means and covariances of two sets of vectors, and what is compared of them.

#include <optional>
#include <span>
#include <vector>

#include "metrics/joint/points.h"

namespace tracebench {

/// A multivariate normal distribution.
struct Gaussian {
    std::vector<double> mean;
    std::vector<double> covariance;  ///< row by row
    double n = 0;                    ///< vectors it was fitted to
};

/// Squared Frechet distance (of order 2, which is also the squared Wasserstein-2 distance), 0..:
/// |m_a - m_b|^2 + tr(C_a + C_b - 2 (C_a C_b)^(1/2)). Dowson and Landau, J. Multivariate Anal. 12(3), 1982;
/// with an image network's features it is the FID of Heusel et al., NeurIPS 2017. Covariances must be
/// symmetric; what rounding leaves of negative eigenvalues counts as 0. Throws std::invalid_argument for
/// different widths.
double frechet_distance(const Gaussian& a, const Gaussian& b);

/// Mean of |r_a - r_b| over all pairs of features, 0..2, r the correlation. A pair with a feature that is
/// constant (variance up to 1e-10) on one side has correlation 0 there; constant on both sides, it is left
/// out. Nothing where no pair is left. Throws std::invalid_argument for different widths.
std::optional<double> correlation_difference(const Gaussian& a, const Gaussian& b);

/// Sums of powers of every session, so that any weighting of sessions costs as many sums as there are
/// sessions.
class SessionMoments {
  public:
    explicit SessionMoments(const Points& points);

    /// The fit to the vectors with every session counted weights[s] times; covariance with n - 1. Nothing
    /// with fewer than two vectors. Best for vectors of about unit scale: sums are not shifted.
    std::optional<Gaussian> fit(std::span<const double> weights) const;

  private:
    std::size_t width_, sessions_;
    /// Of each session: number, sums, sums of products (upper triangle, row by row).
    std::vector<double> sums_;
    std::size_t stride_;
};

}  // namespace tracebench
