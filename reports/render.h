#pragma once
/// What is rendered from run records.

#include <string>

#include "reports/run_record.h"

namespace tracebench {

/// One self-contained page: ECharts and data inlined, no request to anywhere.
std::string render_html(const RunRecord& record);
/// Two runs side by side.
std::string render_comparison_html(const RunRecord& a, const RunRecord& b, const std::string& name_a,
                                   const std::string& name_b);
std::string render_comparison_markdown(const RunRecord& a, const RunRecord& b, const std::string& name_a,
                                       const std::string& name_b);
nlohmann::json comparison_json(const RunRecord& a, const RunRecord& b);

}  // namespace tracebench
