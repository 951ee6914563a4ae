#include "bench/record.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "bench/aggregate.h"
#include "bench/generator_record.h"
#include "bench/machine.h"
#include "bench/metric_json.h"
#include "bench/packet_pictures.h"
#include "bench/utility.h"
#include "metrics/details.h"

namespace tracebench {
namespace {

using nlohmann::json;

class Assembler {
  public:
    Assembler(const Plan& plan, const Store& store, const std::vector<TaskOutcome>& outcomes)
        : plan_(plan), outcomes_(outcomes) {
        for (const Task& task : plan.tasks) {
            if (auto entry = store.find(task)) results_[task.id] = std::move(*entry);
        }
    }

    RunRecord assemble() {
        RunRecord record;
        record.document = {{"schema_version", RunRecord::schema_version},
                           {"tool", tool_info()},
                           {"manifest",
                            {{"path", plan_.manifest.path.filename().string()},
                             {"sha256", plan_.manifest.sha256},
                             {"content", plan_.manifest.content}}},
                           {"machine", machine_info()},
                           {"created", fmt::format("{:%FT%TZ}", fmt::gmtime(std::time(nullptr)))},
                           {"seeds", plan_.manifest.seeds},
                           {"tasks", tasks()},
                           {"generators", generators()}};
        for (const PlannedDataset& dataset : plan_.datasets) {
            record.document["datasets"].push_back(describe(dataset));
            details_ = json::object();
            add_real_details(dataset.data.name);
            for (const GeneratorPlan& generator : plan_.manifest.generators)
                add_generator(dataset.data.name, generator.name, record);
            add_real_utility(dataset.data.name, record);
            details_["classification"] = classification(dataset.data.name);
            record.document["details"][dataset.data.name] = std::move(details_);
        }
        record.document["leaderboard"] = leaderboard(record.metrics);
        return record;
    }

  private:
    const json* result(const std::string& id) const {
        const auto found = results_.find(id);
        return found == results_.end() ? nullptr : &found->second.at("result");
    }

    std::string why_missing(const std::string& id) const {
        for (std::size_t i = 0; i < plan_.tasks.size() && i < outcomes_.size(); ++i)
            if (plan_.tasks[i].id == id && !outcomes_[i].error.empty()) return outcomes_[i].error;
        return "the task was not run";
    }

    json tasks() const {
        static const char* names[] = {"done", "reused", "failed", "skipped"};
        json list = json::array();
        for (std::size_t i = 0; i < plan_.tasks.size(); ++i) {
            const Task& task = plan_.tasks[i];
            json entry = {{"id", task.id}, {"kind", task.kind}, {"key", task.key}};
            const bool known = i < outcomes_.size();
            const TaskOutcome outcome = known ? outcomes_[i] : TaskOutcome{};
            entry["status"] = names[static_cast<int>(outcome.status)];
            entry["seconds"] = outcome.seconds;
            entry["reused"] = outcome.status == TaskOutcome::Status::reused;
            entry["error"] = outcome.error;
            list.push_back(std::move(entry));
        }
        return list;
    }

    /// Cost and self-description; with several data sets an entry for each.
    json generators() const {
        json list = json::array();
        for (const PlannedDataset& dataset : plan_.datasets) {
            for (const GeneratorPlan& generator : plan_.manifest.generators) {
                std::vector<SeedResults> seeds;
                for (const std::uint64_t seed : plan_.manifest.seeds) {
                    const auto id = [&](const char* kind) {
                        return fmt::format("{}:{}:{}:{}", kind, dataset.data.name, generator.name, seed);
                    };
                    seeds.push_back({seed, result(id("fit")), result(id("sample"))});
                }
                list.push_back(generator_entry(generator, dataset.data.name, seeds));
            }
        }
        return list;
    }

