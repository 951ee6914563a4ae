#include <map>

#include "bench/metric_json.h"
#include "bench/model_losses.h"
#include "bench/tasks.h"
#include "classifiers/evaluation.h"
#include "metrics/metric.h"

namespace tracebench {
namespace {

using nlohmann::json;

/// Accuracy of always naming the commonest class of the held-out samples.
double chance(const FeatureTable& heldout) {
    std::map<std::string, std::size_t> counts;
    std::size_t most = 0;
    for (const std::string& label : heldout.labels) most = std::max(most, ++counts[label]);
    return heldout.rows() == 0 ? 0 : static_cast<double>(most) / static_cast<double>(heldout.rows());
}

}  // namespace

json run_describe(Workspace& space, const PlannedDataset& dataset, const MetricPlan& plan) {
    return {{"details", make_metric(plan.name, plan.settings)->describe_real(*space.real_heldout(dataset))}};
}

json run_measure(Workspace& space, const PlannedDataset& dataset, const MetricPlan& plan,
                 const std::string& generator, std::uint64_t seed, std::uint64_t ceiling_seed, std::size_t bootstrap,
                 Progress& progress) {
    const auto train = space.real_train(dataset), heldout = space.real_heldout(dataset);
    const auto synthetic = space.synthetic(dataset, generator, seed);
    const auto ceiling = space.synthetic(dataset, "ceiling", ceiling_seed);
    const auto metric = make_metric(plan.name, plan.settings);
    const auto losses = read_losses(space.synthetic_folder(dataset.data.name, generator, seed));
    MetricInput input{*train, *heldout, *synthetic, *ceiling, seed, bootstrap, &progress, losses ? &*losses : nullptr};
    MetricResult result = metric->evaluate(input);
    json values = json::array();
    for (const MetricValue& value : result.values) values.push_back(to_json(value));
    return {{"version", metric->version()}, {"values", std::move(values)}, {"details", std::move(result.details)}};
}

json run_classify(Workspace& space, const PlannedDataset& dataset, const ClassifierPlan& classifiers,
                  const std::string& generator, std::uint64_t seed, const std::string& model,
                  const std::string& features, std::size_t bootstrap, Progress& progress) {
    FeatureOptions options;
    options.kind = parse_feature_kind(features);
    options.packets = classifiers.packets;
    const FeatureTable train = extract_features(space.real_train(dataset)->samples, options);
    const FeatureTable heldout = extract_features(space.real_heldout(dataset)->samples, options);
    FeatureTable synthetic;
    if (generator != "real")
        synthetic = extract_features(space.synthetic(dataset, generator, seed)->samples, options);

    json evaluations = json::array();
    const auto add = [&](Protocol protocol, const char* name, double ratio) {
        progress.check_interrupted();
        EvaluationRequest request{model, protocol, ratio, seed, bootstrap};
        const EvaluationResult result = evaluate(train, heldout, synthetic, request);
        json evaluation = to_json(result);
        evaluation["accuracy_replicates"] = result.accuracy_replicates;
        evaluation["f1_replicates"] = result.f1_replicates;
        evaluation["protocol"] = name;
        evaluation["ratio"] = ratio;
        evaluations.push_back(std::move(evaluation));
    };
    if (generator == "real") {
        add(Protocol::trtr, "TRTR", 0);
    } else {
        add(Protocol::tstr, "TSTR", 1);
        add(Protocol::trts, "TRTS", 0);
        for (const double ratio : classifiers.mixing)
            if (ratio > 0) add(Protocol::aug, "AUG", ratio);
    }
    return {{"evaluations", std::move(evaluations)}, {"chance", chance(heldout)}};
}

}  // namespace tracebench
