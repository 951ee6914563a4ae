#pragma once
/// The regression gate: is this run worse than the baseline record, beyond what seeds explain?

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "reports/gate_report.h"
#include "reports/run_record.h"

namespace tracebench {

struct GateResult {
    GateSummary summary;
    std::vector<GateFinding> findings;  ///< one a baseline row; worst first
    int exit_code = 0;
};

/// Each row of the baseline is compared with the same row of the run. With equal seeds the comparison is
/// paired by seed (t interval of the differences), otherwise Welch's. A row is
///   missing        when the run lacks it or failed there: counts as a regression;
///   regression     when it is worse by more than the tolerance, and by more than seeds explain after
///                  Benjamini-Hochberg over all rows (false discovery rate 5%);
///   inconclusive   when it is worse by more than the tolerance but seeds could explain it, or there is one
///                  seed only;
///   not_comparable when the metric's version, direction or unit changed;
///   improved, pass otherwise.
/// Tolerance: 5% of the way from floor to ceiling where the row has both, else 5% of the baseline's value
/// (at least 0.005). Within-run intervals play no part: they know nothing of run-to-run variation.
/// Exit code: 4 when manifest, data or schema differ, or the baseline holds no row; 1 with any regression or
/// missing row; 3 with any inconclusive one; else 0.
GateResult check_regression(const RunRecord& run, const nlohmann::json& baseline, const std::string& run_name,
                            const std::string& baseline_name);

/// What `baseline update` writes: manifest and data hashes and one short row a metric, sorted, one a line, so
/// that a change of baseline can be reviewed as a diff. Failed and skipped rows are left out.
std::string render_baseline(const RunRecord& run);
/// Throws InputError where the file is no baseline record.
nlohmann::json parse_baseline(const std::string& text, const std::string& name);

}  // namespace tracebench
