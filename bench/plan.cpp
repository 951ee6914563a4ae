#include "bench/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "bench/machine.h"
#include "bench/tasks.h"
#include "classifiers/model.h"
#include "generators/generator.h"
#include "metrics/metric.h"

namespace tracebench {
namespace {

using nlohmann::json;

class Planner {
  public:
    explicit Planner(Plan& plan) : plan_(plan) {}

    void lay_out() {
        for (const PlannedDataset& dataset : plan_.datasets) {
            add_ceiling(dataset);
            describe_real(dataset);
            classify(dataset, "real", {});
            if (two_sample()) add_two_sample(dataset, "real", 0, {});
            for (const GeneratorPlan& generator : plan_.manifest.generators) add_generator(dataset, generator);
        }
    }

  private:
    /// `inputs` holds what the result depends on beside the program, the data and the needed tasks.
    std::string add(Task task, const json& inputs) {
        json depends = {{"program", program_sha256()}, {"task", task.id}, {"kind", task.kind}, {"inputs", inputs}};
        for (const PlannedDataset& dataset : plan_.datasets) {
            if (dataset.data.name != task.dataset) continue;
            depends["data"] = dataset.data.content_sha256;
            depends["split"] = {dataset.split.train, dataset.split.heldout};
        }
        for (const std::string& id : task.needs) depends["needs"][id] = keys_.at(id);
        task.key = sha256(depends.dump());
        keys_[task.id] = task.key;
        plan_.tasks.push_back(std::move(task));
        return plan_.tasks.back().id;
    }

    Task make(const std::string& kind, const PlannedDataset& dataset, const std::string& generator,
              std::uint64_t seed, double weight, std::vector<std::string> needs, const std::string& suffix = "") {
        Task task;
        task.kind = kind;
        task.dataset = dataset.data.name;
        task.generator = generator;
        task.seed = seed;
        task.weight = weight;
        task.needs = std::move(needs);
        task.id = fmt::format("{}:{}:{}:{}{}", kind, task.dataset, generator, seed, suffix);
        return task;
    }

    /// Fit, then sample; returns the id of the sample task.
    std::string fit_and_sample(const PlannedDataset& dataset, const GeneratorPlan& generator, std::uint64_t seed) {
        const json fit_inputs = {{"kind", generator.kind},
                                 {"settings", generator.settings},
                                 {"budget", generator.fit_budget_s}};
        Task fit = make("fit", dataset, generator.name, seed, 2, {});
        fit.run = [&dataset, generator, seed](Workspace& space, Progress& progress) {
            return run_fit(space, dataset, generator, seed, progress);
        };
        const std::string fitted = add(std::move(fit), fit_inputs);

        Task sample = make("sample", dataset, generator.name, seed, 2, {fitted});
        const std::size_t per_class = plan_.manifest.samples_per_class;
        sample.run = [&dataset, generator, seed, per_class](Workspace& space, Progress& progress) {
            return run_sample(space, dataset, generator, seed, per_class, progress);
        };
        return add(std::move(sample), {{"per_class", per_class},
                                       {"max_packets", generator.max_packets},
                                       {"constrained", generator.constrained},
                                       {"budget", generator.sample_budget_s}});
    }

    void add_ceiling(const PlannedDataset& dataset) {
        GeneratorPlan marginal;
        marginal.name = "ceiling";
        marginal.kind = "marginal";
        ceiling_ = fit_and_sample(dataset, marginal, plan_.manifest.seeds.front());
    }

    void describe_real(const PlannedDataset& dataset) {
        for (const MetricPlan& metric : plan_.manifest.metrics) {
            Task task = make("describe", dataset, "real", 0, 1, {}, ":" + metric.name);
            task.run = [&dataset, metric](Workspace& space, Progress&) { return run_describe(space, dataset, metric); };
            add(std::move(task), {{"metric", metric.name}, {"settings", metric.settings}});
        }
    }

    void add_generator(const PlannedDataset& dataset, const GeneratorPlan& generator) {
        std::vector<std::string> sampled;
        for (const std::uint64_t seed : plan_.manifest.seeds) {
            const std::string sample = fit_and_sample(dataset, generator, seed);
            sampled.push_back(sample);
            for (const MetricPlan& metric : plan_.manifest.metrics) {
                Task task = make("measure", dataset, generator.name, seed, 3, {sample, ceiling_}, ":" + metric.name);
                const std::size_t bootstrap = plan_.manifest.bootstrap;
                task.run = [this_ceiling = plan_.manifest.seeds.front(), &dataset, metric, name = generator.name, seed,
                            bootstrap](Workspace& space, Progress& progress) {
                    return run_measure(space, dataset, metric, name, seed, this_ceiling, bootstrap, progress);
                };
                add(std::move(task),
                    {{"metric", metric.name}, {"settings", metric.settings}, {"bootstrap", bootstrap}});
            }
        }
        classify(dataset, generator.name, sampled);
        for (std::size_t i = 0; two_sample() && i < sampled.size(); ++i)
            add_two_sample(dataset, generator.name, plan_.manifest.seeds[i], {sampled[i]});
    }

    /// The two-sample test is XGBoost's: a run that trains it anyway has it, whatever the labels.
    bool two_sample() const {
        const std::vector<std::string>& models = plan_.manifest.classifiers.models;
        return std::find(models.begin(), models.end(), "xgboost") != models.end();
    }

