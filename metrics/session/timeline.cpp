#include "metrics/session/timeline.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "metrics/details.h"
#include "traffic/flow_split.h"

namespace tracebench {
namespace {

constexpr std::size_t max_points = 300, max_flows = 40, max_steps = 120;
constexpr double least_step_s = 0.01;

double seconds_since(std::int64_t start_ns, std::int64_t time_ns) {
    return static_cast<double>(time_ns - start_ns) * 1e-9;
}

/// Bits a second, forward and in reverse.
nlohmann::json describe_throughput(const Trace& trace, const std::vector<FlowPackets>& flows) {
    const double duration = trace.duration_s();
    const double step = std::max(duration / static_cast<double>(max_steps), least_step_s);
    const std::size_t steps = std::min(max_steps, static_cast<std::size_t>(duration / step) + 1);
    std::array<std::vector<double>, 2> rates{std::vector<double>(steps), std::vector<double>(steps)};
    for (const FlowPackets& flow : flows) {
        for (std::size_t i = 0; i < flow.packets.size(); ++i) {
            const PacketView& packet = trace.packets[flow.packets[i]];
            const double at = seconds_since(trace.packets.front().time_ns, packet.time_ns) / step;
            rates[static_cast<std::size_t>(flow.directions[i])]
                 [std::min(static_cast<std::size_t>(at), steps - 1)] += packet.original_length * 8.0 / step;
        }
    }
    for (auto& rate : rates)
        for (double& value : rate) value = std::round(value);
    return {{"step_s", rounded(step)}, {"up", rounded(rates[0])}, {"down", rounded(rates[1])}};
}

/// A flow's first and last packet, and of all the others every `stride`th of the session.
nlohmann::json describe_flow(const Trace& trace, const FlowPackets& observed, std::size_t stride) {
    const Flow& flow = observed.flow;
    const std::int64_t start = trace.packets.front().time_ns;
    nlohmann::json points = nlohmann::json::array();
    for (std::size_t i = 0; i < observed.packets.size(); ++i) {
        if (i != 0 && i + 1 != observed.packets.size() && observed.packets[i] % stride != 0) continue;
        const PacketView& packet = trace.packets[observed.packets[i]];
        const auto size = static_cast<std::int64_t>(packet.original_length);
        points.push_back({rounded(seconds_since(start, packet.time_ns)),
                          observed.directions[i] == Direction::forward ? size : -size});
    }
    return {{"protocol", protocol_name(flow.key.protocol)},
            {"src", flow.src.text()},
            {"dst", flow.dst.text()},
            {"start", rounded(seconds_since(start, flow.first_ns))},
            {"end", rounded(seconds_since(start, flow.last_ns))},
            {"packets", flow.packets},
            {"bytes", flow.bytes},
            {"points", std::move(points)}};
}

/// Places of the flows with most packets, in time order.
std::vector<std::size_t> largest(const std::vector<FlowPackets>& flows) {
    std::vector<std::size_t> order(flows.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return flows[a].packets.size() > flows[b].packets.size();
    });
    order.resize(std::min(order.size(), max_flows));
    std::sort(order.begin(), order.end());
    return order;
}

}  // namespace

nlohmann::json describe_session(const LabelledTrace& sample) {
    const Trace& trace = sample.trace;
    std::uint64_t bytes = 0;
    for (const PacketView& packet : trace.packets) bytes += packet.original_length;
    nlohmann::json session = {{"label", sample.label},
                              {"sample", sample.id},
                              {"file", sample.id.substr(0, sample.id.find('#'))},
                              {"duration_s", rounded(trace.duration_s())},
                              {"packets", trace.size()},
                              {"bytes", bytes},
                              {"flows", nlohmann::json::array()}};
    if (trace.empty()) return session;
    const std::vector<FlowPackets> flows = split_flows(trace);
    const std::vector<std::size_t> shown = largest(flows);
    const std::size_t between = max_points - 2 * shown.size();  // two of every flow are kept anyway
    const std::size_t stride = trace.size() <= max_points ? 1 : (trace.size() + between - 1) / between;
    for (const std::size_t i : shown) session["flows"].push_back(describe_flow(trace, flows[i], stride));
    session["flows_left_out"] = flows.size() - shown.size();
    session["throughput"] = describe_throughput(trace, flows);
    return session;
}

nlohmann::json describe_sessions(const Samples& samples) {
    struct Place {
        std::size_t sample, packets;
    };
    std::map<std::string, std::vector<Place>> by_label;
    std::size_t count = 0;
    for (const LabelledTrace& sample : samples)
        by_label[sample.label].push_back({count++, sample.trace.size()});
    std::map<std::size_t, nlohmann::json> shown;
    for (auto& [label, group] : by_label) {
        std::stable_sort(group.begin(), group.end(),
                         [](const Place& a, const Place& b) { return a.packets < b.packets; });
        const std::size_t last = group.size() - 1;
        // A middling session and a long one; of few, the next one up.
        const std::size_t middle = last / 2, longer = std::max(last * 85 / 100, std::min(last, middle + 1));
        for (const std::size_t place : {middle, longer}) shown[group[place].sample];
    }
    count = 0;
    for (const LabelledTrace& sample : samples)
        if (const auto entry = shown.find(count++); entry != shown.end())
            entry->second = describe_session(sample);
    nlohmann::json sessions = nlohmann::json::array();
    for (const auto& [label, group] : by_label)
        for (const Place& place : group)
            if (const auto entry = shown.find(place.sample); entry != shown.end())
                sessions.push_back(std::move(entry->second));
    return sessions;
}

}  // namespace tracebench
