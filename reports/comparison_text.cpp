// Two runs side by side for people: Markdown, and the page that comparison.js draws.

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "reports/assets.h"
#include "reports/comparison.h"
#include "reports/page.h"
#include "reports/render.h"
#include "reports/text.h"

namespace tracebench {
namespace {

using nlohmann::json;

constexpr std::size_t max_rows = 50;

std::string score_cell(const json& entry) {
    if (entry.is_null() || !entry["score"].is_number()) return "-";
    std::string out = fmt::format("{:.2f}", entry["score"].get<double>());
    const json interval = entry.value("ci95", json());
    if (interval.is_array() && interval[0].is_number() && interval[1].is_number())
        out += fmt::format(" [{:.2f}, {:.2f}]", interval[0].get<double>(), interval[1].get<double>());
    return out;
}

std::string change_row(const Change& change) {
    const MetricRow& row = change.either();
    std::string difference = signed_number(change.difference.value);
    if (std::isfinite(change.difference.ci95[0]))
        difference += fmt::format(" [{}, {}]", signed_number(change.difference.ci95[0]),
                                  signed_number(change.difference.ci95[1]));
    return fmt::format("| {} | {} | {} | {} {} | {} | {} | {} |\n", change.outcome,
                       escape_markdown(row.dataset), escape_markdown(row.generator),
                       escape_markdown(row.metric), escape_markdown(row.group),
                       change.a == nullptr ? "-" : format_number(change.a->value),
                       change.b == nullptr ? "-" : format_number(change.b->value), difference);
}

}  // namespace

std::string render_comparison_markdown(const RunRecord& a, const RunRecord& b, const std::string& name_a,
                                       const std::string& name_b) {
    const json comparison = comparison_json(a, b);
    std::string out =
        fmt::format("# tracebench comparison\n\nA: `{}`, B: `{}`.\n\n", code_span(name_a), code_span(name_b));
    for (const std::string& warning : comparison_warnings(a, b))
        out += "> **Note:** " + escape_markdown(warning) + "\n\n";
    const json& counts = comparison["counts"];
    out += fmt::format(
        "{} worse, {} better, {} unclear, {} the same, {} not comparable, {} only in A, {} only in B.\n",
        counts["worse"].get<int>(), counts["better"].get<int>(), counts["unclear"].get<int>(),
        counts["same"].get<int>(), counts["not_comparable"].get<int>(), counts["only_a"].get<int>(),
        counts["only_b"].get<int>());
    out += "\n| dataset | generator | score A | score B |\n| --- | --- | --- | --- |\n";
    for (const json& row : comparison["leaderboard"])
        out += fmt::format("| {} | {} | {} | {} |\n", escape_markdown(row["dataset"].get<std::string>()),
                           escape_markdown(row["generator"].get<std::string>()), score_cell(row["a"]),
                           score_cell(row["b"]));

    std::string rows;
    std::size_t shown = 0, left = 0;
    const std::vector<Change> changes = compare_metrics(a, b);
    for (const Change& change : changes) {
        if (change.outcome == "same" || change.outcome == "unclear") continue;
        if (++shown > max_rows)
            ++left;
        else
            rows += change_row(change);
    }
    if (shown == 0) return out;
    out +=
        "\n| outcome | dataset | generator | metric | A | B | B - A [95 % interval] |\n"
        "| --- | --- | --- | --- | ---: | ---: | --- |\n" +
        rows;
    if (left > 0) out += fmt::format("\n{} more rows: see the HTML or --json.\n", left);
    return out;
}

std::string render_comparison_html(const RunRecord& a, const RunRecord& b, const std::string& name_a,
                                   const std::string& name_b) {
    json data = rounded(comparison_json(a, b), 7);
    data["name_a"] = name_a;
    data["name_b"] = name_b;
    return assemble_page("tracebench comparison", assets::comparison_html(), assets::comparison_js(), data);
}

}  // namespace tracebench
