#pragma once
/// Metric values as the store keeps them.

#include <nlohmann/json.hpp>

#include "metrics/metric.h"

namespace tracebench {

nlohmann::json to_json(const MetricValue& value);
MetricValue metric_value(const nlohmann::json& json);

/// A number, or null for NaN and infinity, and back: JSON has neither.
nlohmann::json number(double value);
double number(const nlohmann::json& json);

}  // namespace tracebench
