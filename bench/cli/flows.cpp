// tracebench flows CAPTURE: every flow of a capture, in order of first packets.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <map>
#include <memory>

#include "base/error.h"
#include "base/progress.h"
#include "bench/cli/damage.h"
#include "bench/cli/verbs.h"
#include "traffic/capture_reader.h"
#include "traffic/flow_table.h"

namespace tracebench::cli {
namespace {

struct Options {
    std::string capture;
    bool json = false;
    bool inner = false;
    FlowOptions flow;
};

/// Hands flows on in order of first packets. A capture may hold more flows than memory does: past
/// `max_waiting`, the earliest goes on although one before it is still live.
class FlowOrder {
  public:
    explicit FlowOrder(FlowTable::Sink sink) : sink_(std::move(sink)) {}

    void add(const Flow& flow) {
        waiting_.emplace(flow.number, flow);
        while (!waiting_.empty() && (waiting_.begin()->first <= next_ || waiting_.size() > max_waiting)) {
            next_ = std::max(next_, waiting_.begin()->first + 1);
            sink_(waiting_.begin()->second);
            waiting_.erase(waiting_.begin());
        }
    }

  private:
    static constexpr std::size_t max_waiting = 1'000'000;
    FlowTable::Sink sink_;
    std::map<std::uint64_t, Flow> waiting_;
    std::uint64_t next_ = 0;
};

/// All nine digits: a double would lose some.
std::string seconds(std::int64_t ns) {
    const std::uint64_t size = ns < 0 ? 0 - static_cast<std::uint64_t>(ns) : static_cast<std::uint64_t>(ns);
    return fmt::format("{}{}.{:09}", ns < 0 ? "-" : "", size / 1'000'000'000, size % 1'000'000'000);
}

/// Writes as flows come. Nothing in it needs escaping: addresses, names of protocols, numbers.
class JsonWriter {
  public:
    void flow(const Flow& f) {
        fmt::print("{}\n{{\"protocol\":\"{}\",\"src\":\"{}\",\"dst\":\"{}\",\"flow_id\":\"{}\",",
                   count_++ ? "," : "", protocol_name(f.key.protocol), f.src.text(), f.dst.text(),
                   f.key.flow_id());
        if (f.key.vlan != Headers::no_vlan) fmt::print("\"vlan\":{},", f.key.vlan);
        fmt::print(
            "\"first\":{},\"last\":{},\"packets\":[{},{}],\"bytes\":[{},{}],\"handshake\":{},\"closed\":{},"
            "\"retransmissions\":{},\"out_of_order\":{},\"rtt_ms\":{}}}",
            seconds(f.first_ns), seconds(f.last_ns), f.packets[0], f.packets[1], f.bytes[0], f.bytes[1],
            f.handshake, f.closed, f.retransmissions, f.out_of_order,
            f.rtt_ms ? fmt::format("{:.6f}", *f.rtt_ms) : "null");
    }

  private:
    std::uint64_t count_ = 0;
};

class TextWriter {
  public:
    void flow(const Flow& f) {
        if (!start_ns_) {
            start_ns_ = f.first_ns;
            fmt::print("{:>10} {:>10}  {:7} {:>8} {:>8} {:>11} {:>11} {:5} {:>6} {:>6} {:>8}  {}\n",
                       "start s", "length s", "proto", "pkts >", "pkts <", "bytes >", "bytes <", "state",
                       "retr", "ooo", "rtt ms", "endpoints");
        }
        const bool tcp = f.key.protocol == ip_protocol::tcp;
        const std::string state = fmt::format("{}{}", f.handshake ? "open" : "", f.closed ? "+end" : "");
        fmt::print("{:>10.3f} {:>10.3f}  {:7} {:>8} {:>8} {:>11} {:>11} {:8} {:>5} {:>5} {:>8}  {} > {}{}\n",
                   static_cast<double>(f.first_ns - *start_ns_) * 1e-9, f.duration_s(),
                   protocol_name(f.key.protocol), f.packets[0], f.packets[1], f.bytes[0], f.bytes[1],
                   tcp ? state : "", tcp ? fmt::format("{}", f.retransmissions) : "",
                   tcp ? fmt::format("{}", f.out_of_order) : "",
                   f.rtt_ms ? fmt::format("{:.2f}", *f.rtt_ms) : "", f.src.text(), f.dst.text(),
                   f.key.vlan == Headers::no_vlan ? "" : fmt::format("  vlan {}", f.key.vlan));
    }

  private:
    std::optional<std::int64_t> start_ns_;
};

int run(const Options& options) {
    CaptureReader reader(options.capture);
    JsonWriter json;
    TextWriter text;
    FlowOrder order([&](const Flow& flow) { options.json ? json.flow(flow) : text.flow(flow); });
    FlowTable table(options.flow, [&](const Flow& flow) { order.add(flow); });

    if (options.json) fmt::print("{{\"flows\":[");
    ConsoleProgress progress("flows");
    const Tunnels tunnels = options.inner ? Tunnels::innermost : Tunnels::outermost;
    std::uint64_t packets = 0, bytes = 0, without_ip = 0;
    PacketView packet;
    while (reader.next(packet)) {
        ++packets;
        bytes += packet.original_length;
        if (!table.add(packet, dissect(packet, tunnels))) ++without_ip;
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
    verb->add_flag("--json", options->json, "one JSON document instead of a table");
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
