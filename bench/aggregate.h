#pragma once
/// From per-seed values to rows of a run record: means over seeds, hierarchical intervals, scores.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "metrics/metric.h"
#include "reports/run_record.h"

namespace tracebench {

/// Values of one measure on one group, one a seed, in seed order.
struct SeedValues {
    std::string dataset, generator;
    int version = 1;
    std::vector<MetricValue> seeds;
};

/// 95% interval of the mean over seeds: each replicate draws seeds with replacement, then one bootstrap
/// replicate of each drawn seed, so both the run-to-run and the session-to-session variation are in it.
/// {NaN, NaN} where a seed has no replicates.
std::pair<double, double> hierarchical_interval(const std::vector<std::vector<double>>& replicates,
                                                std::uint64_t random_seed);

/// Mean over seeds with interval, floor, ceiling and score. Failed when any seed failed: the reason says which.
MetricRow aggregate(const SeedValues& values);

/// How far `value` is from the floor (0) to the ceiling (1); NaN where either is missing or they coincide.
double normalised_score(double value, double floor, double ceiling);

/// Score rows (`metric` "score") of one dataset and generator: one an area and `overall`, their plain mean.
/// Values that are not `in_score` are left out. Within an area a group's measures are averaged first, then the
/// groups, each measure's score held within [-1, 2] so that one field cannot decide alone. Privacy is left out of
/// `overall`: it is no fidelity.
std::vector<MetricRow> score_rows(const std::vector<SeedValues>& all);

}  // namespace tracebench
