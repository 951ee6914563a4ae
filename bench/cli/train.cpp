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

namespace fs = std::filesystem;

struct Options {
    std::string generator, data, labels, output, config, checkpoints;
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

/// MODEL.checkpoints beside the model, also where MODEL is written with a slash at the end.
fs::path beside(const std::string& output) {
    fs::path model = fs::path(output).lexically_normal();
    if (!model.has_filename()) model = model.parent_path();
    return model += ".checkpoints";
}

/// Where an interrupted training keeps what the next one goes on from. Goes away when nothing was put there.
class CheckpointsFolder {
  public:
    explicit CheckpointsFolder(fs::path path) : path_(std::move(path)) {
        std::error_code error;
        fs::create_directories(path_, error);
        if (error)
            throw InputError(path_.string(), fmt::format("cannot be made: {}", error.message()),
                             "choose another place with --checkpoints");
    }
    ~CheckpointsFolder() {
        std::error_code ignored;
        if (!holds_something()) fs::remove(path_, ignored);
    }
    CheckpointsFolder(const CheckpointsFolder&) = delete;
    CheckpointsFolder& operator=(const CheckpointsFolder&) = delete;

    const fs::path& path() const { return path_; }
    bool holds_something() const {
        std::error_code error;
        return fs::exists(path_, error) && !fs::is_empty(path_, error);
    }
    /// Only what a generator has written there: the folder may be the user's.
    void remove() const { remove_checkpoints(path_); }

  private:
    fs::path path_;
};

/// One stage of a training in several.
void print_stage(const nlohmann::json& stage) {
    std::string line =
        fmt::format("{}: {} steps ({:.0f} rows/s, ended by {})", stage.value("stage", ""),
                    stage.value("steps", 0LL), stage.value("rows_per_s", 0.0), stage.value("stopped", ""));
    if (stage["best_validation"].is_number())
        line += fmt::format(", best on validation {:.3f}", stage["best_validation"].get<double>());
    fmt::print(stderr, "{}\n", line);
}

/// What a generator with a training curve has come to.
void print_training(const nlohmann::json& described) {
    const nlohmann::json training = described.value("training", nlohmann::json::object());
    if (!training.is_object() || training.value("curve", nlohmann::json::array()).empty()) return;
    for (const nlohmann::json& note : training.value("notes", nlohmann::json::array()))
        fmt::print(stderr, "tracebench: {}\n", printable(note.get<std::string>()));
    if (training.contains("stages")) {
        for (const nlohmann::json& stage : training["stages"]) print_stage(stage);
        return;
    }
    const nlohmann::json& last = training["curve"].back();
    std::string line = fmt::format("{} tokens in {} steps ({:.0f} tokens/s, ended by {}), loss {:.3f}",
                                   training.value("tokens", 0LL), training.value("steps", 0LL),
                                   training.value("tokens_per_s", 0.0), training.value("stopped", ""),
                                   last.value("train_loss", 0.0));
    if (training["best_validation"].is_number())
        line += fmt::format(", best on validation {:.3f}", training["best_validation"].get<double>());
    fmt::print(stderr, "{} nats a token\n", line);
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
    CheckpointsFolder checkpoints(options.checkpoints.empty() ? beside(options.output)
                                                              : fs::path(options.checkpoints));
    try {
        ConsoleProgress progress(fmt::format("train {}", options.generator));
        FitContext context;
        context.seed = options.seed;
        context.budget_s = options.seconds;
        context.progress = &progress;
        context.checkpoints = checkpoints.path();
        generator->fit(load_samples(dataset, all), context);
    } catch (const Interrupted&) {
        if (checkpoints.holds_something())
            fmt::print(stderr, "tracebench: stopped; the same command goes on from {}\n",
                       printable(checkpoints.path().string()));
        throw;
    }
    save_model(*generator, settings, options.output);
    checkpoints.remove();
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    print_training(generator->describe());
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
    verb->add_option("--checkpoints", options->checkpoints,
                     "folder for what an interrupted training goes on from when the same command is given "
                     "again; OUTPUT.checkpoints where it is left out, removed at the end");
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
