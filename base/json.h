#pragma once
/// JSON from outside: parsed within bounds and checked against a JSON Schema, with errors that name the
/// place.

#include <nlohmann/json_fwd.hpp>
#include <string_view>

namespace tracebench {

/// Parses one document. Throws InputError naming line and column when `text` is not JSON or is nested deeper
/// than 64 levels (what follows may recurse over it).
nlohmann::json parse_json(std::string_view text, std::string_view name);

/// Checks `document` against `schema` (JSON Schema draft 7; `$ref` only to `#/definitions/...`).
/// Throws InputError with the JSON pointer of the first violation, what is there and what was expected:
/// `lab.json: /split/train is "half"; expected number`.
void check_schema(const nlohmann::json& document, const nlohmann::json& schema, std::string_view name);

}  // namespace tracebench
