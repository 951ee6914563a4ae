#include "bench/generator_record.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>

#include "bench/metric_json.h"
#include "metrics/details.h"

namespace tracebench {
namespace {

using nlohmann::json;

constexpr std::size_t max_curve_points = 200;
constexpr const char* place_keys[] = {"tokens", "steps", "seconds"};
constexpr const char* validation_keys[] = {"validation_loss", "bits_per_packet"};

double number_at(const json& object, const char* key) {
    return number(object.value(key, json()));
}

/// Six digits for fractions; counts stay whole.
json plotted(const json& value) {
    if (value.is_number_integer()) return value;
    return number(rounded(number(value)));
}

json joined(const json& points, std::size_t begin, std::size_t end) {
    json point;
    for (const char* key : place_keys) point[key] = plotted(points[end - 1].value(key, json()));
    double sum = 0;
    std::size_t trained = 0;
    for (const char* key : validation_keys) point[key] = nullptr;
    for (std::size_t i = begin; i < end; ++i) {
        const double loss = number_at(points[i], "train_loss");
        if (std::isfinite(loss)) sum += loss, ++trained;
        for (const char* key : validation_keys)
            if (const double value = number_at(points[i], key); std::isfinite(value))
                point[key] = rounded(value);
    }
    point["train_loss"] = trained == 0 ? json() : json(rounded(sum / static_cast<double>(trained)));
    return point;
}

/// `part` of what a task stored, with its seed: null where it has none. `numbers` become null where they are
/// none.
json part_of(const json& whole, const char* part, std::uint64_t seed,
             std::initializer_list<const char*> numbers) {
    if (!whole.is_object()) return nullptr;
    const auto found = whole.find(part);
    if (found == whole.end() || !found->is_object()) return nullptr;
    json copy = *found;
    for (const char* key : numbers)
        if (copy.contains(key) && !std::isfinite(number(copy[key]))) copy[key] = nullptr;
    copy["seed"] = seed;
    return copy;
}

json training_of(const json& describe, std::uint64_t seed) {
    json training = part_of(describe, "training", seed,
                            {"tokens", "packets", "tokens_per_packet", "seconds", "tokens_per_s", "steps",
                             "epochs", "best_validation"});
    if (!training.is_null())
        training["curve"] = thinned_curve(training.value("curve", json::array()), max_curve_points);
    if (training.is_object() && training.contains("stages")) {
        if (!training["stages"].is_array()) training["stages"] = json::array();
        for (json& stage : training["stages"])
            if (stage.is_object())
                stage["curve"] = thinned_curve(stage.value("curve", json::array()), max_curve_points);
    }
    return training;
}

json sampling_of(const json& sample, std::uint64_t seed) {
    return part_of(sample, "sampling", seed, {"tokens", "illegal_first_choices", "packets"});
}

/// How samples came out of noise is shown once; of other seeds it would only make the record larger.
void drop_denoising_but_first(json& sampling) {
    bool shown = false;
    for (json& seed : sampling) {
        if (!seed.is_object() || !seed.contains("denoising")) continue;
        if (shown) seed.erase("denoising");
        shown = true;
    }
}

bool any(const json& list) {
    return std::any_of(list.begin(), list.end(), [](const json& entry) { return !entry.is_null(); });
}

}  // namespace

json thinned_curve(const json& curve, std::size_t most) {
    json points = json::array();
    if (!curve.is_array()) return points;
    for (const json& point : curve)
        if (point.is_object()) points.push_back(point);
    json thin = json::array();
    if (points.empty()) return thin;
    thin.push_back(joined(points, 0, 1));
    const std::size_t rest = points.size() - 1, runs = std::min(rest, std::max<std::size_t>(most, 2) - 1);
    for (std::size_t i = 0; i < runs; ++i)
        thin.push_back(joined(points, 1 + i * rest / runs, 1 + (i + 1) * rest / runs));
    return thin;
}

json generator_entry(const GeneratorPlan& generator, const std::string& dataset,
                     const std::vector<SeedResults>& seeds) {
    json entry = {{"name", generator.name},         {"kind", generator.kind},     {"dataset", dataset},
                  {"settings", generator.settings}, {"describe", json::object()}, {"fit_s", json::array()},
                  {"sample_s", json::array()},      {"packets", json::array()}};
    json training = json::array(), sampling = json::array();
    for (const SeedResults& seed : seeds) {
        const json none;
        const json& fit = seed.fit == nullptr ? none : *seed.fit;
        const json& sample = seed.sample == nullptr ? none : *seed.sample;
        entry["fit_s"].push_back(fit.is_null() ? none : fit.at("fit_s"));
        training.push_back(fit.is_null() ? none : training_of(fit.at("describe"), seed.seed));
        if (!fit.is_null() && entry["describe"].empty()) entry["describe"] = fit.at("describe");
        entry["sample_s"].push_back(sample.is_null() ? none : sample.at("sample_s"));
        entry["packets"].push_back(sample.is_null() ? none : sample.at("packets"));
        sampling.push_back(sample.is_null() ? none : sampling_of(sample, seed.seed));
        if (!entry.contains("pictures") && sample.is_object() && sample.contains("pictures"))
            entry["pictures"] = sample["pictures"];
        drop_denoising_but_first(sampling);
    }
    if (any(training)) {
        entry["training"] = std::move(training);
        if (json& described = entry["describe"];
            described.contains("training") && described["training"].is_object())
            for (const char* key : {"curve", "stages"}) described["training"].erase(key);
    }
    if (any(sampling)) entry["sampling"] = std::move(sampling);
    return entry;
}

}  // namespace tracebench
