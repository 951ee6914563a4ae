#pragma once
/// Distances between two discrete distributions given as masses over the same bins.
///
/// All take two spans of equal length with weights that are finite and not negative; each side is divided
/// by its own sum first, so counts may be passed as they are. All are symmetric, 0 only for equal
/// distributions and 1 for disjoint ones, and unchanged when both sides' bins are permuted alike.
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

}  // namespace tracebench
