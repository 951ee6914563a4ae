#include "metrics/compliance/observed_rates.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "metrics/distance/comparison_plan.h"
#include "metrics/session_counts.h"

namespace tracebench {
namespace {

SessionCounts counts_of(const BehaviourSummary& behaviour) {
    return {{behaviour.session_count.begin(), behaviour.session_count.end()},
            {behaviour.session_of.begin(), behaviour.session_of.end()}};
}

/// |a - b| of rates; NaN where either is.
double difference(const SessionCounts& a, std::span<const double> a_weights, const SessionCounts& b,
                  std::span<const double> b_weights) {
    return std::abs(a.rate(a_weights) - b.rate(b_weights));
}

std::vector<double> replicates(const ComparisonPlan& plan, const SessionCounts& real,
                               const SessionCounts& synthetic, double value) {
    if (!plan.real.possible() || !plan.synthetic.possible()) return {};
    Random real_random(plan.real_seed()), synthetic_random(plan.synthetic_seed());
    std::vector<double> real_weights(real.whole.size()), synthetic_weights(synthetic.whole.size()), result;
    for (std::size_t i = 0; i < plan.input.bootstrap; ++i) {
        plan.real.draw(real_random, real_weights);
        plan.synthetic.draw(synthetic_random, synthetic_weights);
        result.push_back(difference(synthetic, synthetic_weights, real, real_weights));
        if (std::isnan(result.back())) return {};
    }
    const double stretch = std::max(plan.real.stretch(), plan.synthetic.stretch());
    return recentred(std::move(result), value, stretch, {0, 1});
}

/// `pool`: train sessions, then held-out ones.
double floor_of(const ComparisonPlan& plan, const SessionCounts& pool) {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    if (!plan.splits.possible()) return nan;
    Random random(plan.floor_seed());
    std::vector<double> left(pool.whole.size()), right(pool.whole.size());
    double sum = 0;
    std::size_t defined = 0;
    for (std::size_t i = 0; i < ComparisonPlan::floor_splits; ++i) {
        plan.splits.draw(random, left, right);
        const double split = difference(pool, left, pool, right);
        if (std::isnan(split)) continue;
        sum += split;
        ++defined;
    }
    if (defined == 0) return nan;
    // A difference that is all noise goes with the root of it.
    return sum / static_cast<double>(defined) * std::sqrt(plan.splits.noise_ratio());
}

}  // namespace

std::vector<MetricValue> observed_rates(const MetricInput& input, const ObservedSides& sides) {
    const ComparisonPlan plan(input);
    std::vector<MetricValue> values;
    for (std::size_t b = 0; b < sides.synthetic.observed.size(); ++b) {
        const SessionCounts synthetic = counts_of(sides.synthetic.observed[b]);
        const SessionCounts real = counts_of(sides.heldout.observed[b]);
        SessionCounts pool = counts_of(sides.train.observed[b]);
        pool.append(real);
        if (sides.synthetic.observed[b].count == 0 && pool.rate() == 0) continue;
        MetricValue value;
        value.metric = "observed.rate";
        value.group = std::string(sides.synthetic.observed[b].behaviour->id);
        value.area = "compliance";
        value.unit = "1";
        value.in_score = false;
        value.n_real = real.total();
        value.n_synthetic = synthetic.total();
        if (value.n_real == 0 && value.n_synthetic == 0) continue;
        value.floor = floor_of(plan, pool);
        value.ceiling = std::numeric_limits<double>::quiet_NaN();
        const std::string of(sides.synthetic.observed[b].behaviour->of);
        if (value.n_real == 0) {
            value.skipped = "held-out samples have no " + of;
        } else if (value.n_synthetic == 0) {
            value.skipped = "synthetic samples have no " + of;
        } else {
            value.value = std::abs(synthetic.rate() - real.rate());
            value.replicates = replicates(plan, real, synthetic, value.value);
        }
        values.push_back(std::move(value));
    }
    return values;
}

nlohmann::json describe_observed(const ComplianceSummary& summary) {
    nlohmann::json result = nlohmann::json::object();
    for (const BehaviourSummary& behaviour : summary.observed)
        result[std::string(behaviour.behaviour->id)] = {{"count", behaviour.count}, {"of", behaviour.of}};
    return result;
}

nlohmann::json list_behaviours() {
    nlohmann::json result = nlohmann::json::array();
    for (const Behaviour& behaviour : behaviour_table())
        result.push_back({{"id", behaviour.id},
                          {"title", behaviour.title},
                          {"of", behaviour.of},
                          {"reference", behaviour.reference}});
    return result;
}

}  // namespace tracebench
