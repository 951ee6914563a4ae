#pragma once
/// Values of any kind with what is known of them: interval, noise floor and ceiling, as docs/metrics.md has
/// them, for whatever can be measured on weighted sessions.

#include <string>
#include <vector>

#include "metrics/distance/comparison_plan.h"
#include "metrics/distance/session_resamples.h"

namespace tracebench {

/// Two sets of sessions, made ready to be compared under any weighting: those of `left` are numbered first.
struct MeasuredSets {
    SessionMeasure measure;
    std::size_t left = 0, right = 0;  ///< sessions on either side
};

/// Every session of the left once against every session of the right once; what the measure gives.
std::optional<std::vector<double>> all_against_all(const SessionMeasure& measure, std::size_t left,
                                                   std::size_t right);

/// One kind of value, measured together with others.
struct ValueKind {
    MeasuredValue measured;
    /// The least that a ceiling must be above the floor to be told from it; infinity: there is no ceiling.
    double resolution = 0.02;
};

struct CalibratedValue {
    double value = 0;
    double floor = 0, ceiling = 0;  ///< NaN where there is none
    std::vector<double> replicates;
    bool measured = false;  ///< both sides had something to measure; else `value` means nothing
};

/// Held-out sessions against synthetic ones, calibrated by real against real (train sessions, then held-out
/// ones, both in `pool.left`) and held-out against ceiling samples. One entry a kind.
std::vector<CalibratedValue> calibrate_values(const ComparisonPlan& plan, const std::vector<ValueKind>& kinds,
                                              const MeasuredSets& synthetic, const MeasuredSets& pool,
                                              const MeasuredSets& ceiling);

}  // namespace tracebench
