#pragma once
/// Files carried inside the executable, so that a report needs nothing beside it.

#include <string_view>

namespace tracebench::assets {

std::string_view results_schema();  ///< results.schema.json
std::string_view page_html();       ///< what every page is put into
std::string_view style_css();
std::string_view echarts_js();   ///< Apache ECharts, as npm ships it
std::string_view library_js();   ///< formats, elements, tables, charts: shared by both pages
std::string_view report_html();  ///< body of the report
std::string_view report_js();    ///< its sections, and what draws them
std::string_view comparison_html();
std::string_view comparison_js();

}  // namespace tracebench::assets
