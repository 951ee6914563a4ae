#pragma once
/// How one measured value changed between two runs.

#include <string>
#include <vector>

#include "reports/run_record.h"

namespace tracebench {

/// Mean difference b - a with its 95% interval; NaN where there is none.
struct Difference {
    double value = 0;
    double ci95[2] = {0, 0};
    bool paired = false;  ///< seed by seed
};

/// Student's interval over differences seed by seed where both sides have the same number (two or more) of
/// finite values, Welch's where both have two or more, else none. All values NaN where a side is empty.
Difference seed_difference(const std::vector<double>& a, const std::vector<double>& b);

/// Of one metric row: better, worse (the interval excludes 0), unclear, same (equal values), not_comparable
/// (a side was not measured, or versions of the metric differ).
struct Change {
    const MetricRow* a = nullptr;  ///< nullptr: only in b
    const MetricRow* b = nullptr;  ///< nullptr: only in a
    Difference difference;
    std::string outcome;  ///< as above, or only_a, only_b
    std::string reason;   ///< of not_comparable
    const MetricRow& either() const { return a != nullptr ? *a : *b; }
};

/// Every row of either record, matched by dataset, generator, metric and group; worse first, then better,
/// unclear, not_comparable, only_a, only_b, same, each by size of the change in score. Rows of a dataset
/// whose content differs between the records are not comparable. Points into the records.
std::vector<Change> compare_metrics(const RunRecord& a, const RunRecord& b);

/// What a reader must know before the numbers: other data, another manifest (and where), another tool.
std::vector<std::string> comparison_warnings(const RunRecord& a, const RunRecord& b);

}  // namespace tracebench
