#include "metrics/compliance/compliance_metric.h"

#include <cmath>
#include <limits>

#include "metrics/compliance/compliance.h"
#include "metrics/compliance/observed_rates.h"
#include "metrics/resampling.h"
#include "metrics/session_counts.h"
#include "traffic/rules/application.h"

namespace tracebench {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double resolution = 0.02;

SessionCounts passing(const ComplianceSummary& summary) {
    SessionCounts counts;
    for (std::size_t s = 0; s < summary.session_packets_checked.size(); ++s) {
        const auto checked = static_cast<double>(summary.session_packets_checked[s]);
        counts.part.push_back(checked - static_cast<double>(summary.session_packets_failed[s]));
        counts.whole.push_back(checked);
    }
    return counts;
}

SessionCounts failing(const RuleSummary& rule) {
    return {{rule.session_failed.begin(), rule.session_failed.end()},
            {rule.session_checked.begin(), rule.session_checked.end()}};
}

/// Over all rules, as one count: what cannot be checked is not known by sample. Application layers are left
/// out: payload that was cut off or blanked says nothing about how whole the conversations are.
SessionCounts checkable(const ComplianceSummary& summary) {
    SessionCounts counts{{0}, {0}};
    for (const RuleSummary& rule : summary.rules) {
        if (is_application(rule.rule->layer)) continue;
        counts.part[0] += static_cast<double>(rule.checked);
        counts.whole[0] += static_cast<double>(rule.checked + rule.not_checkable);
    }
    return counts;
}

/// The four sides of one comparison.
class Comparison {
  public:
    explicit Comparison(const MetricInput& input)
        : input_(input),
          train_(summarise_compliance(input.real_train.samples)),
          heldout_(summarise_compliance(input.real_heldout.samples)),
          synthetic_(summarise_compliance(input.synthetic.samples)),
          ceiling_(summarise_compliance(input.ceiling.samples)),
          bootstrap_(input.synthetic.observations.session_labels) {}

    const ComplianceSummary& synthetic() const { return synthetic_; }
    ObservedSides observed() const { return {train_, heldout_, synthetic_}; }

    /// `count(summary)` gives the counts of one side.
    template <typename Count>
    MetricValue value(const std::string& metric, const std::string& group, bool lower_is_better,
                      Count count) const {
        const SessionCounts synthetic = count(synthetic_);
        SessionCounts real = count(heldout_);
        MetricValue value;
        value.metric = metric;
        value.group = group;
        value.area = "compliance";
        value.unit = "1";
        value.lower_is_better = lower_is_better;
        value.n_real = real.total();
        value.n_synthetic = synthetic.total();
        real.append(count(train_));
        value.floor = real.rate();
        value.ceiling = count(ceiling_).rate();
        const double worse = lower_is_better ? value.ceiling - value.floor : value.floor - value.ceiling;
        if (!(worse >= resolution)) value.ceiling = nan;
        value.value = synthetic.rate();
        if (std::isnan(value.value)) {
            value.value = 0;
            value.skipped = "applies to no synthetic packet that can be checked";
        } else {
            value.replicates = replicates(synthetic, value.value);
        }
        return value;
    }

    std::size_t rules() const { return synthetic_.rules.size(); }
    bool occurs(std::size_t rule) const {
        return synthetic_.rules[rule].checked > 0 || heldout_.rules[rule].checked > 0;
    }

  private:
    std::vector<double> replicates(const SessionCounts& counts, double value) const {
        std::vector<double> result;
        if (!bootstrap_.possible() || counts.whole.size() != input_.synthetic.samples.size()) return result;
        Random random(stream_seed(input_.seed, "compliance/" + input_.synthetic.name));
        std::vector<double> weights(counts.whole.size());
        for (std::size_t i = 0; i < input_.bootstrap; ++i) {
            bootstrap_.draw(random, weights);
            result.push_back(counts.rate(weights));
            if (std::isnan(result.back())) return {};
        }
        return recentred(std::move(result), value, bootstrap_.stretch(), {0, 1});
    }

    const MetricInput& input_;
    ComplianceSummary train_, heldout_, synthetic_, ceiling_;
    Bootstrap bootstrap_;
};

nlohmann::json describe(const ComplianceSummary& summary) {
    nlohmann::json result = nlohmann::json::object();
    for (const RuleSummary& rule : summary.rules) {
        nlohmann::json examples = nlohmann::json::array();
        for (const ComplianceExample& example : rule.examples)
            examples.push_back({{"sample", example.sample}, {"frame", example.frame}});
        result[std::string(rule.rule->id)] = {{"checked", rule.checked},
                                              {"failed", rule.failed},
                                              {"not_checkable", rule.not_checkable},
                                              {"examples", std::move(examples)}};
    }
    return result;
}

}  // namespace

MetricResult ComplianceMetric::evaluate(const MetricInput& input) const {
    const Comparison comparison(input);
    MetricResult result;
    result.values.push_back(comparison.value("compliance.pass_rate", "", false, passing));
    result.values.push_back(comparison.value("compliance.checkable_share", "", false, checkable));
    for (std::size_t i = 0; i < comparison.rules(); ++i) {
        if (!comparison.occurs(i)) continue;
        result.values.push_back(comparison.value(
            "compliance.failure_rate", std::string(comparison.synthetic().rules[i].rule->id), true,
            [i](const ComplianceSummary& summary) { return failing(summary.rules[i]); }));
    }
    for (MetricValue& value : observed_rates(input, comparison.observed()))
        result.values.push_back(std::move(value));
    result.details["compliance"] = describe(comparison.synthetic());
    result.details["observed"] = describe_observed(comparison.synthetic());
    return result;
}

nlohmann::json ComplianceMetric::describe_real(const SampleSet& heldout) const {
    const ComplianceSummary summary = summarise_compliance(heldout.samples);
    nlohmann::json rules = nlohmann::json::array();
    for (const RuleSummary& rule : summary.rules)
        rules.push_back({{"id", std::string(rule.rule->id)},
                         {"title", std::string(rule.rule->title)},
                         {"reference", std::string(rule.rule->reference)},
                         {"scope", scope_name(rule.rule->scope())}});
    return {{"compliance", {{"rules", std::move(rules)}, {"real", describe(summary)}}},
            {"observed", {{"behaviours", list_behaviours()}, {"real", describe_observed(summary)}}}};
}

}  // namespace tracebench
