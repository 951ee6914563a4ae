#pragma once
/// Fields as the report plots them: shares of categories, CDFs of numbers. Shapes are in docs/results.md.

#include <nlohmann/json.hpp>

#include "metrics/observations.h"
#include "metrics/value_counts.h"

namespace tracebench {

/// `{field: {"kind","log" or "categories","real"}}` for every field that occurs. The categories are the most
/// frequent ones (at most 12), and "other" where there are more.
nlohmann::json describe_distributions(const Observations& real);

/// `{field: [share, ...] or {"x","p"}}` for every field that occurs in `synthetic`; shares are of `real`'s
/// categories and "other", which also takes what real samples never have.
nlohmann::json describe_distributions(const Observations& synthetic, const Observations& real);

/// Points (x, share of values <= x) of an empirical CDF, at most 100: every value where there are as few,
/// else evenly spread ranks. Values as sorted_counts() gives them; null where there are none.
nlohmann::json cumulative(std::span<const ValueCount> counts);

}  // namespace tracebench
