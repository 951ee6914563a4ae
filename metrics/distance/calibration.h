#pragma once
/// What is known of a field's distances beyond their value: spread, noise floor, and what knowing nothing
/// costs.

#include <array>
#include <vector>

#include "metrics/distance/field_comparison.h"
#include "metrics/resampling.h"

namespace tracebench {

/// One list of numbers a measure.
using DistanceLists = std::array<std::vector<double>, measure::count>;

/// Distances on `count` session-level resamples of both sides, recentred (see recentred()). All lists are
/// empty where a side has fewer than two sessions, or where a resample left a side without observations: the
/// field occurs in too few sessions then. The seeds are separate so that the resamples of one side
/// can be shared between comparisons.
DistanceLists bootstrap_distances(const FieldComparison& comparison, const Bootstrap& a, const Bootstrap& b,
                                  std::uint64_t a_seed, std::uint64_t b_seed, std::size_t count);

struct NoiseFloor {
    Distances mean;       ///< NaN where there is none
    Distances deviation;  ///< sample standard deviation over the splits
};

/// Mean distance between random disjoint parts of the pooled real sessions; `real` compares any two parts of
/// the pool, so it holds the pool's sessions in the order of the splits. Scaled to the sizes wanted where
/// the pool was too small for them. NaN where fewer than half of the splits could be compared.
NoiseFloor noise_floor(const FieldComparison& real, const RandomSplits& splits, std::uint64_t seed,
                       std::size_t count);

/// What a model would draw that knows a field's support in `real` and nothing else, as one session: each
/// code once; numbers evenly spread from the smallest to the largest, on a logarithmic axis where the field
/// has one (0 then counts as one decade). Empty where `real` is.
Column know_nothing(const Column& real);

}  // namespace tracebench
