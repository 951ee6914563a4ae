#include "bench/utility.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <tuple>

#include "base/random.h"
#include "bench/aggregate.h"
#include "bench/metric_json.h"

namespace tracebench {
namespace {

using nlohmann::json;
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

MetricValue value_of(const std::string& metric, const std::string& group, const json& evaluation,
                     const std::string& key) {
    MetricValue value;
    value.metric = metric;
    value.group = group;
    value.area = "utility";
    value.lower_is_better = false;
    value.unit = "1";
    value.value = number(evaluation.at(key));
    value.n_real = evaluation.at("n_train");
    value.n_synthetic = evaluation.at("n_test");
    value.replicates =
        evaluation.at(key == "accuracy" ? "accuracy_replicates" : "f1_replicates").get<std::vector<double>>();
    value.floor = value.ceiling = nan;
    return value;
}

std::string lower(std::string text) {
    for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return text;
}

}  // namespace

std::vector<MetricValue> utility_values(const std::vector<UtilityInput>& inputs) {
    std::vector<MetricValue> values;
    for (const UtilityInput& input : inputs) {
        const std::string group = input.model + "/" + input.features;
        if (!input.failed.empty()) {
            MetricValue missing;
            missing.metric = "tstr.accuracy";
            missing.group = group;
            missing.area = "utility";
            missing.lower_is_better = false;
            missing.failed = input.failed;
            values.push_back(missing);
            continue;
        }
        const json& trtr = input.real->at("evaluations").at(0);
        for (const json& evaluation : input.synthetic->at("evaluations")) {
            const std::string protocol = lower(evaluation.at("protocol"));
            const bool augmented = protocol == "aug";
            const std::string place =
                augmented ? fmt::format("{}@{:g}%", group, evaluation.at("ratio").get<double>() * 100) : group;
            for (const char* key : {"accuracy", "macro_f1"}) {
                MetricValue value = value_of(protocol + "." + key, place, evaluation, key);
                value.floor = number(trtr.at(key));
                if (protocol == "tstr" && key == std::string_view("accuracy")) value.ceiling = input.real->at("chance");
                values.push_back(std::move(value));
            }
        }
    }
    return values;
}

std::vector<MetricValue> real_utility_values(const UtilityInput& input) {
    if (!input.failed.empty()) return {};
    const std::string group = input.model + "/" + input.features;
    const json& trtr = input.real->at("evaluations").at(0);
    if (input.features == "identifiers") return {value_of("shortcut.accuracy", group, trtr, "accuracy")};
    return {value_of("trtr.accuracy", group, trtr, "accuracy"), value_of("trtr.macro_f1", group, trtr, "macro_f1")};
}

std::vector<json> classification_details(const std::string& generator, const std::vector<UtilityInput>& inputs) {
    struct Gathered {
        json entry;
        std::vector<std::vector<double>> accuracy, f1;
    };
    std::map<std::tuple<std::string, std::string, std::string, double>, Gathered> all;
    const auto add = [&](const UtilityInput& input, const json& evaluation, const std::string& protocol,
                         double ratio) {
        Gathered& gathered = all[{input.model, input.features, protocol, ratio}];
        json& entry = gathered.entry;
        if (entry.is_null()) {
            entry = {{"generator", generator}, {"features", input.features}, {"model", input.model},
                     {"protocol", protocol},   {"ratio", ratio},             {"n_train", evaluation.at("n_train")},
                     {"n_test", evaluation.at("n_test")}, {"labels", evaluation.at("labels")},
                     {"confusion", evaluation.at("confusion_matrix")}, {"seeds", json::array()},
                     {"accuracy", json::array()}, {"macro_f1", json::array()}};
        } else if (entry["labels"] == evaluation.at("labels")) {
            json& sum = entry["confusion"];
            for (std::size_t i = 0; i < sum.size(); ++i)
                for (std::size_t j = 0; j < sum[i].size(); ++j)
                    sum[i][j] = sum[i][j].get<std::size_t>() +
                                evaluation.at("confusion_matrix")[i][j].get<std::size_t>();
        }
        entry["seeds"].push_back(input.seed);
        entry["accuracy"].push_back(evaluation.at("accuracy"));
        entry["macro_f1"].push_back(evaluation.at("macro_f1"));
        gathered.accuracy.push_back(evaluation.at("accuracy_replicates").get<std::vector<double>>());
        gathered.f1.push_back(evaluation.at("f1_replicates").get<std::vector<double>>());
    };
    for (const UtilityInput& input : inputs) {
        if (!input.failed.empty()) continue;
        for (const json& evaluation : input.synthetic->at("evaluations"))
            add(input, evaluation, evaluation.at("protocol"), evaluation.at("ratio"));
        if (generator != "real") add(input, input.real->at("evaluations").at(0), "AUG", 0);
    }
    std::vector<json> entries;
    for (auto& [key, gathered] : all) {
        json& entry = gathered.entry;
        const auto interval = [&](const std::vector<std::vector<double>>& replicates, const char* name) {
            const auto [low, high] = hierarchical_interval(replicates, stream_seed(1, generator + name));
            return json{number(low), number(high)};
        };
        entry["accuracy_ci95"] = interval(gathered.accuracy, "accuracy");
        entry["macro_f1_ci95"] = interval(gathered.f1, "macro_f1");
        entry["recall"] = json::array();
        const json& confusion = entry["confusion"];
        for (std::size_t i = 0; i < confusion.size(); ++i) {
            double row = 0;
            for (const json& count : confusion[i]) row += count.get<double>();
            entry["recall"].push_back(row > 0 ? json(confusion[i][i].get<double>() / row) : json(nullptr));
        }
        entries.push_back(std::move(entry));
    }
    return entries;
}

}  // namespace tracebench
