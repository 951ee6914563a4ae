// tracebench privacy: what synthetic traffic gives away of the traffic that its generator learned from.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "bench/cli/captures.h"
#include "bench/cli/verbs.h"
#include "bench/metric_json.h"
#include "metrics/privacy/privacy_evaluation.h"

namespace tracebench::cli {
namespace {

using nlohmann::json;

struct Options {
    std::string train, synthetic, heldout;
    bool json = false;
    std::size_t max_flows = 2000, bootstrap = 200;
    std::uint64_t seed = 1;
};

PrivacyView view_captures(const std::string& path) {
    return path.empty() ? PrivacyView() : view_privacy(load_captures(path));
}

json interval(const std::optional<Interval>& ends) {
    return ends ? json{ends->low, ends->high} : json(nullptr);
}

json to_json(const Finding& finding) {
    const MetricValue& value = finding.value;
    json entry = {{"metric", value.metric},
                  {"group", value.group},
                  {"value", number(value.value)},
                  {"unit", value.unit},
                  {"direction", value.lower_is_better ? "lower" : "higher"},
                  {"n", {value.n_real, value.n_synthetic}},
                  {"ci95", interval(interval95(value.replicates))},
                  {"floor", number(value.floor)},
                  {"excess", finding.excess ? number(*finding.excess) : json(nullptr)},
                  {"excess_ci95", interval(finding.excess_interval)},
                  {"status", value.skipped.empty() ? "ok" : "skipped"},
                  {"reason", value.skipped}};
    if (!value.skipped.empty()) entry["value"] = nullptr;
    return entry;
}

PrivacyEvaluation measure(const Options& options) {
    const PrivacyView train = view_captures(options.train), synthetic = view_captures(options.synthetic),
                      heldout = view_captures(options.heldout);
    PrivacyComparison comparison{train, heldout, synthetic};
    comparison.max_flows = options.max_flows;
    comparison.bootstrap = options.bootstrap;
    comparison.real_seed = options.seed;
    comparison.synthetic_seed = stream_seed(options.seed, "synthetic");
    return evaluate_privacy(comparison, nullptr);
}

std::string number_text(const MetricValue& value, double shown) {
    if (std::isnan(shown)) return "";
    return value.unit == "1" ? fmt::format("{:.3f}", shown) : fmt::format("{:.4g} {}", shown, value.unit);
}

void print_text(const PrivacyEvaluation& evaluation, bool heldout) {
    for (const PrivacyVerdict& verdict : evaluation.verdicts) {
        fmt::print("{:12} {:8}", verdict.area, privacy_level_name(verdict.level));
        if (verdict.level == PrivacyLevel::medium || verdict.level == PrivacyLevel::high)
            fmt::print("{}{}{}: {:+.3f} beyond what is natural", verdict.metric,
                       verdict.group.empty() ? "" : " ", verdict.group, verdict.excess);
        fmt::print("\n");
    }
    fmt::print("\n{:52} {:>16} {:>18} {:>16}\n", "", "value", "95% interval", "floor");
    for (const Finding& finding : evaluation.findings) {
        const MetricValue& value = finding.value;
        const std::string name = value.metric + (value.group.empty() ? "" : " " + value.group);
        if (!value.skipped.empty()) {
            fmt::print("{:52} skipped: {}\n", name, value.skipped);
            continue;
        }
        const auto ends = interval95(value.replicates);
        fmt::print("{:52} {:>16} {:>18} {:>16}\n", name, number_text(value, value.value),
                   ends ? fmt::format("{:.3f}..{:.3f}", ends->low, ends->high) : "",
                   number_text(value, value.floor));
    }
    for (const auto& [kind, leak] : evaluation.details.at("leaks").items())
        for (const auto& example : leak.at("examples"))
            fmt::print("{} of the training data: {}\n", kind, example.get<std::string>());
    if (!heldout)
        fmt::print("\nGive --heldout for what is natural, for levels and for membership inference.\n");
}

int run(const Options& options) {
    const PrivacyEvaluation evaluation = measure(options);
    if (options.json) {
        json document = evaluation.details;
        document["values"] = json::array();
        for (const Finding& finding : evaluation.findings) document["values"].push_back(to_json(finding));
        fmt::print("{}\n", document.dump(1));
    } else {
        print_text(evaluation, !options.heldout.empty());
    }
    return 0;
}

}  // namespace

void add_privacy(CLI::App& app, Action& action) {
    auto options = std::make_shared<Options>();
    CLI::App* verb = app.add_subcommand(
        "privacy", "What synthetic traffic gives away of its training data: copies, membership, identifiers");
    verb->add_option("--train", options->train,
                     "capture or folder of captures that the generator learned from")
        ->required();
    verb->add_option("--synthetic", options->synthetic, "capture or folder of captures that it made")
        ->required();
    verb->add_option("--heldout", options->heldout,
                     "folder of real captures that it never saw: what is natural, and membership inference");
    verb->add_flag("--json", options->json, "one JSON document instead of text");
    verb->add_option("--max-flows", options->max_flows,
                     "flows of a side that are compared pair by pair; more are thinned at random")
        ->capture_default_str()
        ->check(CLI::Range(std::size_t{10}, std::size_t{20'000}));
    verb->add_option("--bootstrap", options->bootstrap, "session-level resamples for intervals; 0: none")
        ->capture_default_str()
        ->check(CLI::Range(std::size_t{0}, std::size_t{100'000}));
    verb->add_option("--seed", options->seed, "of thinning and resampling")->capture_default_str();
    verb->callback([options, &action] { action = [options] { return run(*options); }; });
}

}  // namespace tracebench::cli
