#pragma once
/// What is rendered from run records.

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "reports/run_record.h"

namespace tracebench {

/// One self-contained page: ECharts and data inlined, no request to anywhere (its policy forbids them). All
/// text of the record is data: it can never become markup or script. Plotted numbers are kept to 7 digits.
std::string render_html(const RunRecord& record);

/// Two runs side by side; `a` is the earlier or reference one. Names are what the user called them.
std::string render_comparison_html(const RunRecord& a, const RunRecord& b, const std::string& name_a,
                                   const std::string& name_b);
std::string render_comparison_markdown(const RunRecord& a, const RunRecord& b, const std::string& name_a,
                                       const std::string& name_b);

/// {"schema_version","a","b","warnings":[text],"leaderboard":[{"dataset","generator","a","b"}] (entries of
/// either record or null),"counts":{outcome:
/// n},"changes":[{"dataset","generator","metric","group","area","unit",
/// "direction","a","b","difference","ci95","score_a","score_b","seeds","paired","outcome","reason"}]}.
///
/// `difference` is b - a. Its 95% interval is Student's, over differences seed by seed where both runs have
/// the same number of seeds (paired), Welch's otherwise, null with fewer than two seeds. `outcome`: better or
/// worse (the interval excludes 0), unclear, same (equal values), only_a, only_b, not_comparable (one side
/// failed, or versions of the metric differ). Worst first: worse by score change, then the others.
nlohmann::json comparison_json(const RunRecord& a, const RunRecord& b);

}  // namespace tracebench
