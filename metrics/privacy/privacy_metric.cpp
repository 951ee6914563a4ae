#include "metrics/privacy/privacy_metric.h"

#include <limits>

#include "metrics/privacy/memorisation.h"

namespace tracebench {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

MetricValue make_value(const std::string& metric, const std::string& group, double floor) {
    MetricValue value;
    value.metric = metric;
    value.group = group;
    value.area = "privacy";
    value.unit = "1";
    value.floor = floor;
    value.ceiling = nan;
    return value;
}

MetricValue share_value(const std::string& metric, const std::string& group, const Share& synthetic,
                        const Share& heldout, const std::string& why_none) {
    MetricValue value = make_value(metric, group, heldout.rate().value_or(nan));
    value.n_real = heldout.whole;
    value.n_synthetic = synthetic.whole;
    value.value = synthetic.rate().value_or(0);
    if (!synthetic.rate()) value.skipped = why_none;
    return value;
}

void add_proximity(const MetricInput& input, const PrivacyView& train, const PrivacyView& heldout,
                   const PrivacyView& synthetic, std::vector<MetricValue>& values) {
    ProximityOptions options;
    options.bootstrap = input.bootstrap;
    options.seed = input.seed;
    const auto proximity = measure_proximity(train, heldout, synthetic, options);
    MetricValue ratio = make_value("privacy.distance_ratio", "", 1),
                auc = make_value("privacy.membership_auc", "", 0.5),
                tpr = make_value("privacy.membership_tpr", "", 0.01);
    ratio.lower_is_better = false;
    for (MetricValue* value : {&ratio, &auc, &tpr}) {
        if (proximity) {
            value->n_real = proximity->members + proximity->non_members;
            value->n_synthetic = proximity->synthetic;
        } else {
            value->skipped = "no flows in train, held-out or synthetic samples";
        }
    }
    if (proximity) {
        ratio.value = proximity->distance_ratio;
        auc.value = proximity->auc;
        auc.replicates = proximity->auc_replicates;
        tpr.value = proximity->tpr_at_1pct_fpr;
    }
    values.insert(values.end(), {ratio, auc, tpr});
}

}  // namespace

MetricResult PrivacyMetric::evaluate(const MetricInput& input) const {
    const PrivacyView train = view_privacy(input.real_train.samples);
    const PrivacyView heldout = view_privacy(input.real_heldout.samples);
    const PrivacyView synthetic = view_privacy(input.synthetic.samples);
    MetricResult result;
    result.values.push_back(share_value("privacy.copy_rate", "", exact_copies(synthetic.flows, train.flows),
                                        exact_copies(heldout.flows, train.flows),
                                        "no synthetic flow has five packets or more"));
    add_proximity(input, train, heldout, synthetic, result.values);
    const auto add_leak = [&](const std::string& group, auto set) {
        result.values.push_back(share_value(
            "privacy.leaked_identifiers", group, leaked(synthetic.identifiers.*set, train.identifiers.*set),
            leaked(heldout.identifiers.*set, train.identifiers.*set), "synthetic samples have none"));
    };
    add_leak("addresses", &Identifiers::addresses);
    add_leak("macs", &Identifiers::macs);
    add_leak("endpoints", &Identifiers::endpoints);
    add_leak("connections", &Identifiers::connections);
    return result;
}

}  // namespace tracebench
