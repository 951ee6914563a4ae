// tracebench train: one generator learns from labelled captures.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/progress.h"
#include "bench/cli/verbs.h"
#include "bench/exit_code.h"
#include "datasets/labels.h"
#include "datasets/source.h"
#include "generators/generator.h"

namespace tracebench::cli {
namespace {

struct Options {
    std::string generator, data, labels, output, config;
    std::string unit = "auto";
    double seconds = 0;
    std::uint64_t seed = 1;
    std::size_t min_packets = 2;
};

/// --config: a file, or the JSON object itself.
nlohmann::json settings_of(const Options& options) {
    if (options.config.empty()) return nlohmann::json::object();
    const bool in_place = options.config.find('{') != std::string::npos;
    const std::string name = in_place ? "--config" : options.config;
    nlohmann::json settings =
        parse_json(in_place ? options.config : read_file(options.config, 1 << 20), name);
    if (!settings.is_object())
        throw InputError(name, "is not a JSON object", "write the generator's settings as {\"name\": value}");
    return settings;
}

Dataset load(const Options& options) {
    SourceOptions source;
    source.name = "training";
    source.folder = options.data;
    source.labels = options.labels;
    source.min_packets = options.min_packets;
    if (options.unit == "auto") {
        const Labels labels = read_labels(options.labels);
        source.unit = labels.per_flow && labels.files.empty() ? Unit::flow : Unit::session;
    } else {
        source.unit = options.unit == "flow" ? Unit::flow : Unit::session;
    }
    return load_dataset(source);
}

int run(const Options& options) {
    const nlohmann::json settings = settings_of(options);
    const auto generator = make_generator(options.generator, settings);
    const Dataset dataset = load(options);
    for (const std::string& warning : dataset.warnings)
        fmt::print(stderr, "tracebench: {}\n", printable(warning));
    std::vector<std::size_t> all(dataset.samples.size());
    std::iota(all.begin(), all.end(), std::size_t{0});

    const auto start = std::chrono::steady_clock::now();
    {
        ConsoleProgress progress(fmt::format("train {}", options.generator));
        FitContext context;
        context.seed = options.seed;
        context.budget_s = options.seconds;
        context.progress = &progress;
        generator->fit(load_samples(dataset, all), context);
    }
    save_model(*generator, settings, options.output);
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    fmt::print(stderr, "{}: {} samples of {} labels in {}; model in {}\n", options.generator, all.size(),
               dataset.labels.size(), format_duration(taken.count()), printable(options.output));
    return exit_code::success;
}

}  // namespace

void add_train(CLI::App& app, Action& action) {
    auto options = std::make_shared<Options>();
    CLI::App* verb = app.add_subcommand("train", "Fit one generator to labelled captures");
    std::string kinds;
    for (const std::string& kind : generator_kinds()) kinds += (kinds.empty() ? "" : ", ") + kind;
    verb->add_option("-g,--generator", options->generator, "one of: " + kinds)->required();
    verb->add_option("--data", options->data, "folder of the captures")->required();
    verb->add_option("--labels", options->labels, "CSV: file,label or file,flow_id,label")->required();
    verb->add_option("-o,--output", options->output,
                     "model folder to write (an older model there is replaced)")
        ->required();
    verb->add_option("--config", options->config, "the generator's settings: a JSON file, or {...} itself");
    verb->add_option("--seconds", options->seconds, "time budget; the baselines need none")
        ->check(CLI::NonNegativeNumber);
    verb->add_option("--seed", options->seed, "random seed (default 1)");
    verb->add_option("--unit", options->unit, "what one sample is; auto: flows if only flows are labelled")
        ->check(CLI::IsMember({"auto", "session", "flow"}));
    verb->add_option("--min-packets", options->min_packets,
                     "leave out samples with fewer packets (default 2)");
    verb->callback([options, &action] { action = [options] { return run(*options); }; });
}

}  // namespace tracebench::cli
