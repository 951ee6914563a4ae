#include "metrics/privacy/privacy_evaluation.h"

#include "metrics/details.h"
#include "metrics/privacy/copies.h"
#include "metrics/privacy/leakage.h"
#include "metrics/privacy/membership.h"
#include "metrics/privacy/neighbours.h"

namespace tracebench {
namespace {

using nlohmann::json;

json describe(const std::vector<PrivacyVerdict>& verdicts) {
    json list = json::array();
    for (const PrivacyVerdict& verdict : verdicts) {
        json& entry =
            list.emplace_back(json{{"area", verdict.area}, {"level", privacy_level_name(verdict.level)}});
        if (verdict.level == PrivacyLevel::unknown) continue;
        entry["metric"] = verdict.metric;
        entry["group"] = verdict.group;
        entry["excess"] = rounded(verdict.excess);
    }
    return list;
}

json describe(const std::vector<Finding>& findings) {
    json list = json::array();
    for (const Finding& finding : findings) {
        if (!finding.excess) continue;
        json& entry = list.emplace_back(json{{"metric", finding.value.metric},
                                             {"group", finding.value.group},
                                             {"excess", rounded(*finding.excess)},
                                             {"ci95", nullptr}});
        if (finding.excess_interval)
            entry["ci95"] = {rounded(finding.excess_interval->low), rounded(finding.excess_interval->high)};
    }
    return list;
}

}  // namespace

PrivacyEvaluation evaluate_privacy(const PrivacyComparison& comparison, const ModelLosses* losses) {
    const auto check = [&] {
        if (comparison.progress != nullptr) comparison.progress->check_interrupted();
    };
    Findings all = measure_copies(comparison);
    check();
    all.append(measure_neighbours(comparison));
    check();
    all.append(measure_membership(comparison, losses));
    check();
    all.append(measure_leakage(comparison));
    PrivacyEvaluation evaluation;
    evaluation.verdicts = privacy_verdicts(all.list);
    evaluation.details = std::move(all.details);
    evaluation.details["verdicts"] = describe(evaluation.verdicts);
    evaluation.details["excess"] = describe(all.list);
    evaluation.findings = std::move(all.list);
    return evaluation;
}

}  // namespace tracebench
