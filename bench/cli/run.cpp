/// `run`, `plan` and `task`: a manifest executed, shown, or one piece of it done.

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <memory>

#include "base/error.h"
#include "base/file.h"
#include "base/progress.h"
#include "bench/cli/verbs.h"
#include "bench/exit_code.h"
#include "bench/plan.h"
#include "bench/record.h"
#include "bench/runner.h"
#include "bench/slurm.h"
#include "bench/store.h"
#include "bench/workspace.h"
#include "reports/render.h"

namespace tracebench::cli {
namespace {
namespace fs = std::filesystem;
using nlohmann::json;

struct Options {
    std::string manifest, folder, executor = "local", task;
    unsigned jobs = 0;
    std::size_t seeds = 0;
    std::vector<std::string> only;
    bool fresh = false, as_json = false;
};

/// The manifest with --seeds applied: its first N seeds, continued upwards where it has fewer. The change is
/// part of the run's identity, so it goes into the content and the hash.
Manifest manifest_of(const Options& options) {
    Manifest manifest = load_manifest(options.manifest);
    if (options.seeds > 0 && options.seeds != manifest.seeds.size()) {
        std::uint64_t next = *std::max_element(manifest.seeds.begin(), manifest.seeds.end()) + 1;
        while (manifest.seeds.size() < options.seeds) manifest.seeds.push_back(next++);
        manifest.seeds.resize(options.seeds);
        manifest.content["seeds"] = manifest.seeds;
        manifest.sha256 = sha256(manifest.content.dump());
    }
    return manifest;
}

fs::path folder_of(const Options& options, const Manifest& manifest) {
    if (!options.folder.empty()) return options.folder;
    std::string name;
    for (const char c : manifest.name) name += std::isalnum(static_cast<unsigned char>(c)) ? c : '-';
    return fs::path("runs") / name;
}

void print_leaderboard(const RunRecord& record) {
    fmt::print(stderr, "\n{:<14} {:<16} {:>7}  {:<17} {}\n", "dataset", "generator", "score", "95% interval",
               "0 = indistinguishable from real, 1 = no better than independent marginals");
    for (const json& entry : record.document["leaderboard"]) {
        if (!entry.contains("score") || !entry["score"].is_number()) continue;
        const json& interval = entry["ci95"];
        const std::string range = interval[0].is_number() && interval[1].is_number()
                                      ? fmt::format("[{:.3f}, {:.3f}]", interval[0].get<double>(),
                                                    interval[1].get<double>())
                                      : "";
        fmt::print(stderr, "{:<14} {:<16} {:>7.3f}  {}\n", entry["dataset"].get<std::string>(),
                   entry["generator"].get<std::string>(), entry["score"].get<double>(), range);
    }
}

int run_manifest(const Options& options) {
    const auto start = std::chrono::steady_clock::now();
    const Manifest manifest = manifest_of(options);
    const auto plan = make_plan(manifest);
    if (!options.only.empty()) keep_only(*plan, options.only);
    const fs::path folder = folder_of(options, manifest);
    Workspace workspace(folder, *plan);
    const Store store(folder);
    for (const PlannedDataset& dataset : plan->datasets) {
        for (const std::string& warning : dataset.data.warnings) fmt::print(stderr, "warning: {}\n", printable(warning));
        for (const std::string& warning : dataset.split.warnings) fmt::print(stderr, "warning: {}\n", printable(warning));
    }
    fmt::print(stderr, "{}: {} tasks\n", printable(manifest.name), plan->tasks.size());
    std::vector<TaskOutcome> outcomes;
    if (options.executor == "slurm") {
        outcomes = run_on_slurm(*plan, store, folder, {options.seeds, options.fresh});
    } else {
        outcomes = run_plan(*plan, workspace, store, {options.jobs, options.fresh});
    }

    const RunRecord record = assemble_record(*plan, store, outcomes);
    write_file(folder / "results.json",
               record.to_json().dump(1, ' ', false, json::error_handler_t::replace) + "\n");
    write_file(folder / "report.html", render_html(record));
    print_leaderboard(record);

    std::size_t failed = 0;
    bool ours = false;
    for (const TaskOutcome& outcome : outcomes) {
        if (outcome.status != TaskOutcome::Status::failed) continue;
        ++failed;
        ours = ours || !outcome.bad_input;
    }
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    fmt::print(stderr, "\nreport: {} ({})\n", fs::absolute(folder / "report.html").lexically_normal().string(),
               format_duration(elapsed.count()));
    if (failed == 0) return exit_code::success;
    fmt::print(stderr, "tracebench: {} tasks failed; their values are marked in the report. Mend the cause and run "
                       "again: finished tasks are kept\n", failed);
    return ours ? exit_code::internal : exit_code::bad_input;
}

int show_plan(const Options& options) {
    const Manifest manifest = manifest_of(options);
    const auto plan = make_plan(manifest);
    const fs::path folder = folder_of(options, manifest);
    const Store store(folder);
    json tasks = json::array();
    std::size_t stored = 0;
    for (const Task& task : plan->tasks) {
        const bool in_store = store.contains(task);
        stored += in_store ? 1 : 0;
        tasks.push_back({{"id", task.id}, {"kind", task.kind}, {"needs", task.needs}, {"key", task.key},
                         {"stored", in_store}});
    }
    if (options.as_json) {
        const json document = {{"manifest", manifest.path.string()}, {"folder", folder.string()}, {"tasks", tasks}};
        fmt::print("{}\n", document.dump(1, ' ', false, json::error_handler_t::replace));
        return exit_code::success;
    }
    for (const json& task : tasks)
        fmt::print("{:<7} {}{}\n", task["stored"].get<bool>() ? "stored" : "to do", task["id"].get<std::string>(),
                   task["needs"].empty() ? "" : fmt::format("  <- {}", fmt::join(task["needs"].get<std::vector<std::string>>(), ", ")));
    fmt::print("{} tasks, {} in the store of {}\n", tasks.size(), stored, folder.string());
    return exit_code::success;
}

int run_one_task(const Options& options) {
    const Manifest manifest = manifest_of(options);
    const auto plan = make_plan(manifest);
    const fs::path folder = folder_of(options, manifest);
    Workspace workspace(folder, *plan, true);
    const Store store(folder);
    const Task& task = plan->find(options.task);
    if (!options.fresh && store.find(task)) {
        fmt::print(stderr, "{} is in the store already\n", task.id);
        return exit_code::success;
    }
    ConsoleProgress progress(task.id);
    run_task(*plan, task, workspace, store, progress);
    fmt::print(stderr, "done: {}\n", task.id);
    return exit_code::success;
}

void add_common(CLI::App* verb, Options& options) {
    verb->add_option("MANIFEST", options.manifest, "the run as a file (docs/manifest.md)")->required();
    verb->add_option("-o,--output", options.folder, "output folder; runs/NAME where it is left out");
    verb->add_option("--seeds", options.seeds, "use N seeds: the manifest's first ones, continued where it has fewer")
        ->check(CLI::Range(1, 1000));
}

}  // namespace

void add_run(CLI::App& app, Action& action) {
    auto options = std::make_shared<Options>();
    CLI::App* verb = app.add_subcommand("run", "Execute a manifest: generate, measure, classify, report");
    add_common(verb, *options);
    verb->add_option("-j,--jobs", options->jobs, "tasks at once; one a core where it is left out")
        ->check(CLI::Range(1, 1024));
    verb->add_option("--only", options->only, "these tasks (ids, or their beginnings) and what they need")
        ->delimiter(',');
    verb->add_option("--executor", options->executor, "local: this machine; slurm: one job a task through sbatch")
        ->check(CLI::IsMember({"local", "slurm"}));
    verb->add_flag("--fresh", options->fresh, "do every task again, whatever the store holds");
    verb->callback([options, &action] { action = [options] { return run_manifest(*options); }; });
}

void add_plan(CLI::App& app, Action& action) {
    auto options = std::make_shared<Options>();
    CLI::App* verb = app.add_subcommand("plan", "Show a manifest's task graph and what is already in the store");
    add_common(verb, *options);
    verb->add_flag("--json", options->as_json, "one JSON document on standard output");
    verb->callback([options, &action] { action = [options] { return show_plan(*options); }; });
}

void add_task(CLI::App& app, Action& action) {
    auto options = std::make_shared<Options>();
    CLI::App* verb = app.add_subcommand("task", "Run one task of a manifest; what it needs must be in the store");
    verb->add_option("ID", options->task, "task id, as 'tracebench plan' lists them")->required();
    add_common(verb, *options);
    verb->add_flag("--fresh", options->fresh, "do it again even if it is in the store");
    verb->callback([options, &action] { action = [options] { return run_one_task(*options); }; });
}

}  // namespace tracebench::cli
