#pragma once
/// What a regression gate found, for machines (JUnit XML) and people (Markdown).

#include <limits>
#include <string>
#include <vector>

namespace tracebench {

/// The comparison of one metric with its baseline.
struct GateFinding {
    std::string dataset, generator, metric, group;
    double baseline = std::numeric_limits<double>::quiet_NaN();  ///< NaN where there is none
    double current = std::numeric_limits<double>::quiet_NaN();   ///< NaN where there is none
    /// 95% interval of `current - baseline`, in the metric's unit; NaN where there is none.
    double ci95[2] = {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::quiet_NaN()};
    double tolerance = std::numeric_limits<double>::quiet_NaN();  ///< change that is let pass; NaN: not said
    bool lower_is_better = true;
    std::string unit;
    /// pass, improved, regression, inconclusive, missing (in the baseline only), not_comparable.
    std::string outcome = "pass";
    std::string message;  ///< one sentence: what changed and why that is the outcome
};

struct GateSummary {
    std::string outcome;   ///< pass, regression, inconclusive or not_comparable: what the exit code says
    std::string sentence;  ///< the same for people
    std::string results;   ///< name of the run record that was checked
    std::string baseline;  ///< name of the baseline record
    double seconds = 0;    ///< time the check took
};

/// One <testsuite> a dataset and generator, one <testcase> a metric and group. Regressions, missing and not
/// comparable metrics are failures; inconclusive ones are skipped. Valid XML 1.0 in UTF-8 whatever the names
/// hold (characters XML forbids become U+FFFD).
std::string render_junit(const GateSummary& summary, const std::vector<GateFinding>& findings);

/// A verdict, a table of what is not a plain pass (worst first, at most `max_rows` and a line that says how
/// many more), and counts. Names are escaped for GitHub-flavoured Markdown.
std::string render_gate_markdown(const GateSummary& summary, const std::vector<GateFinding>& findings,
                                 std::size_t max_rows = 50);

}  // namespace tracebench
