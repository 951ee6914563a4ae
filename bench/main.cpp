/// Entry point: parses the command line, runs one verb, turns errors into one line and an exit code.

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "base/error.h"
#include "base/progress.h"
#include "bench/cli/verbs.h"

namespace {

using namespace tracebench;

/// In the order of `tracebench --help`: the whole chain first, then its parts, then looking at captures.
void add_verbs(CLI::App& app, cli::Action& action) {
    cli::add_run(app, action);
    cli::add_plan(app, action);
    cli::add_task(app, action);
    cli::add_report(app, action);
    cli::add_compare(app, action);
    cli::add_check(app, action);
    cli::add_baseline(app, action);
    cli::add_train(app, action);
    cli::add_generate(app, action);
    cli::add_distance(app, action);
    cli::add_classify(app, action);
    cli::add_privacy(app, action);
    cli::add_inspect(app, action);
    cli::add_flows(app, action);
    cli::add_compliance(app, action);
    cli::add_nprint(app, action);
    cli::add_tokens(app, action);
    cli::add_data(app, action);
    cli::add_doctor(app, action);
}

/// OpenMP's threads spin while they wait for each other, which on a machine that others use too makes
/// training four times slower. OpenBLAS's, which LibTorch's products of matrices use, spin while they wait
/// for work or for their turn: two models trained side by side take twice the time. These are small products,
/// not slower on one thread. Both libraries read this when the program is loaded, so it is started once more.
void wait_without_spinning(char** argv) {
    if (std::getenv("OMP_WAIT_POLICY") != nullptr || std::getenv("GOMP_SPINCOUNT") != nullptr) return;
    setenv("OMP_WAIT_POLICY", "passive", 1);
    setenv("OPENBLAS_NUM_THREADS", "1", 0);
    execv("/proc/self/exe", argv);  // where it cannot be, things are slower and no worse
}

int run(int argc, char** argv) {
    CLI::App app{"tracebench: how far is this synthetic traffic from the real thing, and does it matter?"};
    app.name("tracebench");
    app.require_subcommand(1);
    app.set_version_flag("--version", TRACEBENCH_VERSION);
    cli::Action action;
    add_verbs(app, action);
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& success) {
        return app.exit(success);
    } catch (const CLI::ParseError& error) {
        const bool unknown_verb = app.get_subcommands().empty() && argc > 1 && argv[1][0] != '-';
        fmt::print(
            stderr, "tracebench: {}; see 'tracebench --help'\n",
            unknown_verb ? fmt::format("'{}' is no verb", printable(argv[1])) : printable(error.what()));
        return 2;
    }
    return action();
}

}  // namespace

int main(int argc, char** argv) {
    wait_without_spinning(argv);
    install_interrupt_handler();
    try {
        return run(argc, argv);
    } catch (const InputError& error) {
        fmt::print(stderr, "tracebench: {}\n", error.what());
        return 2;
    } catch (const Interrupted&) {
        fmt::print(stderr, "tracebench: interrupted; what was finished is kept\n");
        return 130;
    } catch (const std::exception& error) {
        fmt::print(stderr, "tracebench: internal error: {}; please report it with the command you ran\n",
                   printable(error.what()));
        return 5;
    }
}
