#pragma once
/// Checks a JSON document against a JSON Schema (draft 7) and reports the first fault as an InputError.

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace tracebench {

/// Throws InputError(name, "/datasets/0/unit: ...", ...).
void check_schema(const nlohmann::json& document, const nlohmann::json& schema, const std::string& name);

/// Parses text as JSON; throws InputError with line and column. Nesting deeper than 100 is refused.
nlohmann::json parse_json(const std::string& text, const std::string& name);

}  // namespace tracebench