    void add_two_sample(const PlannedDataset& dataset, const std::string& generator, std::uint64_t seed,
                        std::vector<std::string> needs) {
        Task task = make("c2st", dataset, generator, seed, 3, std::move(needs));
        const std::size_t bootstrap = plan_.manifest.bootstrap;
        task.run = [&dataset, generator, seed, bootstrap](Workspace& space, Progress& progress) {
            return run_two_sample(space, dataset, generator, seed, bootstrap, progress);
        };
        add(std::move(task), {{"bootstrap", bootstrap}, {"per_class", plan_.manifest.samples_per_class}});
    }

    /// `sampled` names the sample tasks of each seed; empty for real data alone.
    void classify(const PlannedDataset& dataset, const std::string& generator,
                  const std::vector<std::string>& sampled) {
        const ClassifierPlan& classifiers = plan_.manifest.classifiers;
        if (dataset.data.labels.size() < 2) return;
        std::vector<std::string> features = classifiers.features;
        // What addresses and ports alone give away is asked of real data only, and always.
        if (sampled.empty() && !classifiers.models.empty() &&
            std::find(features.begin(), features.end(), "identifiers") == features.end())
            features.push_back("identifiers");
        for (std::size_t i = 0; i < plan_.manifest.seeds.size(); ++i) {
            const std::uint64_t seed = plan_.manifest.seeds[i];
            for (const std::string& model : classifiers.models) {
                for (const std::string& feature : features) {
                    Task task = make("classify", dataset, generator, seed, sampled.empty() ? 1 : 6,
                                     sampled.empty() ? std::vector<std::string>{} : std::vector{sampled[i]},
                                     ":" + model + ":" + feature);
                    task.run = [&classifiers, &dataset, generator, seed, model, feature,
                                bootstrap = plan_.manifest.bootstrap](Workspace& space, Progress& progress) {
                        return run_classify(space, dataset, classifiers, generator, seed, model, feature, bootstrap,
                                            progress);
                    };
                    add(std::move(task), {{"model", model},
                                          {"features", feature},
                                          {"mixing", classifiers.mixing},
                                          {"packets", classifiers.packets},
                                          {"bootstrap", plan_.manifest.bootstrap}});
                }
            }
        }
    }

    Plan& plan_;
    std::map<std::string, std::string> keys_;
    std::string ceiling_;
};

/// Wrong names and settings are found here, before an hour of training, with the place in the manifest.
void check_names(const Manifest& manifest) {
    const auto check = [&](const std::string& place, const auto& make) {
        try {
            make();
        } catch (const InputError& error) {
            throw InputError(manifest.path.string(), place + ": " + error.what());
        }
    };
    for (std::size_t i = 0; i < manifest.generators.size(); ++i) {
        const GeneratorPlan& plan = manifest.generators[i];
        if (plan.name == "real" || plan.name == "ceiling")
            throw InputError(manifest.path.string(), fmt::format("/generators/{}/name: '{}' is taken", i, plan.name),
                             "choose another name");
        check(fmt::format("/generators/{}", i), [&] { make_generator(plan.kind, plan.settings); });
    }
    for (std::size_t i = 0; i < manifest.metrics.size(); ++i)
        check(fmt::format("/metrics/{}", i),
              [&] { make_metric(manifest.metrics[i].name, manifest.metrics[i].settings); });
    for (std::size_t i = 0; i < manifest.classifiers.models.size(); ++i)
        check(fmt::format("/classifiers/models/{}", i), [&] { make_classifier(manifest.classifiers.models[i]); });
}

}  // namespace

const Task& Plan::find(const std::string& id) const {
    const auto found = std::find_if(tasks.begin(), tasks.end(), [&](const Task& task) { return task.id == id; });
    if (found != tasks.end()) return *found;
    throw InputError(manifest.path.string(), fmt::format("has no task '{}'", id),
                     "list them with 'tracebench plan'");
}

std::unique_ptr<Plan> make_plan(const Manifest& manifest) {
    check_names(manifest);
    auto plan = std::make_unique<Plan>();
    plan->manifest = manifest;
    for (const DatasetPlan& dataset : manifest.datasets) {
        PlannedDataset planned;
        planned.data = load_dataset(dataset.source);
        planned.split = split_by_session(planned.data, dataset.train_fraction, dataset.split_seed);
        if (planned.split.train.empty() || planned.split.heldout.empty())
            throw InputError(manifest.path.string(),
                             fmt::format("dataset '{}' is too small to split: {} samples", planned.data.name,
                                         planned.data.samples.size()),
                             "add captures or lower min_packets");
        plan->datasets.push_back(std::move(planned));
    }
    Planner(*plan).lay_out();
    return plan;
}

void keep_only(Plan& plan, const std::vector<std::string>& ids) {
    std::set<std::string> kept;
    for (const std::string& id : ids) {
        const std::size_t before = kept.size();
        for (const Task& task : plan.tasks)
            if (task.id == id || task.id.starts_with(id + ":")) kept.insert(task.id);
        if (kept.size() == before) plan.find(id);  // throws
    }
    for (auto task = plan.tasks.rbegin(); task != plan.tasks.rend(); ++task)
        if (kept.contains(task->id)) kept.insert(task->needs.begin(), task->needs.end());
    std::erase_if(plan.tasks, [&](const Task& task) { return !kept.contains(task.id); });
}

}  // namespace tracebench