    static json describe(const PlannedDataset& dataset) {
        json samples = {{"train", json::object()}, {"heldout", json::object()}};
        for (const std::string& label : dataset.data.labels) samples["train"][label] = samples["heldout"][label] = 0;
        const auto count = [&](const char* side, const std::vector<std::size_t>& indices) {
            for (const std::size_t i : indices) {
                json& number = samples[side][dataset.data.samples[i].label];
                number = number.get<int>() + 1;
            }
        };
        count("train", dataset.split.train);
        count("heldout", dataset.split.heldout);
        PacketPictures pictures;
        for (const std::size_t i : dataset.split.heldout)
            if (const Sample& sample = dataset.data.samples[i]; pictures.wants(sample.label))
                pictures.add(sample.label, load_sample(sample));
        std::vector<std::string> warnings = dataset.data.warnings;
        warnings.insert(warnings.end(), dataset.split.warnings.begin(), dataset.split.warnings.end());
        return {{"name", dataset.data.name},
                {"sha256", dataset.data.content_sha256},
                {"unit", dataset.data.unit == Unit::flow ? "flow" : "session"},
                {"labels", dataset.data.labels},
                {"samples", samples},
                {"packets", dataset.data.packets},
                {"flows", dataset.data.flows},
                {"bytes", dataset.data.bytes},
                {"warnings", warnings},
                {"pictures", pictures.to_json()}};
    }

    void add_real_details(const std::string& dataset) {
        for (const MetricPlan& metric : plan_.manifest.metrics) {
            const json* described = result(fmt::format("describe:{}:real:0:{}", dataset, metric.name));
            if (described != nullptr) merge_real_details(details_, described->at("details"));
        }
    }

    void add_generator(const std::string& dataset, const std::string& generator, RunRecord& record) {
        std::vector<SeedValues> all;
        std::map<std::pair<std::string, std::string>, std::size_t> index;
        const auto add = [&](const MetricValue& value, int version) {
            const auto [entry, is_new] = index.try_emplace({value.metric, value.group}, all.size());
            if (is_new) all.push_back({dataset, generator, version, {}});
            all[entry->second].seeds.push_back(value);
        };
        for (std::size_t i = 0; i < plan_.manifest.seeds.size(); ++i) {
            const std::uint64_t seed = plan_.manifest.seeds[i];
            for (const MetricPlan& metric : plan_.manifest.metrics) {
                const std::string id = fmt::format("measure:{}:{}:{}:{}", dataset, generator, seed, metric.name);
                if (const json* measured = result(id)) {
                    for (const json& value : measured->at("values")) add(metric_value(value), measured->at("version"));
                    if (i == 0) merge_generator_details(details_, generator, measured->at("details"));
                } else {
                    MetricValue missing;
                    missing.metric = metric.name;
                    missing.failed = fmt::format("seed {}: {}", seed, why_missing(id));
                    add(missing, 1);
                }
            }
            for (const MetricValue& value : utility_values(utility_inputs(dataset, generator, seed))) add(value, 1);
            if (const auto input = two_sample_input(dataset, generator, seed))
                for (const MetricValue& value : two_sample_values(*input)) add(value, 1);
        }
        for (const SeedValues& values : all) {
            SeedValues whole = values;
            if (whole.seeds.size() < plan_.manifest.seeds.size() && whole.seeds.back().failed.empty()) {
                MetricValue missing = whole.seeds.back();
                missing.failed = fmt::format("only {} of {} seeds have a value", whole.seeds.size(),
                                             plan_.manifest.seeds.size());
                whole.seeds.push_back(missing);
            }
            record.metrics.push_back(aggregate(whole));
        }
        if (all.empty()) return;
        for (MetricRow& row : score_rows(all)) {
            if (const json samples = samples_per_seed(dataset, generator); !samples.is_null()) row.n = samples;
            record.metrics.push_back(std::move(row));
        }
    }

    /// The classify tasks of one seed that are in the store, each with its real counterpart.
    std::vector<UtilityInput> utility_inputs(const std::string& dataset, const std::string& generator,
                                             std::uint64_t seed) const {
        std::vector<UtilityInput> inputs;
        for (const Task& task : plan_.tasks) {
            if (task.kind != "classify" || task.dataset != dataset || task.generator != generator || task.seed != seed)
                continue;
            UtilityInput input;
            const std::string tail = task.id.substr(fmt::format("classify:{}:{}:{}:", dataset, generator, seed).size());
            input.model = tail.substr(0, tail.find(':'));
            input.features = tail.substr(tail.find(':') + 1);
            input.seed = seed;
            input.synthetic = result(task.id);
            input.real = result(fmt::format("classify:{}:real:{}:{}", dataset, seed, tail));
            if (input.synthetic == nullptr || input.real == nullptr) input.failed = why_missing(task.id);
            inputs.push_back(input);
        }
        return inputs;
    }

