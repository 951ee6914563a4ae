#pragma once
/// Dynamic time warping of two series of numbers.
///
/// Sakoe and Chiba, IEEE Trans. ASSP 26(1), 1978, with the symmetric step pattern P = 0 (a diagonal step
/// counts twice) and local cost |a_i - b_j|; the sum along the best path over the sum of both lengths, so
/// that distances of series of different lengths can be compared. As `symmetric2` with `normalizedDistance`
/// of the packages dtw (R) and dtw-python (Giorgino, J. Statistical Software 31(7), 2009).

#include <cstddef>
#include <limits>
#include <span>

namespace tracebench {

/// 0 for equal series, less than the largest local cost, symmetric. With n the longer length and m the
/// shorter, cell (i, j), counted from 1, is looked at where |j - i m/n| < band + 1: the band follows the
/// diagonal. Infinity where the distance is at least `limit`, which saves the rest of the work, or where one
/// series alone is empty; 0 where both are.
double dtw_distance(std::span<const float> a, std::span<const float> b, std::size_t band,
                    double limit = std::numeric_limits<double>::infinity());

}  // namespace tracebench
