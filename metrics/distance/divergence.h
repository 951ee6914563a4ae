#pragma once
/// Distances between two discrete distributions given as masses over the same bins.
///
/// All take two spans of equal length with weights that are finite and not negative; each side is divided
/// by its own sum first, so counts may be passed as they are. All are unchanged when both sides' bins are
/// permuted alike, and all but kullback_leibler() are symmetric, 0 only for equal distributions and 1 for
/// disjoint ones.
/// They throw std::invalid_argument where the lengths differ or a side has no mass: there is no distance
/// to nothing, and a caller has to say what that means.

#include <span>

namespace tracebench {

/// Jensen-Shannon divergence in bits, 0..1: H((p+q)/2) - (H(p)+H(q))/2. The divergence, not its square root.
/// Lin, "Divergence measures based on the Shannon entropy", IEEE Trans. Inf. Theory 37(1), 1991.
double jensen_shannon(std::span<const double> p, std::span<const double> q);

/// Total variation distance, 0..1: half the sum of |p_i - q_i|; the largest difference in probability that
/// any event has.
double total_variation(std::span<const double> p, std::span<const double> q);

/// Hellinger distance, 0..1: sqrt(sum (sqrt p_i - sqrt q_i)^2 / 2).
double hellinger(std::span<const double> p, std::span<const double> q);

/// Symmetric chi-square distance, 0..1: 1/2 sum (p_i - q_i)^2 / (p_i + q_i), bins that neither side has left
/// out. For equally many observations n on either side it is Pearson's two-sample statistic over 2n: the
/// statistic itself grows with n, this does not. Le Cam, "Asymptotic Methods in Statistical Decision Theory",
/// 1986; Topsoe, IEEE Trans. Inf. Theory 46(4), 2000 (twice it is his triangular discrimination).
double chi_square(std::span<const double> p, std::span<const double> q);

/// Kullback-Leibler divergence of p from q in bits, 0..: sum p_i log2(p_i / q_i). Takes counts: half an
/// observation is added to every bin that either side has, on both sides, so that it is finite (Krichevsky
/// and Trofimov, IEEE Trans. Inf. Theory 27(2), 1981: the mean under Jeffreys' prior). What synthetic data
/// never has therefore costs about log2 of its number of observations. Not symmetric. Equal shares of
/// different totals are not quite at 0. Kullback and Leibler, Ann. Math. Statist. 22(1), 1951.
double kullback_leibler(std::span<const double> p, std::span<const double> q);

}  // namespace tracebench
