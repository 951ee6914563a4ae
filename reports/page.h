#pragma once
/// One self-contained HTML page from its parts.

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace tracebench {

/// `body` is trusted markup, `script` trusted code; `title` and `data` are not and are escaped. The page's
/// Content-Security-Policy allows its own scripts by hash and no request at all.
std::string assemble_page(std::string_view title, std::string_view body, std::string_view script,
                          const nlohmann::json& data);

/// `value` with every number of it rounded to `digits` significant digits, for a smaller page.
nlohmann::json rounded(nlohmann::json value, int digits);

}  // namespace tracebench
