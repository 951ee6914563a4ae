// tracebench distance REAL SYNTHETIC: how far every field of synthetic traffic is from the real one.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <mutex>
#include <optional>
#include <set>

#include "base/csv.h"
#include "base/error.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "bench/cli/captures.h"
#include "bench/cli/verbs.h"
#include "metrics/distance/csv_columns.h"
#include "metrics/distance/field_report.h"

namespace tracebench::cli {
namespace {

struct Options {
    std::string real, synthetic;
    bool columns = false, json = false;
    unsigned threads = 0;
    ReportOptions report;
};

struct Outcome {
    std::vector<FieldReport> fields;
    nlohmann::json summary;
};

nlohmann::json describe(const Observations& side) {
    return {{"sessions", side.sessions()},
            {"packets", side.packets},
            {"flows", side.flows},
            {"bytes", side.bytes}};
}

Outcome compare_captures(const Options& options) {
    // A capture is one session.
    Observations real = observe_captures(options.real), synthetic = observe_captures(options.synthetic);
    // Labels keep the mix of classes fixed in resamples; they help only where both sides have them.
    const auto labels_of = [](const Observations& side) {
        return std::set<std::string>(side.session_labels.begin(), side.session_labels.end());
    };
    if (labels_of(real) != labels_of(synthetic))
        for (Observations* side : {&real, &synthetic}) side->session_labels.assign(side->sessions(), "");
    Outcome outcome;
    ConsoleProgress progress("distance");
    std::mutex mutex;
    std::size_t done = 0;
    std::vector<std::optional<FieldReport>> reports(real.columns.size());
    parallel_for(reports.size(), [&](std::size_t i) {
        progress.check_interrupted();
        Column &left = real.columns[i], &right = synthetic.columns[i];
        if (!left.values.empty() || !right.values.empty())
            reports[i] =
                report_field(left, real.session_labels, right, synthetic.session_labels, options.report);
        left = right = {};  // room for the others
        const std::lock_guard lock(mutex);
        progress.update(static_cast<double>(++done), static_cast<double>(reports.size()), "fields");
    });
    for (std::optional<FieldReport>& report : reports)
        if (report) outcome.fields.push_back(std::move(*report));
    outcome.summary = {{"unit", "session"}, {"real", describe(real)}, {"synthetic", describe(synthetic)}};
    return outcome;
}

Outcome compare_columns(const Options& options) {
    const CsvTable real = read_csv(options.real), synthetic = read_csv(options.synthetic);
    Outcome outcome;
    ConsoleProgress progress("distance");
    const std::vector<ColumnPair> pairs = pair_columns(real, synthetic);
    const std::vector<std::string> real_labels(real.rows.size()), synthetic_labels(synthetic.rows.size());
    for (const ColumnPair& pair : pairs) {
        progress.check_interrupted();
        progress.update(static_cast<double>(outcome.fields.size()), static_cast<double>(pairs.size()),
                        "columns");
        outcome.fields.push_back(report_field(pair.real, real_labels, pair.synthetic, synthetic_labels,
                                              options.report, pair.names));
    }
    outcome.summary = {{"unit", "row"},
                       {"real", {{"rows", real.rows.size()}}},
                       {"synthetic", {{"rows", synthetic.rows.size()}}}};
    return outcome;
}

void add_means(Outcome& outcome) {
    nlohmann::json means;
    for (const std::size_t m : {measure::jsd, measure::tvd, measure::hellinger}) {
        double sum = 0;
        for (const FieldReport& field : outcome.fields) sum += field.value(m);
        means[std::string(measure::names[m])] = sum / static_cast<double>(outcome.fields.size());
    }
    outcome.summary["fields"] = outcome.fields.size();
    outcome.summary["mean"] = std::move(means);
}

void print_json(const Outcome& outcome) {
    nlohmann::json document = {{"summary", outcome.summary}, {"fields", nlohmann::json::array()}};
    for (const FieldReport& field : outcome.fields) document["fields"].push_back(field.to_json());
    fmt::print("{}\n", document.dump(1, ' ', false, nlohmann::json::error_handler_t::replace));
}

std::string interval_text(const FieldReport& field, std::size_t m) {
    if (!field.intervals) return "";
    return fmt::format("{:.3f}..{:.3f}", (*field.intervals)[m].low, (*field.intervals)[m].high);
}

/// Farthest field first.
void print_table(const Outcome& outcome) {
    std::vector<const FieldReport*> order;
    for (const FieldReport& field : outcome.fields) order.push_back(&field);
    std::stable_sort(order.begin(), order.end(), [](const FieldReport* a, const FieldReport* b) {
        return a->value(measure::jsd) > b->value(measure::jsd);
    });
    fmt::print("{:28} {:>9} {:>9} {:>6} {:>14} {:>6} {:>6} {:>6} {:>6} {:>14}\n", "field", "n real",
               "n synth", "JSD", "95% interval", "floor", "TVD", "Hell.", "KS", "Wasserstein-1");
    for (const FieldReport* field : order) {
        const bool ordered = field->info.kind == FieldKind::continuous;
        fmt::print("{:28} {:>9} {:>9} {:>6.3f} {:>14} {:>6} {:>6.3f} {:>6.3f} {:>6} {:>14}\n",
                   printable(field->info.name), field->n_real, field->n_synthetic, field->value(measure::jsd),
                   interval_text(*field, measure::jsd),
                   field->floor ? fmt::format("{:.3f}", (*field->floor)[measure::jsd]) : "",
                   field->value(measure::tvd), field->value(measure::hellinger),
                   ordered ? fmt::format("{:.3f}", field->value(measure::ks)) : "",
                   ordered && field->distances
                       ? fmt::format("{:.4g} {}", (*field->distances)[measure::wasserstein],
                                     field->info.unit == "1" ? "" : field->info.unit)
                       : "");
    }
    const std::string unit = outcome.summary["unit"];
    fmt::print("\n{} fields, mean JSD {:.3f} (0 alike, 1 disjoint). Floor: between halves of the real {}s.\n",
               order.size(), outcome.summary["mean"]["jsd"].get<double>(), unit);
    const bool intervals =
        std::any_of(order.begin(), order.end(), [](const auto* f) { return f->intervals; });
    if (!intervals)
        fmt::print(
            "No intervals: they need two {0}s or more on either side (packets of one {0} are not "
            "independent).\n",
            unit);
}

int run(const Options& options) {
    set_compute_threads(options.threads);
    Outcome outcome = options.columns ? compare_columns(options) : compare_captures(options);
    add_means(outcome);
    options.json ? print_json(outcome) : print_table(outcome);
    return 0;
}

}  // namespace

void add_distance(CLI::App& app, Action& action) {
    auto options = std::make_shared<Options>();
    CLI::App* verb = app.add_subcommand(
        "distance",
        "Distances between real and synthetic traffic: every header field, flow and session feature");
    verb->add_option("REAL", options->real,
                     "capture, or folder of captures (a session each); with --columns a CSV file")
        ->required();
    verb->add_option("SYNTHETIC", options->synthetic, "the same for what is compared with it")->required();
    verb->add_flag("--columns", options->columns,
                   "compare CSV files with equal headers column by column; rows count as independent");
    verb->add_flag("--json", options->json, "one JSON document, bins included, instead of a table");
    verb->add_option("--bootstrap", options->report.bootstrap, "resamples for the intervals; 0: none")
        ->capture_default_str()
        ->check(CLI::Range(std::size_t{0}, std::size_t{100'000}));
    verb->add_option("--seed", options->report.seed, "of the resamples")->capture_default_str();
    verb->add_option("--threads", options->threads, "Threads; 0: one a core. The result is the same")
        ->capture_default_str()
        ->check(CLI::Range(0U, 1024U));
    verb->callback([options, &action] { action = [options] { return run(*options); }; });
}

}  // namespace tracebench::cli
