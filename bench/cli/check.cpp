/// `check` and `baseline update`: the regression gate and the record it compares with.

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <chrono>
#include <memory>

#include "base/file.h"
#include "bench/check.h"
#include "bench/cli/verbs.h"
#include "bench/exit_code.h"
#include "reports/gate_report.h"
#include "reports/run_record.h"

namespace tracebench::cli {
namespace {
using nlohmann::json;

struct Options {
    std::string results, baseline, junit, markdown, output;
    bool as_json = false;
};

json to_json(const GateResult& result) {
    json findings = json::array();
    for (const GateFinding& finding : result.findings) {
        const auto value = [](double number) { return std::isfinite(number) ? json(number) : json(nullptr); };
        findings.push_back({{"dataset", finding.dataset}, {"generator", finding.generator},
                            {"metric", finding.metric}, {"group", finding.group},
                            {"baseline", value(finding.baseline)}, {"current", value(finding.current)},
                            {"ci95", {value(finding.ci95[0]), value(finding.ci95[1])}},
                            {"tolerance", value(finding.tolerance)},
                            {"direction", finding.lower_is_better ? "lower" : "higher"}, {"unit", finding.unit},
                            {"outcome", finding.outcome}, {"message", finding.message}});
    }
    return {{"outcome", result.summary.outcome}, {"sentence", result.summary.sentence}, {"findings", findings}};
}

int run_check(const Options& options) {
    const auto start = std::chrono::steady_clock::now();
    const RunRecord run = RunRecord::load(options.results);
    const json baseline = parse_baseline(read_file(options.baseline, 256 << 20), options.baseline);
    GateResult result = check_regression(run, baseline, options.results, options.baseline);
    result.summary.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (!options.junit.empty()) write_file(options.junit, render_junit(result.summary, result.findings));
    if (!options.markdown.empty()) write_file(options.markdown, render_gate_markdown(result.summary, result.findings));
    if (options.as_json) {
        fmt::print("{}\n", to_json(result).dump(1, ' ', false, json::error_handler_t::replace));
        return result.exit_code;
    }
    for (const GateFinding& finding : result.findings) {
        if (finding.outcome == "pass") continue;
        fmt::print("{:<14} {} {} {} {}: {}\n", finding.outcome, finding.dataset, finding.generator, finding.metric,
                   finding.group, finding.message);
    }
    fmt::print("{}\n", result.summary.sentence);
    return result.exit_code;
}

int update_baseline(const Options& options) {
    write_file(options.output, render_baseline(RunRecord::load(options.results)));
    fmt::print(stderr, "baseline: {}\n", options.output);
    return exit_code::success;
}

}  // namespace

void add_check(CLI::App& app, Action& action) {
    auto options = std::make_shared<Options>();
    CLI::App* verb = app.add_subcommand(
        "check", "Regression gate: exit code 0 pass, 1 regression, 3 inconclusive, 4 not comparable");
    verb->add_option("RESULTS", options->results, "results.json, or the folder of a run")->required();
    verb->add_option("--baseline", options->baseline, "baseline record ('tracebench baseline update' makes one)")
        ->required();
    verb->add_option("--junit", options->junit, "write JUnit XML here");
    verb->add_option("--markdown", options->markdown, "write a Markdown summary here");
    verb->add_flag("--json", options->as_json, "one JSON document on standard output");
    verb->callback([options, &action] { action = [options] { return run_check(*options); }; });
}

void add_baseline(CLI::App& app, Action& action) {
    auto options = std::make_shared<Options>();
    CLI::App* verb = app.add_subcommand("baseline", "Baseline records for 'tracebench check'");
    verb->require_subcommand(1);
    CLI::App* update = verb->add_subcommand("update", "Write a reviewable baseline record from a run");
    update->add_option("RESULTS", options->results, "results.json, or the folder of a run")->required();
    update->add_option("-o,--output", options->output, "where to write it")->required();
    update->callback([options, &action] { action = [options] { return update_baseline(*options); }; });
}

}  // namespace tracebench::cli
