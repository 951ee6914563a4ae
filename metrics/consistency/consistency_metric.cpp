#include "metrics/consistency/consistency_metric.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "metrics/consistency/consistency_counts.h"
#include "metrics/details.h"
#include "metrics/distance/comparison_plan.h"
#include "metrics/distance/session_resamples.h"

namespace tracebench {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
/// The least a ceiling must be away from the floor.
constexpr double resolution = 0.02;
constexpr std::array<MeasuredValue, 1> difference_kind = {};

SessionShare joined(SessionShare a, const SessionShare& b) {
    a.append(b);
    return a;
}

/// |rate of the left - rate of the right|.
SessionMeasure difference(const SessionShare& share) {
    return [&share](std::span<const double> left,
                    std::span<const double> right) -> std::optional<std::vector<double>> {
        const auto a = share.of(left), b = share.of(right);
        if (!a || !b) return std::nullopt;
        return std::vector<double>{std::abs(*a - *b)};
    };
}

/// One rule, or all of them, on the four sides.
struct Sides {
    const SessionShare &train, &heldout, &synthetic, &ceiling;
};

class Evaluation {
  public:
    explicit Evaluation(const MetricInput& input)
        : input_(input),
          plan_(input),
          train_(count_consistency(input.real_train.samples)),
          heldout_(count_consistency(input.real_heldout.samples)),
          synthetic_(count_consistency(input.synthetic.samples)),
          ceiling_(count_consistency(input.ceiling.samples)) {}

    Sides all() const {
        return {train_.consistent, heldout_.consistent, synthetic_.consistent, ceiling_.consistent};
    }
    Sides rule(std::size_t i) const {
        return {train_.rules[i], heldout_.rules[i], synthetic_.rules[i], ceiling_.rules[i]};
    }

    const ConsistencyCounts& synthetic() const { return synthetic_; }

    MetricValue rate(const Sides& sides) const {
        MetricValue value = begin("consistency.rate", sides);
        value.lower_is_better = false;
        value.floor = joined(sides.train, sides.heldout).of_all().value_or(nan);
        const auto worst = sides.ceiling.of_all();
        if (worst && value.floor - *worst >= resolution) value.ceiling = *worst;
        if (const auto rate = sides.synthetic.of_all()) {
            value.value = *rate;
            value.replicates = resampled_rates(sides.synthetic, *rate);
        } else {
            value.skipped = "speaks about no synthetic flow record";
        }
        return value;
    }

    MetricValue observed_difference(const Sides& sides) const {
        MetricValue value = begin("consistency.observed_difference", sides);
        const auto real = sides.heldout.of_all(), synthetic = sides.synthetic.of_all();
        if (!real || !synthetic) {
            value.skipped =
                real ? "speaks about no synthetic flow record" : "speaks about no held-out flow record";
            return value;
        }
        value.value = std::abs(*real - *synthetic);
        const SessionShare pool = joined(sides.train, sides.heldout);
        const ValueFloor floor =
            floor_of_values(difference(pool), difference_kind, plan_.splits, pool.whole.size(),
                            plan_.floor_seed(), ComparisonPlan::floor_splits)
                .front();
        value.floor = floor.mean;
        if (const auto worst = sides.ceiling.of_all()) {
            const double highest = std::abs(*worst - *real);
            if (highest >= floor.mean + std::max(3 * floor.deviation, resolution)) value.ceiling = highest;
        }
        const SessionShare both = joined(sides.heldout, sides.synthetic);
        value.replicates =
            bootstrap_values(difference(both), std::array{value.value}, difference_kind,
                             {plan_.real, plan_.synthetic, sides.heldout.whole.size(),
                              sides.synthetic.whole.size(), plan_.real_seed(), plan_.synthetic_seed()},
                             input_.bootstrap)
                .front();
        return value;
    }

  private:
    static MetricValue begin(const char* metric, const Sides& sides) {
        MetricValue value;
        value.metric = metric;
        value.area = "compliance";
        value.unit = "1";
        value.in_score = false;
        value.n_real = sides.heldout.total();
        value.n_synthetic = sides.synthetic.total();
        value.floor = value.ceiling = nan;
        return value;
    }

    std::vector<double> resampled_rates(const SessionShare& share, double value) const {
        std::vector<double> rates;
        if (!plan_.synthetic.possible()) return rates;
        Random random(plan_.synthetic_seed());
        std::vector<double> weights(share.whole.size());
        for (std::size_t i = 0; i < input_.bootstrap; ++i) {
            plan_.synthetic.draw(random, weights);
            const auto rate = share.of(weights);
            if (!rate) return {};
            rates.push_back(*rate);
        }
        return recentred(std::move(rates), value, plan_.synthetic.stretch(), {0, 1});
    }

    const MetricInput& input_;
    ComparisonPlan plan_;
    ConsistencyCounts train_, heldout_, synthetic_, ceiling_;
};

nlohmann::json describe(const ConsistencyCounts& counts) {
    nlohmann::json result = nlohmann::json::object();
    const std::span<const ConsistencyRule> rules = consistency_rules();
    for (std::size_t i = 0; i < rules.size(); ++i) {
        nlohmann::json examples = nlohmann::json::array();
        for (const BrokenRecord& record : counts.examples[i])
            examples.push_back({{"sample", record.sample}, {"flow", record.flow}});
        const auto rate = counts.rules[i].of_all();
        result[std::string(rules[i].id)] = {
            {"checked", counts.rules[i].total()},
            {"rate", rate ? nlohmann::json(rounded(*rate)) : nlohmann::json()},
            {"examples", std::move(examples)}};
    }
    return result;
}

}  // namespace

MetricResult ConsistencyMetric::evaluate(const MetricInput& input) const {
    const Evaluation evaluation(input);
    MetricResult result;
    result.values.push_back(evaluation.rate(evaluation.all()));
    const std::span<const ConsistencyRule> rules = consistency_rules();
    for (std::size_t i = 0; i < rules.size(); ++i) {
        const Sides sides = evaluation.rule(i);
        MetricValue value =
            rules[i].observed ? evaluation.observed_difference(sides) : evaluation.rate(sides);
        value.group = rules[i].id;
        result.values.push_back(std::move(value));
    }
    result.details["consistency"] = describe(evaluation.synthetic());
    return result;
}

nlohmann::json ConsistencyMetric::describe_real(const SampleSet& heldout) const {
    nlohmann::json rules = nlohmann::json::array();
    for (const ConsistencyRule& rule : consistency_rules())
        rules.push_back({{"id", std::string(rule.id)},
                         {"title", std::string(rule.title)},
                         {"source", std::string(rule.source)},
                         {"observed", rule.observed}});
    return {{"consistency",
             {{"rules", std::move(rules)}, {"real", describe(count_consistency(heldout.samples))}}}};
}

}  // namespace tracebench
