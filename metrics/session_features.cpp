// Session scope: one value a sample (flow starts: one a pair of neighbouring flows).

#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>

#include "metrics/observed_sample.h"

namespace tracebench {
namespace {

enum Field : std::size_t {
    flows,
    concurrent_flows,
    remote_endpoints,
    packets,
    bytes,
    duration,
    flow_gap,
    forward_bytes,
    burstiness
};

/// The most flows alive at one time. A flow that ends as another starts does not overlap with it.
std::size_t most_concurrent(const std::vector<FlowPackets>& observed) {
    std::vector<std::pair<std::int64_t, int>> events;
    for (const FlowPackets& flow : observed) {
        events.emplace_back(flow.flow.first_ns, 1);
        events.emplace_back(std::max(flow.flow.last_ns, flow.flow.first_ns + 1), -1);
    }
    std::sort(events.begin(), events.end());
    int alive = 0, most = 0;
    for (const auto& [time, change] : events) most = std::max(most, alive += change);
    return static_cast<std::size_t>(most);
}

std::size_t count_endpoints(const std::vector<FlowPackets>& observed) {
    std::set<std::tuple<std::uint8_t, Endpoint>> endpoints;
    for (const FlowPackets& flow : observed) endpoints.emplace(flow.flow.key.protocol, flow.flow.dst);
    return endpoints.size();
}

/// Standard deviation over mean of the bytes in steps of 0.1 s (population: all steps of the session are
/// there). 0 for even traffic; up to the root of the number of steps for one burst.
double throughput_variation(const Trace& trace) {
    constexpr std::int64_t step_ns = 100'000'000;
    const std::int64_t start = trace.packets.front().time_ns;
    const double steps =
        std::floor((static_cast<double>(trace.packets.back().time_ns) - static_cast<double>(start)) /
                   static_cast<double>(step_ns)) +
        1;
    double sum = 0, squares = 0, in_step = 0;
    std::int64_t current = 0;
    for (const PacketView& packet : trace.packets) {
        const std::int64_t step = (packet.time_ns - start) / step_ns;
        if (step != current) {
            squares += in_step * in_step;
            in_step = 0;
            current = step;
        }
        in_step += packet.original_length;
        sum += packet.original_length;
    }
    squares += in_step * in_step;
    if (sum == 0) return 0;
    const double mean = sum / steps;
    return std::sqrt(std::max(0.0, squares / steps - mean * mean)) / mean;
}

}  // namespace

const std::vector<FieldInfo>& session_fields() {
    constexpr auto session = FieldScope::session;
    constexpr auto number = FieldKind::continuous;
    static const std::vector<FieldInfo> fields = {
        {"session.flows", number, session, "flows", "Flows a session", true},
        {"session.concurrent_flows", number, session, "flows", "Most flows at one time", true},
        {"session.remote_endpoints", number, session, "endpoints", "Different remote endpoints", true},
        {"session.packets", number, session, "packets", "Packets a session", true},
        {"session.bytes", number, session, "bytes", "Bytes a session", true},
        {"session.duration", number, session, "s", "Session duration", true},
        {"session.flow_gap", number, session, "s", "Time between the starts of flows", true},
        {"session.fwd_byte_share", number, session, "1", "Share of bytes that go forward"},
        {"session.burstiness", number, session, "1", "Variation of throughput (0.1 s steps)", true},
    };
    return fields;
}

void observe_session(const ObservedSample& sample, FieldWriter writer) {
    const Trace& trace = sample.trace;
    if (trace.empty()) return;
    double total = 0, forward = 0, in_flows = 0;
    for (const PacketView& packet : trace.packets) total += packet.original_length;
    for (const FlowPackets& flow : sample.flows) {
        forward += static_cast<double>(flow.flow.bytes[0]);
        in_flows += static_cast<double>(flow.flow.bytes[0] + flow.flow.bytes[1]);
    }
    writer.add(flows, static_cast<double>(sample.flows.size()));
    writer.add(concurrent_flows, static_cast<double>(most_concurrent(sample.flows)));
    writer.add(remote_endpoints, static_cast<double>(count_endpoints(sample.flows)));
    writer.add(packets, static_cast<double>(trace.size()));
    writer.add(bytes, total);
    writer.add(duration, trace.duration_s());
    for (std::size_t i = 1; i < sample.flows.size(); ++i)
        writer.add(
            flow_gap,
            static_cast<double>(sample.flows[i].flow.first_ns - sample.flows[i - 1].flow.first_ns) * 1e-9);
    if (in_flows > 0) writer.add(forward_bytes, forward / in_flows);
    writer.add(burstiness, throughput_variation(trace));
}

}  // namespace tracebench
