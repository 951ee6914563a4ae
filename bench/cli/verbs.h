#pragma once
/// The command line's verbs: one file each. A verb adds its subcommand and, when chosen, sets `action`.
///
///     void add_flows(CLI::App& app, Action& action) {
///         auto options = std::make_shared<Options>();
///         CLI::App* verb = app.add_subcommand("flows", "Flows of a capture");
///         verb->add_option("CAPTURE", options->capture, "...")->required();
///         verb->callback([options, &action] { action = [options] { return run(*options); }; });
///     }
///
/// An action returns the exit code: 0 success, 1 regression or strict failure, 3 inconclusive, 4 not
/// comparable; it throws InputError for 2 and Interrupted for 130 (see main.cpp).

#include <functional>

namespace CLI {
class App;
}

namespace tracebench::cli {

using Action = std::function<int()>;
void add_classify(CLI::App& app, Action& action);
void add_compliance(CLI::App& app, Action& action);
void add_distance(CLI::App& app, Action& action);
void add_flows(CLI::App& app, Action& action);
void add_inspect(CLI::App& app, Action& action);
void add_nprint(CLI::App& app, Action& action);
void add_tokens(CLI::App& app, Action& action);
void add_privacy(CLI::App& app, Action& action);
void add_report(CLI::App& app, Action& action);
void add_compare(CLI::App& app, Action& action);
void add_run(CLI::App& app, Action& action);
void add_plan(CLI::App& app, Action& action);
void add_task(CLI::App& app, Action& action);
void add_check(CLI::App& app, Action& action);
void add_baseline(CLI::App& app, Action& action);
void add_data(CLI::App& app, Action& action);
void add_doctor(CLI::App& app, Action& action);
void add_train(CLI::App& app, Action& action);
void add_generate(CLI::App& app, Action& action);

}  // namespace tracebench::cli
