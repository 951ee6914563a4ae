#include "metrics/consistency/consistency_metric.h"

#include <cmath>
#include <limits>

#include "metrics/consistency/consistency_counts.h"
#include "metrics/details.h"
#include "metrics/distance/calibrated_values.h"

namespace tracebench {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
/// The least a ceiling must be away from the floor.
constexpr double resolution = 0.02;

SessionCounts joined(SessionCounts a, const SessionCounts& b) {
    a.append(b);
    return a;
}

/// |rate of the left - rate of the right|.
MeasuredSets difference(const SessionCounts& left, const SessionCounts& right) {
    return {[both = joined(left, right)](std::span<const double> a,
                                         std::span<const double> b) -> std::optional<std::vector<double>> {
                const double difference = std::abs(both.rate(a) - both.rate(b));
                if (std::isnan(difference)) return std::nullopt;
                return std::vector<double>{difference};
            },
            left.whole.size(), right.whole.size()};
}

/// One rule, or all of them, on the four sides.
struct Sides {
    const SessionCounts &train, &heldout, &synthetic, &ceiling;
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
        value.floor = joined(sides.train, sides.heldout).rate();
        const double worst = sides.ceiling.rate(), rate = sides.synthetic.rate();
        if (value.floor - worst >= resolution) value.ceiling = worst;
        if (std::isnan(rate)) {
            value.skipped = "speaks about no synthetic flow record";
        } else {
            value.value = rate;
            value.replicates = resampled_rates(sides.synthetic, rate);
        }
        return value;
    }

    MetricValue observed_difference(const Sides& sides) const {
        MetricValue value = begin("consistency.observed_difference", sides);
        if (value.n_real == 0 || value.n_synthetic == 0) {
            value.skipped = value.n_real > 0 ? "speaks about no synthetic flow record"
                                             : "speaks about no held-out flow record";
            return value;
        }
        CalibratedValue calibrated =
            calibrate_values(plan_, {{{}, resolution}}, difference(sides.heldout, sides.synthetic),
                             difference(joined(sides.train, sides.heldout), {}),
                             difference(sides.heldout, sides.ceiling))
                .front();
        value.value = calibrated.value;
        value.floor = calibrated.floor;
        value.ceiling = calibrated.ceiling;
        value.replicates = std::move(calibrated.replicates);
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

    std::vector<double> resampled_rates(const SessionCounts& share, double value) const {
        std::vector<double> rates;
        if (!plan_.synthetic.possible()) return rates;
        Random random(plan_.synthetic_seed());
        std::vector<double> weights(share.whole.size());
        for (std::size_t i = 0; i < input_.bootstrap; ++i) {
            plan_.synthetic.draw(random, weights);
            rates.push_back(share.rate(weights));
            if (std::isnan(rates.back())) return {};
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
        const double rate = counts.rules[i].rate();
        result[std::string(rules[i].id)] = {
            {"checked", counts.rules[i].total()},
            {"rate", std::isnan(rate) ? nlohmann::json() : nlohmann::json(rounded(rate))},
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
