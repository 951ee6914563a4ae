#pragma once
/// The families of measures that metric `joint` has. Each is documented where it is computed.

#include "metrics/joint/joint_family.h"
#include "metrics/joint/mutual_information.h"

namespace tracebench {

/// Nearest neighbours that make a ball (Naeem et al. 2020 take 5).
inline constexpr std::size_t joint_neighbours = 5;
/// Directions of the sliced Wasserstein distance, the same in every comparison.
inline constexpr std::size_t joint_directions = 64;

/// `mmd` and `energy`; `sliced_wasserstein`; `precision`, `recall`, `density` and `coverage`;
/// `rank_correlation`. What costs pairs of vectors or sorting.
std::vector<JointFamily> pairwise_families(double bandwidth, std::size_t width);
/// `mmd_linear`, `frechet` and `correlation`: whatever the number of vectors.
std::vector<JointFamily> linear_families(double bandwidth);
/// `correlation` alone, and `rank_correlation` alone, outside of the score.
JointFamily correlation_family();
JointFamily rank_correlation_family();
/// `mutual_information`, of vectors that are not standardised.
JointFamily information_family(const Classes& classes);

}  // namespace tracebench
