#pragma once
/// Files carried inside the executable; see assets.cpp.in.

#include <string_view>

namespace tracebench::assets {

std::string_view results_schema();  ///< reports/results.schema.json

}  // namespace tracebench::assets
