#pragma once
/// A number of a training record that may not be there: null in JSON.

#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "generators/checked_json.h"

namespace tracebench {

inline nlohmann::json optional_number(const std::optional<double>& number) {
    return number ? nlohmann::json(*number) : nlohmann::json();
}

/// Nothing where the member is missing or null. Throws InputError where it is anything else than a number in
/// [-max_magnitude, max_magnitude].
inline std::optional<double> optional_number(const CheckedJson& object, std::string_view key,
                                             double max_magnitude) {
    const auto member = object.find(key);
    if (!member || member->value().is_null()) return std::nullopt;
    return member->number(-max_magnitude, max_magnitude);
}

}  // namespace tracebench
