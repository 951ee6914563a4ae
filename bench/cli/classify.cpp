// tracebench classify: what a classifier learns from one labelled set is worth on another.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.h"
#include "base/progress.h"
#include "bench/cli/verbs.h"
#include "classifiers/evaluation.h"
#include "datasets/labels.h"
#include "datasets/source.h"

namespace tracebench::cli {
namespace {

struct Options {
    std::string train, train_labels, test, test_labels;
    std::string features = "flow";
    std::string unit = "auto";
    EvaluationRequest request;
    std::size_t packets = 10, min_packets = 1;
    bool json = false;
};

Unit choose_unit(const Options& options) {
    if (options.unit == "session") return Unit::session;
    if (options.unit == "flow") return Unit::flow;
    const bool per_flow =
        read_labels(options.train_labels).per_flow || read_labels(options.test_labels).per_flow;
    return per_flow ? Unit::flow : Unit::session;
}

Dataset load(const std::string& name, const std::string& folder, const std::string& labels, Unit unit,
             std::size_t min_packets, std::vector<std::string>& warnings) {
    SourceOptions source;
    source.name = name;
    source.folder = folder;
    source.labels = labels;
    source.unit = unit;
    source.min_packets = min_packets;
    Dataset dataset = load_dataset(source);
    for (const std::string& warning : dataset.warnings) warnings.push_back(name + " set: " + warning);
    return dataset;
}

FeatureTable features_of(const Dataset& dataset, const FeatureOptions& options) {
    std::vector<std::size_t> all(dataset.samples.size());
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
    return extract_features(load_samples(dataset, all), options);
}

/// A classifier that has seen the test samples, or other flows of the same captures, looks better than it is.
void warn_overlap(const Dataset& train, const Dataset& test, std::vector<std::string>& warnings) {
    std::set<std::pair<std::string, std::string>> samples;
    std::set<std::string> captures;
    for (const Sample& sample : train.samples) {
        const std::string file = std::filesystem::weakly_canonical(sample.file).string();
        captures.insert(file);
        samples.emplace(file, sample.flow_id);
    }
    std::size_t same = 0, neighbours = 0;
    for (const Sample& sample : test.samples) {
        const std::string file = std::filesystem::weakly_canonical(sample.file).string();
        if (samples.contains({file, sample.flow_id}))
            ++same;
        else if (captures.contains(file))
            ++neighbours;
    }
    if (same > 0)
        warnings.push_back(fmt::format("{} of {} test samples are training samples too: the result flatters",
                                       same, test.samples.size()));
    if (neighbours > 0)
        warnings.push_back(
            fmt::format("{} of {} test samples come from captures that are trained on: the "
                        "classifier may know the capture rather than the class",
                        neighbours, test.samples.size()));
}

std::string interval_text(const std::vector<double>& replicates) {
    const auto interval = interval95(replicates);
    return interval ? fmt::format("  (95% {:.3f} to {:.3f})", interval->first, interval->second) : "";
}

void print_table(const EvaluationResult& result, const Options& options) {
    fmt::print("model      {}, features {}, seed {}\n", options.request.model, options.features,
               options.request.seed);
    fmt::print("samples    {} trained on, {} tested\n", result.n_train, result.n_test);
    fmt::print("accuracy   {:.3f}{}\n", result.accuracy, interval_text(result.accuracy_replicates));
    fmt::print("macro F1   {:.3f}{}\n\n", result.macro_f1, interval_text(result.f1_replicates));

    std::vector<std::string> names;
    std::size_t width = 5;
    for (const std::string& label : result.labels) {
        names.push_back(printable(label, 40));
        width = std::max(width, names.back().size());
    }
    fmt::print("{:{}}  {:>9}  {:>6}  {:>5}  {:>7}   predicted as\n", "class", width, "precision", "recall",
               "F1", "support");
    for (std::size_t c = 0; c < names.size(); ++c) {
        std::vector<std::pair<std::size_t, std::size_t>> hits;  // count, class
        for (std::size_t p = 0; p < names.size(); ++p)
            if (result.confusion[c][p] > 0) hits.emplace_back(result.confusion[c][p], p);
        std::stable_sort(hits.begin(), hits.end(),
                         [](const auto& a, const auto& b) { return a.first > b.first; });
        std::vector<std::string> predicted;
        for (const auto& [count, p] : hits) predicted.push_back(fmt::format("{} {}", names[p], count));
        fmt::print("{:{}}  {:>9.3f}  {:>6.3f}  {:>5.3f}  {:>7}   {}\n", names[c], width, result.precision[c],
                   result.recall[c], result.f1[c], result.support[c], fmt::join(predicted, ", "));
    }
}

int run(const Options& options) {
    FeatureOptions features;
    features.kind = parse_feature_kind(options.features);
    features.packets = options.packets;
    make_classifier(options.request.model);  // a wrong name is told before the captures are read

    ConsoleProgress progress("classify");
    std::vector<std::string> warnings;
    const Unit unit = choose_unit(options);
    const Dataset train =
        load("train", options.train, options.train_labels, unit, options.min_packets, warnings);
    const Dataset test = load("test", options.test, options.test_labels, unit, options.min_packets, warnings);
    warn_overlap(train, test, warnings);
    progress.check_interrupted();
    const FeatureTable train_table = features_of(train, features);
    progress.check_interrupted();
    const FeatureTable test_table = features_of(test, features);
    progress.check_interrupted();
    EvaluationResult result = evaluate(train_table, test_table, {}, options.request);
    result.warnings.insert(result.warnings.begin(), warnings.begin(), warnings.end());

    if (options.json) {
        nlohmann::json document = to_json(result);
        document["features"] = options.features;
        document["model"] = options.request.model;
        document["seed"] = options.request.seed;
        document["unit"] = unit == Unit::flow ? "flow" : "session";
        fmt::print("{}\n", document.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
    } else {
        print_table(result, options);
    }
    for (const std::string& warning : result.warnings)
        fmt::print(stderr, "tracebench: warning: {}\n", printable(warning));
    return 0;
}

}  // namespace

void add_classify(CLI::App& app, Action& action) {
    auto options = std::make_shared<Options>();
    CLI::App* verb = app.add_subcommand(
        "classify", "Train a classifier on one labelled set of captures, test it on another");
    verb->add_option("--train", options->train, "folder with the captures to train on")->required();
    verb->add_option("--train-labels", options->train_labels,
                     "their labels: CSV with file,label or file,flow_id,label")
        ->required();
    verb->add_option("--test", options->test, "folder with the captures to test on")->required();
    verb->add_option("--test-labels", options->test_labels, "their labels")->required();
    verb->add_option(
            "--features", options->features,
            "nprint (header bits of the first packets), flow (statistics), or identifiers (addresses, "
            "ports, MACs, TTL alone: what a shortcut would reach)")
        ->capture_default_str();
    verb->add_option("--model", options->request.model,
                     fmt::format("{}", fmt::join(classifier_names(), ", ")))
        ->capture_default_str();
    verb->add_option("--seed", options->request.seed, "of the model and the bootstrap")
        ->capture_default_str();
    verb->add_option("--packets", options->packets, "nprint: packets of a sample that are used")
        ->capture_default_str()
        ->check(CLI::Range(std::size_t{1}, std::size_t{1024}));
    verb->add_option("--unit", options->unit,
                     "what a sample is: session (a capture), flow, or auto: flow where a CSV has flow_id")
        ->capture_default_str()
        ->check(CLI::IsMember({"auto", "session", "flow"}));
    verb->add_option("--min-packets", options->min_packets, "samples with fewer packets are left out")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    verb->add_option("--bootstrap", options->request.bootstrap,
                     "test sets drawn for the intervals; 0: no intervals")
        ->capture_default_str()
        ->check(CLI::Range(std::size_t{0}, std::size_t{100'000}));
    verb->add_flag("--json", options->json, "one JSON document instead of a table");
    verb->callback([options, &action] { action = [options] { return run(*options); }; });
}

}  // namespace tracebench::cli
