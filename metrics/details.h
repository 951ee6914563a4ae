#pragma once
/// What the report plots: each metric's details put together for one dataset (docs/results.md).

#include <nlohmann/json.hpp>
#include <span>
#include <string>

namespace tracebench {

/// Adds what a metric's describe_real() gave. Null adds nothing.
void merge_real_details(nlohmann::json& dataset, const nlohmann::json& real);

/// Adds what a metric's evaluate() gave in `details` for one generator: under "generators"/NAME of every
/// key, and of every field for "distributions" (fields that real samples do not have are left out). Null adds
/// nothing. Details of a generator that is there already are replaced.
void merge_generator_details(nlohmann::json& dataset, const std::string& generator,
                             const nlohmann::json& details);

/// Six significant digits: what a plot needs, in fewer bytes.
double rounded(double value);
nlohmann::json rounded(std::span<const double> values);

}  // namespace tracebench
