#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "bench/cli/verbs.h"
#include "bench/exit_code.h"
#include "reports/comparison.h"
#include "reports/render.h"

namespace tracebench::cli {
namespace {

struct CompareOptions {
    std::string a, b;
    std::string output;
    bool markdown = false;
    bool json = false;
};

int run_compare(const CompareOptions& options) {
    const RunRecord a = RunRecord::load(options.a);
    const RunRecord b = RunRecord::load(options.b);
    for (const std::string& warning : comparison_warnings(a, b))
        fmt::print(stderr, "tracebench: {}\n", printable(warning));
    const bool text = options.json || options.markdown;
    const std::string output = !options.output.empty() ? options.output : text ? "-" : "compare.html";
    write_file(output, options.json       ? comparison_json(a, b).dump(2) + "\n"
                       : options.markdown ? render_comparison_markdown(a, b, options.a, options.b)
                                          : render_comparison_html(a, b, options.a, options.b));
    if (output != "-") fmt::print(stderr, "comparison written to {}\n", output);
    return exit_code::success;
}

}  // namespace

void add_compare(CLI::App& app, Action& action) {
    auto options = std::make_shared<CompareOptions>();
    CLI::App* verb =
        app.add_subcommand("compare", "Two runs side by side: what got better or worse, with intervals");
    verb->add_option("A", options->a, "the earlier or reference run: its folder or results.json")->required();
    verb->add_option("B", options->b, "the other run")->required();
    verb->add_option("-o,--output", options->output,
                     "where to write (default: compare.html; standard output for --markdown and --json)");
    CLI::Option* markdown = verb->add_flag("--markdown", options->markdown, "Markdown instead of HTML");
    verb->add_flag("--json", options->json, "JSON instead of HTML")->excludes(markdown);
    verb->callback([options, &action] { action = [options] { return run_compare(*options); }; });
}

}  // namespace tracebench::cli
