#pragma once
/// The table of flow and session statistics.

#include <nlohmann/json.hpp>

#include "metrics/observations.h"

namespace tracebench {

/// `[{"name","title","unit"}]`: the continuous flow and session fields.
nlohmann::json describe_statistics();

/// `{name: {"mean","p5","p50","p95"}}` of each that occurs; percentiles are linear between order statistics.
nlohmann::json summarise_statistics(const Observations& observations);

}  // namespace tracebench
