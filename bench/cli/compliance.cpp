// tracebench compliance CAPTURE: which protocol rules a capture keeps.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "bench/cli/damage.h"
#include "bench/cli/verbs.h"
#include "bench/exit_code.h"
#include "traffic/capture_reader.h"
#include "traffic/rules/checker.h"
#include "traffic/rules/rule_list.h"

namespace tracebench::cli {
namespace {

struct Options {
    std::string capture;
    bool json = false, strict = false, all = false, list = false;
    unsigned threads = 0;
};

std::string frame_list(const std::vector<std::uint64_t>& frames) {
    std::string text;
    for (const std::uint64_t frame : frames) text += fmt::format("{}{}", text.empty() ? "" : ",", frame);
    return text;
}

void print_text(const ComplianceResult& result, bool all) {
    fmt::print("{} packets; {} of {} that could be checked fail a rule; score {:.6f}\n", result.packets,
               result.packets_failed, result.packets_checked, result.score());
    bool header = false;
    for (const RuleResult& rule : result.rules) {
        if (all ? rule.checked + rule.not_checkable == 0 : rule.failed == 0) continue;
        if (!header)
            fmt::print("{:>10} {:>10} {:>13}  {:32} {}\n", "failed", "checked", "not checkable", "rule",
                       "frames");
        header = true;
        fmt::print("{:>10} {:>10} {:>13}  {:32} {}\n", rule.failed, rule.checked, rule.not_checkable,
                   rule.rule->id, frame_list(rule.examples));
    }
}

nlohmann::json observed_json(const ComplianceResult& result) {
    nlohmann::json list = nlohmann::json::array();
    for (const BehaviourCount& entry : result.observed)
        list.push_back({{"id", entry.behaviour->id},
                        {"title", entry.behaviour->title},
                        {"reference", entry.behaviour->reference},
                        {"rate", entry.of == 0 ? nlohmann::json() : nlohmann::json(entry.rate())},
                        {"count", entry.count},
                        {"of", entry.of}});
    return list;
}

nlohmann::json to_json(const ComplianceResult& result) {
    nlohmann::json rules = nlohmann::json::array();
    for (const RuleResult& rule : result.rules)
        rules.push_back({{"id", rule.rule->id},
                         {"title", rule.rule->title},
                         {"reference", rule.rule->reference},
                         {"scope", scope_name(rule.rule->scope())},
                         {"checked", rule.checked},
                         {"failed", rule.failed},
                         {"not_checkable", rule.not_checkable},
                         {"offloaded", rule.offloaded},
                         {"examples", rule.examples}});
    return {{"packets", result.packets},
            {"packets_checked", result.packets_checked},
            {"packets_failed", result.packets_failed},
            {"score", result.score()},
            {"rules", std::move(rules)},
            {"observed", observed_json(result)}};
}

void print_observed(const ComplianceResult& result) {
    fmt::print("{:>10} {:>10} {:>13}  observed\n", "count", "of", "rate");
    for (const BehaviourCount& entry : result.observed)
        if (entry.count > 0)
            fmt::print("{:>10} {:>10} {:>13.6f}  {:32} {}\n", entry.count, entry.of, entry.rate(),
                       entry.behaviour->id, entry.behaviour->title);
}

int run(const Options& options) {
    if (options.list) {
        fmt::print("{}", rule_list_markdown());
        return exit_code::success;
    }
    if (options.capture.empty())
        throw InputError("compliance", "no capture given", "name a pcap or pcapng file");
    set_compute_threads(options.threads);
    CaptureReader reader(options.capture);
    ConsoleProgress progress("compliance");
    const ComplianceResult result = stream_compliance([&](PacketView& packet) {
        if (!reader.next(packet)) return false;
        if ((packet.frame & 0xFFFF) == 0) {
            progress.check_interrupted();
            progress.update(static_cast<double>(reader.position()), static_cast<double>(reader.file_size()),
                            "B");
        }
        return true;
    });
    if (options.json) {
        nlohmann::json document = to_json(result);
        document["damage"] =
            reader.damage() ? nlohmann::json{{"offset", reader.damage()->offset}} : nlohmann::json();
        fmt::print("{}\n", document.dump(1));
    } else {
        print_text(result, options.all);
        if (options.all) print_observed(result);
    }
    warn_damage(options.capture, reader.damage(), result.packets);
    return options.strict && result.packets_failed > 0 ? exit_code::failed : exit_code::success;
}

}  // namespace

void add_compliance(CLI::App& app, Action& action) {
    auto options = std::make_shared<Options>();
    CLI::App* verb = app.add_subcommand(
        "compliance",
        "Protocol rules that a capture keeps or breaks.\n"
        "What the capture does not hold (cut packets, flows that began before it, checksums left to the "
        "network\n"
        "card) is counted as not checkable, never as failed. docs/rules.md describes every rule.");
    verb->add_option("CAPTURE", options->capture, "pcap or pcapng file; - reads standard input");
    verb->add_flag("--json", options->json, "One JSON document on standard output");
    verb->add_flag("--strict", options->strict, "Exit code 1 where a packet fails a rule");
    verb->add_flag("--all", options->all,
                   "List also the rules that nothing fails, and behaviour that is no violation");
    verb->add_flag("--list-rules", options->list, "The rules themselves as Markdown, without a capture");
    verb->add_option("--threads", options->threads, "Threads; 0: one a core. The result is the same")
        ->capture_default_str()
        ->check(CLI::Range(0U, 1024U));
    verb->callback([options, &action] { action = [options] { return run(*options); }; });
}

}  // namespace tracebench::cli
