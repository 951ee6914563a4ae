/// `data`: which sets there are, fetching them, and looking at a manifest's data before a run.

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <map>
#include <memory>

#include "base/progress.h"
#include "bench/cli/verbs.h"
#include "bench/exit_code.h"
#include "bench/plan.h"
#include "datasets/manifest.h"
#include "datasets/ndpi.h"

namespace tracebench::cli {
namespace {
using nlohmann::json;

struct Options {
    std::string name, output, manifest;
    bool as_json = false;
};

int list() {
    fmt::print("lab    in the repository, datasets/lab: real programs in network namespaces; run datasets/lab.json\n"
               "ndpi   fetched from Debian's ndpi source package (127 MB): real captures named by application,\n"
               "       labelled by nDPI's verdicts; 'tracebench data fetch ndpi', then run its manifest.json\n");
    return exit_code::success;
}

int fetch(const Options& options) {
    const std::filesystem::path folder = options.output.empty() ? "data/" + options.name : options.output;
    ConsoleProgress progress("fetch " + options.name);
    const FetchReport report = fetch_ndpi(folder, progress);
    fmt::print("{} captures, {} labelled flows, {} classes with enough flows: {}\nnext: tracebench run {}\n",
               report.captures, report.flows, report.classes.size(), fmt::join(report.classes, ", "),
               report.manifest.string());
    return exit_code::success;
}

int validate(const Options& options) {
    const auto plan = make_plan(load_manifest(options.manifest));
    for (const PlannedDataset& dataset : plan->datasets) {
        fmt::print("{}: {} samples of {} classes, {} packets\n", dataset.data.name, dataset.data.samples.size(),
                   dataset.data.labels.size(), dataset.data.packets);
        for (const std::string& warning : dataset.data.warnings) fmt::print("  warning: {}\n", warning);
        for (const std::string& warning : dataset.split.warnings) fmt::print("  warning: {}\n", warning);
    }
    fmt::print("valid: {} tasks\n", plan->tasks.size());
    return exit_code::success;
}

int split(const Options& options) {
    const auto plan = make_plan(load_manifest(options.manifest));
    json document = json::array();
    for (const PlannedDataset& dataset : plan->datasets) {
        const auto ids = [&](const std::vector<std::size_t>& indices) {
            json list = json::array();
            for (const std::size_t i : indices)
                list.push_back({{"id", dataset.data.samples[i].id}, {"label", dataset.data.samples[i].label}});
            return list;
        };
        document.push_back({{"dataset", dataset.data.name}, {"train", ids(dataset.split.train)},
                            {"heldout", ids(dataset.split.heldout)}, {"warnings", dataset.split.warnings}});
    }
    if (options.as_json) {
        fmt::print("{}\n", document.dump(1, ' ', false, json::error_handler_t::replace));
        return exit_code::success;
    }
    for (const json& dataset : document) {
        std::map<std::string, std::pair<int, int>> counts;
        for (const json& sample : dataset["train"]) ++counts[sample["label"]].first;
        for (const json& sample : dataset["heldout"]) ++counts[sample["label"]].second;
        fmt::print("{:<24} {:>6} {:>9}\n", dataset["dataset"].get<std::string>(), "train", "held out");
        for (const auto& [label, count] : counts) fmt::print("{:<24} {:>6} {:>9}\n", label, count.first, count.second);
        for (const json& warning : dataset["warnings"]) fmt::print("warning: {}\n", warning.get<std::string>());
    }
    return exit_code::success;
}

}  // namespace

void add_data(CLI::App& app, Action& action) {
    auto options = std::make_shared<Options>();
    CLI::App* verb = app.add_subcommand("data", "Data sets: list, fetch, validate, split");
    verb->require_subcommand(1);
    verb->add_subcommand("list", "Data sets that can be had")->callback([&action] { action = [] { return list(); }; });

    CLI::App* fetching = verb->add_subcommand("fetch", "Download a data set and write its labels and manifest");
    fetching->add_option("NAME", options->name, "ndpi")->required()->check(CLI::IsMember({"ndpi"}));
    fetching->add_option("-o,--output", options->output, "new folder; data/NAME where it is left out");
    fetching->callback([options, &action] { action = [options] { return fetch(*options); }; });

    CLI::App* validating = verb->add_subcommand("validate", "Check a manifest and read its captures once");
    validating->add_option("MANIFEST", options->manifest, "manifest file")->required();
    validating->callback([options, &action] { action = [options] { return validate(*options); }; });

    CLI::App* splitting = verb->add_subcommand("split", "Show which samples train and which are held out");
    splitting->add_option("MANIFEST", options->manifest, "manifest file")->required();
    splitting->add_flag("--json", options->as_json, "one JSON document on standard output");
    splitting->callback([options, &action] { action = [options] { return split(*options); }; });
}

}  // namespace tracebench::cli
