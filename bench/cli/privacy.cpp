// tracebench privacy: what synthetic traffic gives away of the traffic that its generator learned from.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "bench/cli/captures.h"
#include "bench/cli/verbs.h"
#include "metrics/privacy/memorisation.h"

namespace tracebench::cli {
namespace {

struct Options {
    std::string train, synthetic, heldout;
    bool json = false;
    ProximityOptions proximity;
};

PrivacyView view_captures(const std::string& path) {
    return view_privacy(load_captures(path));
}

nlohmann::json to_json(const Share& share) {
    nlohmann::json json = {{"count", share.part}, {"of", share.whole}, {"rate", nullptr}};
    if (const auto rate = share.rate()) json["rate"] = *rate;
    return json;
}

nlohmann::json leaks(const PrivacyView& side, const PrivacyView& train) {
    return {{"addresses", to_json(leaked(side.identifiers.addresses, train.identifiers.addresses))},
            {"macs", to_json(leaked(side.identifiers.macs, train.identifiers.macs))},
            {"endpoints", to_json(leaked(side.identifiers.endpoints, train.identifiers.endpoints))},
            {"connections", to_json(leaked(side.identifiers.connections, train.identifiers.connections))}};
}

nlohmann::json to_json(const Proximity& proximity) {
    nlohmann::json json = {{"distance_ratio", proximity.distance_ratio},
                           {"membership",
                            {{"auc", proximity.auc},
                             {"auc_ci95", nullptr},
                             {"tpr_at_1pct_fpr", proximity.tpr_at_1pct_fpr},
                             {"members", proximity.members},
                             {"non_members", proximity.non_members}}},
                           {"synthetic_flows_compared", proximity.synthetic}};
    if (const auto interval = interval95(proximity.auc_replicates))
        json["membership"]["auc_ci95"] = {interval->low, interval->high};
    return json;
}

nlohmann::json measure(const Options& options) {
    const PrivacyView train = view_captures(options.train), synthetic = view_captures(options.synthetic);
    nlohmann::json json = {{"exact_copies", to_json(exact_copies(synthetic.flows, train.flows))},
                           {"min_copy_packets", min_copy_packets},
                           {"identifiers", leaks(synthetic, train)},
                           {"heldout", nullptr},
                           {"proximity", nullptr}};
    if (options.heldout.empty()) return json;
    const PrivacyView heldout = view_captures(options.heldout);
    json["heldout"] = {{"exact_copies", to_json(exact_copies(heldout.flows, train.flows))},
                       {"identifiers", leaks(heldout, train)}};
    if (const auto proximity = measure_proximity(train, heldout, synthetic, options.proximity))
        json["proximity"] = to_json(*proximity);
    return json;
}

std::string share_text(const nlohmann::json& share) {
    if (share["rate"].is_null()) return "none to compare";
    return fmt::format("{:.1f}% ({} of {})", share["rate"].get<double>() * 100,
                       share["count"].get<std::size_t>(), share["of"].get<std::size_t>());
}

void print_text(const nlohmann::json& json) {
    const nlohmann::json& heldout = json["heldout"];
    const auto line = [&](const std::string& title, auto share_of) {
        fmt::print("{:34} {:26} {}\n", title, share_text(share_of(json)),
                   heldout.is_null() ? "" : share_text(share_of(heldout)));
    };
    fmt::print("{:34} {:26} {}\n", "found in train", "synthetic",
               heldout.is_null() ? "" : "held-out (never seen)");
    line(fmt::format("flows of {}+ packets, exact copies", min_copy_packets),
         [](const nlohmann::json& side) { return side["exact_copies"]; });
    for (const char* kind : {"addresses", "macs", "endpoints", "connections"})
        line(kind, [kind](const nlohmann::json& side) { return side["identifiers"][kind]; });
    if (heldout.is_null()) {
        fmt::print("\nGive --heldout for what is natural, and for membership inference.\n");
        return;
    }
    if (json["proximity"].is_null()) return;
    const nlohmann::json& membership = json["proximity"]["membership"];
    fmt::print(
        "\nNearest training over nearest held-out flow: {:.3f} (1: no closer to what was learned from)\n",
        json["proximity"]["distance_ratio"].get<double>());
    fmt::print("Membership inference: AUC {:.3f}", membership["auc"].get<double>());
    if (!membership["auc_ci95"].is_null())
        fmt::print(", 95% interval {:.3f}..{:.3f}", membership["auc_ci95"][0].get<double>(),
                   membership["auc_ci95"][1].get<double>());
    fmt::print(" (0.5: nothing to be learned); {:.1f}% found at 1% false alarms\n",
               membership["tpr_at_1pct_fpr"].get<double>() * 100);
}

int run(const Options& options) {
    const nlohmann::json json = measure(options);
    if (options.json)
        fmt::print("{}\n", json.dump(1));
    else
        print_text(json);
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
    verb->add_option("--max-flows", options->proximity.max_flows,
                     "flows of a side that are compared by distance; more are thinned at random")
        ->capture_default_str()
        ->check(CLI::Range(std::size_t{10}, std::size_t{100'000}));
    verb->add_option("--seed", options->proximity.seed, "of thinning and resampling")->capture_default_str();
    verb->callback([options, &action] { action = [options] { return run(*options); }; });
}

}  // namespace tracebench::cli
