#pragma once
/// All there is to say of one field of two sets of samples, without a generator, a train split or a ceiling:
/// what the verb `distance` prints.

#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "metrics/distance/calibration.h"

namespace tracebench {

struct FieldReport {
    FieldInfo info;
    std::size_t n_real = 0, n_synthetic = 0;
    /// Nothing where the field occurs on one side only: the bounded measures then count as 1.
    std::optional<Distances> distances;
    /// Nothing where there are too few sessions (see bootstrap_distances()).
    std::optional<std::array<Interval, measure::count>> intervals;
    /// Between random halves of the real sessions, at the sizes compared; nothing with fewer than four.
    std::optional<Distances> floor;
    std::vector<double> edges;            ///< of numeric bins; empty for categories
    std::vector<std::string> categories;  ///< of categorical bins
    std::vector<double> real_counts,
        synthetic_counts;  ///< numeric: the first is the underflow, the last the overflow

    /// Of a bounded measure.
    double value(std::size_t m) const { return distances ? (*distances)[m] : 1.0; }
    /// As docs and interface have it: {"field","kind","n","jsd",...,"ci95","noise_floor","bins"}; null for
    /// the measures that the field does not have.
    nlohmann::json to_json() const;
};

struct ReportOptions {
    std::size_t bootstrap = 200;
    std::uint64_t seed = 1;
};

/// One label a session of either side, for resampling and the floor; both sides should have the same labels.
/// `names` maps the codes of a categorical column to text; empty: category_name().
/// Throws std::invalid_argument where neither side has a value.
FieldReport report_field(const Column& real, std::span<const std::string> real_labels,
                         const Column& synthetic, std::span<const std::string> synthetic_labels,
                         const ReportOptions& options, const std::vector<std::string>& names = {});

}  // namespace tracebench