    /// Nothing where the plan has no such test.
    std::optional<TwoSampleInput> two_sample_input(const std::string& dataset, const std::string& generator,
                                                   std::uint64_t seed) const {
        const std::string id = fmt::format("c2st:{}:{}:{}", dataset, generator, seed),
                          null = fmt::format("c2st:{}:real:0", dataset);
        const bool planned = std::any_of(plan_.tasks.begin(), plan_.tasks.end(),
                                         [&](const Task& task) { return task.id == id; });
        if (!planned) return std::nullopt;
        TwoSampleInput input{result(id), result(null), {}};
        if (input.synthetic == nullptr || input.real == nullptr)
            input.failed = fmt::format("seed {}: {}", seed, why_missing(input.synthetic == nullptr ? id : null));
        return input;
    }

    void add_real_utility(const std::string& dataset, RunRecord& record) {
        std::map<std::pair<std::string, std::string>, SeedValues> rows;
        for (const std::uint64_t seed : plan_.manifest.seeds)
            for (const UtilityInput& input : utility_inputs(dataset, "real", seed))
                for (const MetricValue& value : real_utility_values(input)) {
                    SeedValues& row = rows[{value.metric, value.group}];
                    row.dataset = dataset;
                    row.generator = "real";
                    row.seeds.push_back(value);
                }
        for (const auto& [key, values] : rows) record.metrics.push_back(aggregate(values));
    }

    json classification(const std::string& dataset) const {
        json list = json::array();
        std::vector<std::string> names = {"real"};
        for (const GeneratorPlan& generator : plan_.manifest.generators) names.push_back(generator.name);
        for (const std::string& name : names) {
            std::vector<UtilityInput> inputs;
            for (const std::uint64_t seed : plan_.manifest.seeds)
                for (UtilityInput& input : utility_inputs(dataset, name, seed)) inputs.push_back(input);
            for (json& entry : classification_details(name, inputs)) list.push_back(std::move(entry));
        }
        return list;
    }

    /// Synthetic samples of one seed.
    json samples_per_seed(const std::string& dataset, const std::string& generator) const {
        const json* sample =
            result(fmt::format("sample:{}:{}:{}", dataset, generator, plan_.manifest.seeds.front()));
        return sample == nullptr ? json(nullptr) : sample->at("samples");
    }

    json leaderboard(const std::vector<MetricRow>& rows) const {
        std::map<std::pair<std::string, std::string>, json> entries;
        for (const MetricRow& row : rows) {
            if (row.metric != "score") continue;
            json& entry = entries[{row.dataset, row.generator}];
            entry["dataset"] = row.dataset;
            entry["generator"] = row.generator;
            if (row.group == "overall") {
                entry["score"] = number(row.value);
                entry["ci95"] = {number(row.ci95[0]), number(row.ci95[1])};
                entry["seeds"] = row.seeds.size();
                entry["n"] = samples_per_seed(row.dataset, row.generator);
            } else {
                entry["areas"][row.group] = number(row.value);
            }
        }
        json list = json::array();
        for (auto& [key, entry] : entries) list.push_back(std::move(entry));
        std::stable_sort(list.begin(), list.end(), [](const json& a, const json& b) {
            const double x = number(a.value("score", json())), y = number(b.value("score", json()));
            return std::isfinite(x) && (!std::isfinite(y) || x < y);
        });
        return list;
    }

    const Plan& plan_;
    const std::vector<TaskOutcome>& outcomes_;
    std::map<std::string, json> results_;
    json details_;
};

}  // namespace

RunRecord assemble_record(const Plan& plan, const Store& store, const std::vector<TaskOutcome>& outcomes) {
    return Assembler(plan, store, outcomes).assemble();
}

}  // namespace tracebench
