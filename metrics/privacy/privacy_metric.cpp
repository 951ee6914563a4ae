#include "metrics/privacy/privacy_metric.h"

#include "metrics/distance/comparison_plan.h"
#include "metrics/privacy/privacy_evaluation.h"

namespace tracebench {

MetricResult PrivacyMetric::evaluate(const MetricInput& input) const {
    const PrivacyView train = view_privacy(input.real_train.samples);
    const PrivacyView heldout = view_privacy(input.real_heldout.samples);
    const PrivacyView synthetic = view_privacy(input.synthetic.samples);
    const ComparisonPlan plan(input);
    PrivacyComparison comparison{train, heldout, synthetic};
    comparison.bootstrap = input.bootstrap;
    comparison.real_seed = plan.real_seed();
    comparison.synthetic_seed = plan.synthetic_seed();
    comparison.progress = input.progress;
    PrivacyEvaluation evaluation = evaluate_privacy(comparison, input.losses);
    MetricResult result;
    for (Finding& finding : evaluation.findings) result.values.push_back(std::move(finding.value));
    result.details["privacy"] = std::move(evaluation.details);
    return result;
}

nlohmann::json PrivacyMetric::describe_real(const SampleSet&) const {
    nlohmann::json thresholds = nlohmann::json::array();
    for (const PrivacyThreshold& threshold : privacy_thresholds())
        thresholds.push_back({{"area", std::string(threshold.area)},
                              {"metric", "privacy." + std::string(threshold.metric)},
                              {"group", std::string(threshold.group)},
                              {"medium", threshold.medium},
                              {"high", threshold.high}});
    return {{"privacy", {{"thresholds", std::move(thresholds)}}}};
}

}  // namespace tracebench
