// The classifier two-sample test as tasks, and their results as metric values.

#include "classifiers/two_sample.h"

#include <algorithm>
#include <array>
#include <limits>
#include <map>

#include "base/random.h"
#include "bench/metric_json.h"
#include "bench/tasks.h"
#include "bench/utility.h"
#include "classifiers/flow_rows.h"
#include "metrics/distance/comparison_plan.h"
#include "metrics/resampling.h"

namespace tracebench {
namespace {

using nlohmann::json;
constexpr double nan = std::numeric_limits<double>::quiet_NaN();
/// A p-value is at least 1/40.
constexpr std::size_t null_draws = 39;
/// Flows of a side whose features are computed; the test draws among them.
constexpr std::size_t max_flows = 4000;
/// How much more variance chance may have than in the null distribution: 10%, 5% in standard deviations.
constexpr double narrowest = 1.1;

/// Sessions of each label that a generator is asked for.
std::map<std::string, std::size_t> planned_sessions(const FeatureTable& train, std::size_t per_class) {
    std::map<std::string, std::size_t> counts = count_sessions(train);
    if (per_class > 0)
        for (auto& [label, count] : counts) count = per_class;
    return counts;
}

json null_distribution(Workspace& space, const PlannedDataset& dataset, Progress& progress) {
    FeatureTable pool = flow_rows(space.real_train(dataset)->samples, max_flows, 0);
    const FeatureTable heldout = flow_rows(space.real_heldout(dataset)->samples, max_flows, 0);
    const auto planned = planned_sessions(pool, space.plan().manifest.samples_per_class);
    pool.append(heldout);
    const TwoSampleNull null = two_sample_null(pool, count_sessions(heldout), planned, null_draws, {},
                                               [&progress] { progress.check_interrupted(); });
    json draws = json::array();
    for (const auto& draw : null.draws) draws.push_back({{"auc", draw.auc}, {"accuracy", draw.accuracy}});
    return {{"sessions", {null.first_sessions, null.second_sessions}}, {"draws", std::move(draws)}};
}

/// Both measures on resamples of sessions, recentred. Where every real session has flows those drawn are the
/// ones that every other metric draws.
std::array<std::vector<double>, 2> resampled(const TwoSampleScores& scores, const TwoSampleMeasure& measure,
                                             const ComparisonPlan& plan, std::size_t count) {
    const Bootstrap first(scores.first_labels), second(scores.second_labels);
    if (!first.possible() || !second.possible()) return {};
    Random first_random(plan.real_seed()), second_random(plan.synthetic_seed());
    std::vector<double> weights(scores.sessions());
    const std::span<double> of_first = std::span(weights).first(scores.first_labels.size());
    const std::span<double> of_second = std::span(weights).subspan(scores.first_labels.size());
    std::array<std::vector<double>, 2> replicates;
    for (std::size_t i = 0; i < count; ++i) {
        first.draw(first_random, of_first);
        second.draw(second_random, of_second);
        const auto result = measure(weights);
        if (!result) return {};
        replicates[0].push_back(result->auc);
        replicates[1].push_back(result->accuracy);
    }
    const double stretch = std::max(first.stretch(), second.stretch());
    const auto [auc, accuracy] = measure();
    return {recentred(std::move(replicates[0]), auc, stretch, {0, 1}),
            recentred(std::move(replicates[1]), accuracy, stretch, {0, 1})};
}

MetricValue value_of(const std::string& what) {
    MetricValue value;
    value.metric = "c2st." + what;
    value.group = "xgboost/flow";
    value.area = "flow";
    value.unit = "1";
    value.in_score = false;
    value.floor = value.ceiling = nan;
    return value;
}

MetricValue measured(const std::string& what, const json& synthetic, const json& real) {
    MetricValue value = value_of(what);
    value.value = number(synthetic.at(what));
    value.n_real = synthetic.at("n").at(0);
    value.n_synthetic = synthetic.at("n").at(1);
    value.replicates = synthetic.at(what + "_replicates").get<std::vector<double>>();
    double sum = 0;
    for (const json& draw : real.at("draws")) sum += number(draw.at(what));
    if (!real.at("draws").empty()) {
        value.floor = sum / static_cast<double>(real.at("draws").size());
        value.ceiling = 1;
    }
    return value;
}

/// What the variance of chance differences grows with.
double noise(const json& sessions) {
    return 1 / sessions.at(0).get<double>() + 1 / sessions.at(1).get<double>();
}

MetricValue p_value(const json& synthetic, const json& real) {
    MetricValue value = value_of("p_value");
    value.lower_is_better = false;
    value.n_real = synthetic.at("n").at(0);
    value.n_synthetic = synthetic.at("n").at(1);
    TwoSampleNull null;
    for (const json& draw : real.at("draws")) null.draws.push_back({draw.at("auc"), draw.at("accuracy")});
    if (null.draws.empty())
        value.skipped = "too few real sessions to compare with each other";
    else if (noise(synthetic.at("sessions")) > narrowest * noise(real.at("sessions")))
        value.skipped =
            "fewer synthetic sessions than planned: chance reaches further than between real ones";
    else
        value.value = two_sample_p_value(synthetic.at("auc"), null);
    return value;
}

}  // namespace

json run_two_sample(Workspace& space, const PlannedDataset& dataset, const std::string& generator,
                    std::uint64_t seed, std::size_t bootstrap, Progress& progress) {
    if (generator == "real") return null_distribution(space, dataset, progress);
    const auto heldout = space.real_heldout(dataset);
    const auto synthetic = space.synthetic(dataset, generator, seed);
    TwoSampleOptions options;
    options.seed = seed;
    const auto scores = two_sample_scores(flow_rows(heldout->samples, max_flows, 0),
                                          flow_rows(synthetic->samples, max_flows, seed), options);
    if (!scores)
        return {{"skipped",
                 "a side has fewer than two sessions with flows, or the sides have no class in common"}};
    progress.check_interrupted();
    const MetricInput input{*heldout, *heldout, *synthetic, *synthetic, seed, bootstrap, &progress};
    const TwoSampleMeasure measure(*scores);
    const auto [auc, accuracy] = measure();
    auto [auc_replicates, accuracy_replicates] =
        resampled(*scores, measure, ComparisonPlan(input), bootstrap);
    return {{"auc", auc},
            {"accuracy", accuracy},
            {"auc_replicates", std::move(auc_replicates)},
            {"accuracy_replicates", std::move(accuracy_replicates)},
            {"sessions", {scores->first_labels.size(), scores->second_labels.size()}},
            {"n", {scores->rows(false), scores->rows(true)}}};
}

std::vector<MetricValue> two_sample_values(const TwoSampleInput& input) {
    std::vector<MetricValue> values;
    if (!input.failed.empty() || input.synthetic->contains("skipped")) {
        for (const char* what : {"auc", "accuracy", "p_value"}) {
            MetricValue& value = values.emplace_back(value_of(what));
            value.lower_is_better = what != std::string_view("p_value");
            value.failed = input.failed;
            if (input.failed.empty()) value.skipped = input.synthetic->at("skipped");
        }
        return values;
    }
    for (const char* what : {"auc", "accuracy"})
        values.push_back(measured(what, *input.synthetic, *input.real));
    values.push_back(p_value(*input.synthetic, *input.real));
    return values;
}

}  // namespace tracebench
