#include "metrics/details.h"

#include <cmath>

namespace tracebench {

void merge_real_details(nlohmann::json& dataset, const nlohmann::json& real) {
    if (real.is_object()) dataset.update(real, true);
}

void merge_generator_details(nlohmann::json& dataset, const std::string& generator,
                             const nlohmann::json& details) {
    if (!details.is_object()) return;
    for (const auto& [key, value] : details.items()) {
        if (key != "distributions") {
            dataset[key]["generators"][generator] = value;
            continue;
        }
        for (const auto& [field, distribution] : value.items())
            if (dataset.contains("distributions") && dataset["distributions"].contains(field))
                dataset["distributions"][field]["generators"][generator] = distribution;
    }
}

double rounded(double value) {
    if (value == 0 || !std::isfinite(value)) return value;
    const double scale = std::pow(10, 5 - static_cast<int>(std::floor(std::log10(std::abs(value)))));
    // Dividing by a power of ten gives the shortest digits; past its range the value stays as it is.
    if (!std::isfinite(scale) || scale == 0) return value;
    return scale >= 1 ? std::round(value * scale) / scale : std::round(value * scale) * std::round(1 / scale);
}

nlohmann::json rounded(std::span<const double> values) {
    nlohmann::json list = nlohmann::json::array();
    for (const double value : values) list.push_back(rounded(value));
    return list;
}

}  // namespace tracebench
