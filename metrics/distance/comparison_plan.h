#pragma once
/// Which sessions are drawn for the intervals and floors of one comparison: the same for everything measured
/// on it, so that values can be compared replicate by replicate.

#include "metrics/metric.h"
#include "metrics/resampling.h"

namespace tracebench {

/// Needs the session labels of real_train, real_heldout and synthetic. `input` must outlive it.
struct ComparisonPlan {
    static constexpr std::size_t floor_splits = 32;

    const MetricInput& input;
    Bootstrap real;       ///< of held-out sessions
    Bootstrap synthetic;  ///< of synthetic sessions
    RandomSplits splits;  ///< of the pool: train sessions, then held-out ones

    explicit ComparisonPlan(const MetricInput& wanted);

    /// The real sessions drawn depend neither on the generator nor on the seed.
    std::uint64_t floor_seed() const;
    std::uint64_t real_seed() const;
    std::uint64_t synthetic_seed() const;
};

}  // namespace tracebench
