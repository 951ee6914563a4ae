// tracebench inspect CAPTURE: what a person wants to know about a capture before using it.

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "bench/cli/capture_summary.h"
#include "bench/cli/damage.h"
#include "bench/cli/flow_text.h"
#include "bench/cli/verbs.h"

namespace tracebench::cli {
namespace {

struct Options {
    std::string capture;
    bool json = false;
    std::size_t top = 10;
};

std::string link_name(std::uint16_t link) {
    switch (link) {
        case link_type::null_loopback:
            return "BSD loopback";
        case link_type::ethernet:
            return "Ethernet";
        case link_type::ppp:
            return "PPP";
        case link_type::raw_ip:
        case 12:
        case 14:
            return "raw IP";
        case link_type::ieee80211:
            return "802.11";
        case link_type::openbsd_loop:
            return "OpenBSD loopback";
        case link_type::linux_sll:
            return "Linux cooked";
        case link_type::radiotap:
            return "802.11 with radiotap";
        case link_type::ipv4:
            return "raw IPv4";
        case link_type::ipv6:
            return "raw IPv6";
        case link_type::linux_sll2:
            return "Linux cooked v2";
        default:
            return fmt::format("link type {}", link);
    }
}

/// `12.3 MB`, `480 kbit/s`: three or four digits.
std::string quantity(double value, std::string_view unit) {
    std::string_view prefix = "";
    for (const std::string_view larger : {"k", "M", "G", "T"}) {
        if (value < 1000) break;
        value /= 1000;
        prefix = larger;
    }
    return fmt::format("{:.{}f} {}{}", value, prefix.empty() ? 0 : 1, prefix, unit);
}

std::string utc(std::int64_t ns) {
    const std::time_t seconds = ns / 1'000'000'000 - (ns % 1'000'000'000 < 0 ? 1 : 0);
    return fmt::format("{:%Y-%m-%d %H:%M:%S} UTC", fmt::gmtime(seconds));
}

/// `part` of `whole` in per cent.
double percent(std::uint64_t part, std::uint64_t whole) {
    return whole == 0 ? 0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

/// Linear interpolation between order statistics (type 7). Requires values.
double quantile(const std::vector<double>& ascending, double q) {
    const double at = q * static_cast<double>(ascending.size() - 1);
    const auto below = static_cast<std::size_t>(at);
    const std::size_t above = std::min(below + 1, ascending.size() - 1);
    return ascending[below] + (at - static_cast<double>(below)) * (ascending[above] - ascending[below]);
}

/// Most packets first.
std::vector<std::pair<std::string, Volume>> by_packets(const std::map<std::string, Volume>& protocols) {
    std::vector<std::pair<std::string, Volume>> sorted(protocols.begin(), protocols.end());
    std::stable_sort(sorted.begin(), sorted.end(),
                     [](const auto& a, const auto& b) { return a.second.packets > b.second.packets; });
    return sorted;
}

void print_packets(const CaptureSummary& s) {
    const double duration = s.duration_s();
    const auto bytes = static_cast<double>(s.all.bytes);
    fmt::print("{} packets, {} on the wire, {} captured", s.all.packets, quantity(bytes, "B"),
               quantity(static_cast<double>(s.captured_bytes), "B"));
    if (s.cut_packets > 0) fmt::print("; {} packets cut by the snap length", s.cut_packets);
    fmt::print("\n{} to {}: {}", utc(s.first_ns), utc(s.last_ns), format_duration(duration));
    if (duration > 0)
        fmt::print(", {:.1f} packets/s, {}", static_cast<double>(s.all.packets) / duration,
                   quantity(bytes * 8 / duration, "bit/s"));
    fmt::print("\nlink:");
    for (const auto& [link, packets] : s.link_types)
        fmt::print(" {}{}", link_name(link), s.link_types.size() > 1 ? fmt::format(" ({})", packets) : "");
    fmt::print("\n");
    if (s.fragments > 0) fmt::print("{} packets are IP fragments\n", s.fragments);
    if (s.tunnelled > 0)
        fmt::print("{} packets carry another IP packet (GRE, IP-in-IP); flows are of the outer one\n",
                   s.tunnelled);
    if (s.time_reversals > 0)
        fmt::print("{} packets are timed before the one ahead of them\n", s.time_reversals);
    fmt::print("\n{:>10} {:>7} {:>12}  protocol\n", "packets", "share", "bytes");
    for (const auto& [name, volume] : by_packets(s.protocols))
        fmt::print("{:>10} {:>6.1f}% {:>12}  {}\n", volume.packets, percent(volume.packets, s.all.packets),
                   volume.bytes, name);
}

void print_flows(const CaptureSummary& s) {
    fmt::print("\n{} flows: {} TCP, {} UDP, {} other\n", s.flows, s.tcp_flows, s.udp_flows,
               s.flows - s.tcp_flows - s.udp_flows);
    if (s.tcp_flows > 0) {
        fmt::print("TCP: {} with a handshake, {} closed, {} retransmissions, {} segments out of order\n",
                   s.handshakes, s.closed, s.retransmissions, s.out_of_order);
    }
    if (!s.rtt_ms.empty())
        fmt::print("handshake round trip: median {:.2f} ms, 5% to 95% {:.2f} to {:.2f} ms\n",
                   quantile(s.rtt_ms, 0.5), quantile(s.rtt_ms, 0.05), quantile(s.rtt_ms, 0.95));
    if (s.top_flows.empty()) return;
    fmt::print("largest:\n{}\n", flow_row_header());
    for (const Flow& flow : s.top_flows) fmt::print("{}\n", flow_row(flow, s.first_ns));
}

void print_rules(const ComplianceResult& result) {
    fmt::print("\nprotocol rules: {} of {} packets that could be checked fail one; score {:.4f}\n",
               result.packets_failed, result.packets_checked, result.score());
    std::uint64_t offloaded = 0;
    for (const RuleResult& rule : result.rules) {
        offloaded += rule.offloaded;
        if (rule.failed == 0) continue;
        fmt::print("{:>10} of {:<10} {:30} {} (frame {})\n", rule.failed, rule.checked, rule.rule->id,
                   rule.rule->title, rule.examples.empty() ? 0 : rule.examples.front());
    }
    if (offloaded > 0)
        fmt::print("{} checksums were left to the network card and are not counted\n", offloaded);
}

nlohmann::ordered_json rules_json(const ComplianceResult& result) {
    nlohmann::ordered_json failed = nlohmann::ordered_json::array();
    for (const RuleResult& rule : result.rules)
        if (rule.failed > 0)
            failed.push_back({{"id", rule.rule->id},
                              {"reference", rule.rule->reference},
                              {"checked", rule.checked},
                              {"failed", rule.failed},
                              {"examples", rule.examples}});
    return {{"score", result.score()},
            {"packets_checked", result.packets_checked},
            {"packets_failed", result.packets_failed},
            {"failed_rules", std::move(failed)}};
}

nlohmann::ordered_json to_json(const CaptureSummary& s) {
    nlohmann::ordered_json links = nlohmann::ordered_json::array(), protocols = links, top = links;
    for (const auto& [link, packets] : s.link_types)
        links.push_back({{"link_type", link}, {"name", link_name(link)}, {"packets", packets}});
    for (const auto& [name, volume] : by_packets(s.protocols))
        protocols.push_back({{"protocol", name}, {"packets", volume.packets}, {"bytes", volume.bytes}});
    for (const Flow& flow : s.top_flows) top.push_back(nlohmann::ordered_json::parse(flow_json(flow)));
    nlohmann::ordered_json flows = {{"count", s.flows},
                                    {"tcp", s.tcp_flows},
                                    {"udp", s.udp_flows},
                                    {"handshakes", s.handshakes},
                                    {"closed", s.closed},
                                    {"retransmissions", s.retransmissions},
                                    {"out_of_order", s.out_of_order},
                                    {"rtt_ms_median", nullptr},
                                    {"largest", std::move(top)}};
    if (!s.rtt_ms.empty()) flows["rtt_ms_median"] = quantile(s.rtt_ms, 0.5);
    nlohmann::ordered_json damage = nullptr;
    if (s.damage) damage = {{"offset", s.damage->offset}, {"what", s.damage->what}};
    return {{"packets", s.all.packets},
            {"bytes", s.all.bytes},
            {"captured_bytes", s.captured_bytes},
            {"cut_packets", s.cut_packets},
            {"fragments", s.fragments},
            {"tunnelled", s.tunnelled},
            {"first", static_cast<double>(s.first_ns) * 1e-9},
            {"last", static_cast<double>(s.last_ns) * 1e-9},
            {"duration_s", s.duration_s()},
            {"links", std::move(links)},
            {"protocols", std::move(protocols)},
            {"flows", std::move(flows)},
            {"compliance", rules_json(s.compliance)},
            {"damage", std::move(damage)}};
}

int run(const Options& options) {
    CaptureReader reader(options.capture);
    CaptureSummary summary;
    {
        ConsoleProgress progress("inspect");
        summary = summarise(reader, options.top, progress);
    }
    if (options.json) {
        fmt::print("{}\n", to_json(summary).dump(2));
    } else if (summary.all.packets == 0) {
        fmt::print("no packets\n");
    } else {
        print_packets(summary);
        print_flows(summary);
        print_rules(summary.compliance);
    }
    warn_damage(options.capture, summary.damage, summary.all.packets);
    return 0;
}

}  // namespace

void add_inspect(CLI::App& app, Action& action) {
    auto options = std::make_shared<Options>();
    CLI::App* verb = app.add_subcommand(
        "inspect", "What a capture holds: volume, protocols, flows, protocol rules it breaks");
    verb->add_option("CAPTURE", options->capture, "pcap or pcapng file; - reads standard input")->required();
    verb->add_flag("--json", options->json, "one JSON document instead of text");
    verb->add_option("--top", options->top, "how many of the largest flows to show")
        ->capture_default_str()
        ->check(CLI::Range(std::size_t{0}, std::size_t{100'000}));
    verb->callback([options, &action] { action = [options] { return run(*options); }; });
}

}  // namespace tracebench::cli
