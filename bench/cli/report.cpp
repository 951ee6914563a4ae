#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>

#include "base/file.h"
#include "bench/cli/verbs.h"
#include "bench/exit_code.h"
#include "reports/render.h"

namespace tracebench::cli {
namespace {

namespace fs = std::filesystem;

struct ReportOptions {
    std::string run;
    std::string output;
};

/// report.html beside the record, wherever that is.
fs::path default_output(const fs::path& run) {
    if (run == "-") return "report.html";
    return (fs::is_directory(run) ? run : run.parent_path()) / "report.html";
}

int run_report(const ReportOptions& options) {
    const RunRecord record = RunRecord::load(options.run);
    const fs::path output = options.output.empty() ? default_output(options.run) : fs::path(options.output);
    write_file(output, render_html(record));
    if (output != "-") fmt::print(stderr, "report written to {}\n", output.string());
    return exit_code::success;
}

}  // namespace

void add_report(CLI::App& app, Action& action) {
    auto options = std::make_shared<ReportOptions>();
    CLI::App* verb = app.add_subcommand("report", "Make the HTML report of a run again");
    verb->add_option("RUN", options->run, "folder of a run, or its results.json ('-': standard input)")
        ->required();
    verb->add_option("-o,--output", options->output,
                     "where to write ('-': standard output; default: report.html beside it)");
    verb->callback([options, &action] { action = [options] { return run_report(*options); }; });
}

}  // namespace tracebench::cli
