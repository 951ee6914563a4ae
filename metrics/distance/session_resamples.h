#pragma once
/// Spread and noise floor of any set of values that weighted sessions have: the resampling behind intervals
/// and floors, whatever is measured.

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "metrics/resampling.h"

namespace tracebench {

/// One of the values measured together.
struct MeasuredValue {
    /// The largest it can be.
    double highest = 1;
    /// Grows with the squared differences of probabilities, as divergences do; else with the differences.
    bool divergence = false;
    /// The least it can be.
    double lowest = 0;
    /// All of it is noise where both sides are alike, so it shrinks towards 0 with the number of sessions.
    /// False of shares that stay where they are, as precision and recall do.
    bool vanishes = true;
};

/// Values where session s counts left[s] times on one side and right[s] times on the other, always as many.
/// Nothing where a side has nothing to measure.
using SessionMeasure = std::function<std::optional<std::vector<double>>(std::span<const double> left,
                                                                        std::span<const double> right)>;

/// Which sessions are resampled: those of `a` are numbered first, then those of `b`. The seeds are separate
/// so that the resamples of one side can be shared between comparisons.
struct TwoSides {
    const Bootstrap& a;
    const Bootstrap& b;
    std::size_t a_sessions = 0, b_sessions = 0;
    std::uint64_t a_seed = 0, b_seed = 0;
};

/// One list of `count` numbers a value: the measure on session-level resamples of both sides, recentred on
/// `values` (see recentred()). The lists are empty where a side has fewer than two sessions, or where a
/// resample left a side with nothing to measure.
std::vector<std::vector<double>> bootstrap_values(const SessionMeasure& measure,
                                                  std::span<const double> values,
                                                  std::span<const MeasuredValue> kinds, const TwoSides& sides,
                                                  std::size_t count);

struct ValueFloor {
    double mean = 0;
    double deviation = 0;  ///< sample standard deviation over the splits
};

/// One floor a value: the mean between random disjoint parts of a pool of real sessions, scaled to the sizes
/// wanted where the pool was too small for them (see RandomSplits). NaN where fewer than half of the splits,
/// or fewer than two, could be measured.
std::vector<ValueFloor> floor_of_values(const SessionMeasure& measure, std::span<const MeasuredValue> kinds,
                                        const RandomSplits& splits, std::size_t pool_sessions,
                                        std::uint64_t seed, std::size_t count);

}  // namespace tracebench
