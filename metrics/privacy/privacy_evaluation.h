#pragma once
/// All that is measured of privacy, for the metric and for the command line.

#include "metrics/privacy/finding.h"
#include "metrics/privacy/verdict.h"

namespace tracebench {

struct PrivacyEvaluation {
    std::vector<Finding> findings;
    std::vector<PrivacyVerdict> verdicts;
    nlohmann::json details;  ///< docs/results.md, "privacy"
};

/// `losses` may be null. What cannot be measured is among the findings, skipped with the reason.
PrivacyEvaluation evaluate_privacy(const PrivacyComparison& comparison, const ModelLosses* losses);

}  // namespace tracebench
