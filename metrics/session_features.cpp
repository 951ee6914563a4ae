// Session scope: one value a sample (flow starts and segments: one a pair of neighbours).

#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>

#include "metrics/sample_observer.h"
#include "metrics/session/hurst.h"
#include "metrics/session/interleaving.h"
#include "metrics/session/segments.h"
#include "metrics/session/throughput.h"

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
    burstiness,
    throughput_lag1,
    throughput_memory,
    flow_correlated,
    hurst_variance,
    hurst_wavelets,
    interleaving,
    largest_flow,
    segments,
    segment_bytes,
    segment_gap,
    segment_on
};

/// Steps of the throughput series, and how many of them at most: what a long session costs.
constexpr std::int64_t coarse_step_ns = 100'000'000, fine_step_ns = 10'000'000;
constexpr std::size_t max_coarse_steps = 4096, max_fine_steps = 65536;
/// Hurst exponents need this many steps with traffic.
constexpr std::ptrdiff_t least_busy_steps = 64;

/// The most flows alive at one time. A flow that ends as another starts does not overlap with it.
std::size_t most_concurrent(const std::vector<Flow>& observed) {
    std::vector<std::pair<std::int64_t, int>> events;
    for (const Flow& flow : observed) {
        events.emplace_back(flow.first_ns, 1);
        events.emplace_back(std::max(flow.last_ns, flow.first_ns + 1), -1);
    }
    std::sort(events.begin(), events.end());
    int alive = 0, most = 0;
    for (const auto& [time, change] : events) most = std::max(most, alive += change);
    return static_cast<std::size_t>(most);
}

std::size_t count_endpoints(const std::vector<Flow>& observed) {
    std::set<std::tuple<std::uint8_t, Endpoint>> endpoints;
    for (const Flow& flow : observed) endpoints.emplace(flow.key.protocol, flow.dst);
    return endpoints.size();
}

/// Standard deviation over mean of the bytes in steps of 0.1 s (population: all steps of the session are
/// there). 0 for even traffic; up to the root of the number of steps for one burst.
double throughput_variation(const std::vector<PacketRecord>& packets) {
    constexpr std::int64_t step_ns = 100'000'000;
    const std::int64_t start = packets.front().time_ns;
    const double steps =
        std::floor((static_cast<double>(packets.back().time_ns) - static_cast<double>(start)) /
                   static_cast<double>(step_ns)) +
        1;
    double sum = 0, squares = 0, in_step = 0;
    std::int64_t current = 0;
    for (const PacketRecord& packet : packets) {
        const std::int64_t step = (packet.time_ns - start) / step_ns;
        if (step != current) {
            squares += in_step * in_step;
            in_step = 0;
            current = step;
        }
        in_step += packet.wire_bytes;
        sum += packet.wire_bytes;
    }
    squares += in_step * in_step;
    if (sum == 0) return 0;
    const double mean = sum / steps;
    return std::sqrt(std::max(0.0, squares / steps - mean * mean)) / mean;
}

void add_defined(FieldWriter& writer, std::size_t field, std::optional<double> value) {
    if (value) writer.add(field, *value);
}

void observe_throughput(const SessionLog& log, FieldWriter& writer) {
    if (const auto memory = autocorrelation(byte_series(log.packets, coarse_step_ns, max_coarse_steps))) {
        writer.add(throughput_lag1, memory->lag1);
        writer.add(throughput_memory,
                   static_cast<double>(memory->decay_lag) * static_cast<double>(coarse_step_ns) * 1e-9);
    }
    add_defined(writer, flow_correlated, flow_correlation(log, coarse_step_ns, max_coarse_steps));
    const std::vector<double> fine = byte_series(log.packets, fine_step_ns, max_fine_steps);
    if (std::count_if(fine.begin(), fine.end(), [](double bytes) { return bytes > 0; }) < least_busy_steps)
        return;
    add_defined(writer, hurst_variance, hurst_aggregated_variance(fine));
    add_defined(writer, hurst_wavelets, hurst_wavelet(fine));
}

void observe_segments(const SessionLog& log, FieldWriter& writer) {
    const std::vector<Segment> found = find_segments(log);
    writer.add(segments, static_cast<double>(found.size()));
    for (std::size_t i = 0; i < found.size(); ++i) {
        writer.add(segment_bytes, static_cast<double>(found[i].bytes));
        if (i > 0)
            writer.add(segment_gap,
                       static_cast<double>(found[i].request_ns - found[i - 1].request_ns) * 1e-9);
    }
    add_defined(writer, segment_on, segment_on_share(found));
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
        {"session.throughput_autocorrelation", number, session, "1",
         "Autocorrelation of throughput (lag 0.1 s)"},
        {"session.throughput_memory", number, session, "s", "Time until throughput is no longer correlated",
         true},
        {"session.flow_correlation", number, session, "1", "Correlation between flows (0.1 s steps)"},
        {"session.hurst_variance", number, session, "1", "Hurst exponent, aggregated variance"},
        {"session.hurst_wavelet", number, session, "1", "Hurst exponent, wavelets"},
        {"session.interleaving", number, session, "bit", "Entropy of which flow sends next"},
        {"session.largest_flow_share", number, session, "1", "Share of bytes of the largest flow"},
        {"session.segments", number, session, "segments", "Download segments a session", true},
        {"session.segment_bytes", number, session, "bytes", "Bytes of a download segment", true},
        {"session.segment_gap", number, session, "s", "Time between download segments", true},
        {"session.segment_on_share", number, session, "1", "Share of time that segments take"},
    };
    return fields;
}

void observe_session(const SessionLog& log, FieldWriter writer) {
    if (log.packets.empty()) return;
    double total = 0, forward = 0, in_flows = 0;
    for (const PacketRecord& packet : log.packets) total += packet.wire_bytes;
    for (const Flow& flow : log.flows) {
        forward += static_cast<double>(flow.bytes[0]);
        in_flows += static_cast<double>(flow.bytes[0] + flow.bytes[1]);
    }
    writer.add(flows, static_cast<double>(log.flows.size()));
    writer.add(concurrent_flows, static_cast<double>(most_concurrent(log.flows)));
    writer.add(remote_endpoints, static_cast<double>(count_endpoints(log.flows)));
    writer.add(packets, static_cast<double>(log.packets.size()));
    writer.add(bytes, total);
    writer.add(duration,
               static_cast<double>(log.packets.back().time_ns - log.packets.front().time_ns) * 1e-9);
    for (std::size_t i = 1; i < log.flows.size(); ++i)
        writer.add(flow_gap, static_cast<double>(log.flows[i].first_ns - log.flows[i - 1].first_ns) * 1e-9);
    if (in_flows > 0) writer.add(forward_bytes, forward / in_flows);
    writer.add(burstiness, throughput_variation(log.packets));
    observe_throughput(log, writer);
    add_defined(writer, interleaving, interleaving_entropy(log));
    add_defined(writer, largest_flow, largest_flow_share(log.flows));
    observe_segments(log, writer);
    writer.finish();
}

}  // namespace tracebench
