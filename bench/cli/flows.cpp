// tracebench flows CAPTURE: every flow of a capture, in order of first packets.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>

#include "base/error.h"
#include "base/progress.h"
#include "bench/cli/damage.h"
#include "bench/cli/flow_csv.h"
#include "bench/cli/flow_text.h"
#include "bench/cli/verbs.h"
#include "traffic/capture_reader.h"
#include "traffic/flow_table.h"

namespace tracebench::cli {
namespace {

struct Options {
    std::string capture;
    bool json = false, csv = false;
    std::string features = "cic";  ///< of the CSV
    bool inner = false;
    FlowOptions flow;
};

/// Prints flows in order of first packets. A capture may hold more flows than memory does: past
/// `max_waiting` bytes, the earliest is printed although one before it is still live.
class FlowOrder {
  public:
    explicit FlowOrder(std::function<void(const std::string&)> sink) : sink_(std::move(sink)) {}

    void add(std::uint64_t number, std::string text) {
        bytes_ += text.size();
        waiting_.emplace(number, std::move(text));
        while (!waiting_.empty() && (waiting_.begin()->first <= next_ || bytes_ > max_waiting)) {
            next_ = std::max(next_, waiting_.begin()->first + 1);
            sink_(waiting_.begin()->second);
            bytes_ -= waiting_.begin()->second.size();
            waiting_.erase(waiting_.begin());
        }
    }

  private:
    static constexpr std::size_t max_waiting = 256 << 20;
    std::function<void(const std::string&)> sink_;
    std::map<std::uint64_t, std::string> waiting_;
    std::size_t bytes_ = 0;
    std::uint64_t next_ = 0;
};

int run(const Options& options) {
    CaptureReader reader(options.capture);
    const auto csv = options.csv ? make_flow_csv(options.features) : nullptr;
    const bool table_wanted = !options.json && !csv;
    std::uint64_t printed = 0;
    std::int64_t start_ns = 0;
    FlowOrder order([&](const std::string& text) {
        if (options.json) fmt::print("{}\n", printed > 0 ? "," : "");
        if (table_wanted && printed == 0) fmt::print("{}\n", flow_row_header());
        fmt::print("{}{}", text, options.json ? "" : "\n");
        ++printed;
    });
    FlowTable table(options.flow, [&](const Flow& flow) {
        order.add(flow.number, csv            ? csv->finish(flow)
                               : options.json ? flow_json(flow)
                                              : flow_row(flow, start_ns));
    });

    if (options.json) fmt::print("{{\"flows\":[");
    if (csv) fmt::print("{}\n", csv->header());
    ConsoleProgress progress("flows");
    const Tunnels tunnels = options.inner ? Tunnels::innermost : Tunnels::outermost;
    std::uint64_t packets = 0, bytes = 0, without_ip = 0;
    PacketView packet;
    while (reader.next(packet)) {
        if (packets++ == 0) start_ns = packet.time_ns;
        bytes += packet.original_length;
        const Headers headers = dissect(packet, tunnels);
        const auto placed = table.add(packet, headers);
        if (!placed) ++without_ip;
        if (placed && csv) csv->add(placed->flow, packet, headers, placed->direction);
        if ((packets & 0xFFFF) != 0) continue;
        progress.check_interrupted();
        progress.update(static_cast<double>(reader.position()), static_cast<double>(reader.file_size()), "B");
    }
    table.finish();
    if (options.json)
        fmt::print(
            "\n],\"packets\":{},\"bytes\":{},\"packets_without_ip\":{},\"flows_ended_early\":{},\"damage\":{}"
            "}}\n",
            packets, bytes, without_ip, table.evicted(),
            reader.damage() ? fmt::format("{{\"offset\":{}}}", reader.damage()->offset) : "null");
    if (table_wanted && packets == 0) fmt::print("no packets\n");
    if (table_wanted && packets > 0 && printed == 0)
        fmt::print("no flows: none of {} packets carries IP\n", packets);
    warn_damage(options.capture, reader.damage(), packets);
    if (table.evicted() > 0)
        fmt::print(stderr, "tracebench: warning: {} flows ended early: more than {} were live at once\n",
                   table.evicted(), options.flow.max_live);
    return 0;
}

}  // namespace

void add_flows(CLI::App& app, Action& action) {
    auto options = std::make_shared<Options>();
    CLI::App* verb = app.add_subcommand(
        "flows", "Flows of a capture: bidirectional, VLAN aware, split by idle time and by TCP restart");
    verb->add_option("CAPTURE", options->capture, "pcap or pcapng file; - reads standard input")->required();
    CLI::Option* json = verb->add_flag("--json", options->json, "one JSON document instead of a table");
    CLI::Option* csv =
        verb->add_flag("--csv", options->csv, "a CSV with features of every flow instead of a table")
            ->excludes(json);
    verb->add_option("--features", options->features,
                     "columns of the CSV: cic (CICFlowMeter's 76 features) or ipfix (RFC 7012 and 5103)")
        ->default_str("cic")
        ->needs(csv)
        ->check(CLI::IsMember({"cic", "ipfix"}));
    verb->add_flag("--inner", options->inner, "flows of the innermost IP packet of tunnels (GRE, IP-in-IP)");
    verb->add_option("--tcp-idle", options->flow.tcp_idle_s,
                     "seconds after which a silent TCP flow has ended")
        ->capture_default_str()
        ->check(CLI::NonNegativeNumber);
    verb->add_option("--udp-idle", options->flow.udp_idle_s, "the same for every other protocol")
        ->capture_default_str()
        ->check(CLI::NonNegativeNumber);
    verb->add_option("--max-live", options->flow.max_live, "flows kept in memory at once")
        ->capture_default_str()
        ->check(CLI::Range(std::size_t{1}, std::size_t{100'000'000}));
    verb->callback([options, &action] { action = [options] { return run(*options); }; });
}

}  // namespace tracebench::cli
