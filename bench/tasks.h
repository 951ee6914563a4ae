#pragma once
/// What the tasks of a plan do. Each returns what the store keeps: results as JSON, and under "outputs" the
/// files it wrote (relative to the output folder), which the store vouches for by hash.

#include <nlohmann/json.hpp>

#include "bench/plan.h"
#include "bench/workspace.h"

namespace tracebench {

/// {"describe","fit_s","outputs"}
nlohmann::json run_fit(Workspace& space, const PlannedDataset& dataset, const GeneratorPlan& generator,
                       std::uint64_t seed, Progress& progress);
/// {"sample_s","samples","packets","outputs"}; captures are on disk before anything measures them.
nlohmann::json run_sample(Workspace& space, const PlannedDataset& dataset, const GeneratorPlan& generator,
                          std::uint64_t seed, std::size_t per_class, Progress& progress);
/// {"details"} of the real held-out side
nlohmann::json run_describe(Workspace& space, const PlannedDataset& dataset, const MetricPlan& metric);
/// {"version","values":[MetricValue...],"details"}
nlohmann::json run_measure(Workspace& space, const PlannedDataset& dataset, const MetricPlan& metric,
                           const std::string& generator, std::uint64_t seed, std::uint64_t ceiling_seed,
                           std::size_t bootstrap, Progress& progress);
/// {"evaluations":[{"protocol","ratio",EvaluationResult...}],"chance"}
nlohmann::json run_classify(Workspace& space, const PlannedDataset& dataset, const ClassifierPlan& classifiers,
                            const std::string& generator, std::uint64_t seed, const std::string& model,
                            const std::string& features, std::size_t bootstrap, Progress& progress);
/// The classifier two-sample test between held-out and synthetic flows: {"auc","accuracy","auc_replicates",
/// "accuracy_replicates","sessions":[real, synthetic],"n":[real, synthetic] flows}, or {"skipped": why}. For
/// generator "real" its null distribution, which depends on no generator: {"sessions","draws":[{"auc","accuracy"}]}.
nlohmann::json run_two_sample(Workspace& space, const PlannedDataset& dataset, const std::string& generator,
                              std::uint64_t seed, std::size_t bootstrap, Progress& progress);

}  // namespace tracebench
