#include "reports/gate_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "reports/text.h"

namespace tracebench {
namespace {

/// Worst first; the order of the Markdown table.
constexpr std::array<std::string_view, 6> outcomes = {"regression",   "missing",  "not_comparable",
                                                      "inconclusive", "improved", "pass"};

std::size_t rank(const GateFinding& finding) {
    return static_cast<std::size_t>(std::find(outcomes.begin(), outcomes.end(), finding.outcome) -
                                    outcomes.begin());
}

bool is_failure(const GateFinding& finding) {
    return rank(finding) < 3;
}

std::string name_of(const GateFinding& finding) {
    return finding.group.empty() ? finding.metric : finding.metric + " " + finding.group;
}

std::string difference(const GateFinding& finding) {
    std::string out = signed_number(finding.current - finding.baseline);
    if (std::isfinite(finding.ci95[0]) && std::isfinite(finding.ci95[1]))
        out += fmt::format(" [{}, {}]", signed_number(finding.ci95[0]), signed_number(finding.ci95[1]));
    return out;
}

std::string facts(const GateFinding& finding) {
    std::string out =
        fmt::format("baseline {}, now {}, change {}{}{}; {} is better", format_number(finding.baseline),
                    format_number(finding.current), difference(finding), finding.unit.empty() ? "" : " ",
                    finding.unit, finding.lower_is_better ? "lower" : "higher");
    if (std::isfinite(finding.tolerance)) out += ", tolerance " + format_number(finding.tolerance);
    return out;
}

std::string junit_case(const std::string& suite, const GateFinding& finding) {
    std::string out = fmt::format("    <testcase classname=\"{}\" name=\"{}\"", escape_xml(suite),
                                  escape_xml(name_of(finding)));
    if (is_failure(finding))
        return out +
               fmt::format(">\n      <failure type=\"{}\" message=\"{}\">{}</failure>\n    </testcase>\n",
                           escape_xml(finding.outcome), escape_xml(finding.message),
                           escape_xml(facts(finding)));
    if (finding.outcome == "inconclusive")
        return out + fmt::format(">\n      <skipped message=\"{}\"/>\n    </testcase>\n",
                                 escape_xml("inconclusive: " + finding.message));
    return out + "/>\n";
}

}  // namespace

std::string render_junit(const GateSummary& summary, const std::vector<GateFinding>& findings) {
    std::map<std::string, std::vector<const GateFinding*>> suites;
    for (const GateFinding& finding : findings)
        suites[finding.dataset + " / " + finding.generator].push_back(&finding);
    const auto failures = std::count_if(findings.begin(), findings.end(), is_failure);
    const auto skipped = std::count_if(findings.begin(), findings.end(),
                                       [](const auto& finding) { return finding.outcome == "inconclusive"; });
    std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
    out += fmt::format(
        "<testsuites name=\"tracebench check\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\" "
        "time=\"{:.3f}\">\n",
        findings.size(), failures, skipped, summary.seconds);
    for (const auto& [name, cases] : suites) {
        const auto failed =
            std::count_if(cases.begin(), cases.end(), [](const auto* one) { return is_failure(*one); });
        const auto undecided = std::count_if(cases.begin(), cases.end(),
                                             [](const auto* one) { return one->outcome == "inconclusive"; });
        out += fmt::format(
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\">\n",
            escape_xml(name), cases.size(), failed, undecided);
        for (const GateFinding* finding : cases) out += junit_case(name, *finding);
        out += "  </testsuite>\n";
    }
    return out + "</testsuites>\n";
}

std::string render_gate_markdown(const GateSummary& summary, const std::vector<GateFinding>& findings,
                                 std::size_t max_rows) {
    std::string out = fmt::format("# tracebench: {}\n\n{}\n\n", escape_markdown(summary.outcome),
                                  escape_markdown(summary.sentence));
    out += fmt::format("`{}` against baseline `{}`: {} metrics compared", code_span(summary.results),
                       code_span(summary.baseline), findings.size());
    for (const std::string_view outcome : outcomes) {
        const auto count = std::count_if(findings.begin(), findings.end(),
                                         [&](const auto& f) { return f.outcome == outcome; });
        if (count > 0)
            out += fmt::format(", {} {}", count, outcome == "not_comparable" ? "not comparable" : outcome);
    }
    out += ".\n";

    std::vector<const GateFinding*> shown;
    for (const GateFinding& finding : findings)
        if (finding.outcome != "pass") shown.push_back(&finding);
    if (shown.empty()) return out;
    std::stable_sort(shown.begin(), shown.end(),
                     [](const auto* a, const auto* b) { return rank(*a) < rank(*b); });
    out +=
        "\n| outcome | dataset | generator | metric | baseline | now | change [95 % interval] | why |\n"
        "| --- | --- | --- | --- | ---: | ---: | --- | --- |\n";
    for (std::size_t i = 0; i < std::min(max_rows, shown.size()); ++i) {
        const GateFinding& finding = *shown[i];
        out += fmt::format("| {} | {} | {} | {} | {} | {} | {} | {} |\n", escape_markdown(finding.outcome),
                           escape_markdown(finding.dataset), escape_markdown(finding.generator),
                           escape_markdown(name_of(finding)), format_number(finding.baseline),
                           format_number(finding.current), difference(finding),
                           escape_markdown(finding.message));
    }
    if (shown.size() > max_rows)
        out += fmt::format("\n{} more rows are in the JUnit file.\n", shown.size() - max_rows);
    return out;
}

}  // namespace tracebench
