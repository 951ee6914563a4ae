#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <initializer_list>
#include <numeric>
#include <span>
#include <utility>

#include "classifiers/feature_row.h"
#include "traffic/bytes.h"
#include "traffic/flow_split.h"

namespace tracebench {
namespace {

constexpr std::size_t first_payloads = 10;
constexpr double idle_ms = 1000;  ///< a longer silence counts as idle

/// What is used of a packet. Nothing here depends on how many bytes were captured, as long as the fixed
/// headers were.
struct PacketFacts {
    double time_ms = 0;  ///< since the sample's first IP packet
    bool up = true;
    std::uint8_t protocol = 0;
    std::uint32_t size = 0;  ///< IP packet
    std::uint32_t payload = 0;
    bool tcp = false;  ///< flags and window are known
    std::uint8_t flags = 0;
    std::uint16_t window = 0;
};

PacketFacts facts_of(const PacketView& packet, Direction direction, std::int64_t start_ns) {
    const Headers headers = dissect(packet);
    PacketFacts facts;
    facts.time_ms = static_cast<double>(packet.time_ns - start_ns) * 1e-6;
    facts.up = direction == Direction::forward;
    facts.protocol = headers.protocol;
    facts.size = headers.ip_end > headers.ip_offset ? headers.ip_end - headers.ip_offset : 0;
    facts.payload = headers.payload_length();
    // The first 16 of TCP's 20 bytes suffice: a snap length of 72 leaves no more of them over IPv6.
    if (headers.protocol == ip_protocol::tcp && headers.transport_offset != Headers::none &&
        headers.captured - headers.transport_offset >= 16) {
        facts.tcp = true;
        facts.flags = headers.tcp()[13];
        facts.window = load16(headers.tcp() + 14);
    }
    return facts;
}

double sum(const std::vector<double>& values) {
    return std::accumulate(values.begin(), values.end(), 0.0);
}

double mean(const std::vector<double>& values) {
    return values.empty() ? FeatureRow::absent : sum(values) / static_cast<double>(values.size());
}

double largest(const std::vector<double>& values) {
    return values.empty() ? FeatureRow::absent : *std::max_element(values.begin(), values.end());
}

/// Part of a whole; absent where the whole is 0.
double share(double part, double whole) {
    return whole > 0 ? part / whole : FeatureRow::absent;
}

/// Linear between order statistics; `sorted` ascending.
double quantile(const std::vector<double>& sorted, double q) {
    if (sorted.empty()) return FeatureRow::absent;
    const double position = q * static_cast<double>(sorted.size() - 1);
    const auto low = static_cast<std::size_t>(position);
    return std::lerp(sorted[low], sorted[std::min(low + 1, sorted.size() - 1)],
                     position - static_cast<double>(low));
}

void add_summary(FeatureRow& features, const std::string& name, std::vector<double> values,
                 std::initializer_list<int> percentiles) {
    std::sort(values.begin(), values.end());
    const double average = mean(values);
    double squares = 0;
    for (const double value : values) squares += (value - average) * (value - average);
    features.add(name + ".mean", average);
    features.add(name + ".std", values.size() < 2
                                    ? FeatureRow::absent
                                    : std::sqrt(squares / static_cast<double>(values.size() - 1)));
    for (const int p : percentiles) features.add(fmt::format("{}.p{}", name, p), quantile(values, p / 100.0));
}

/// Which packets a statistic is over.
enum class Way { both, up, down };
constexpr std::array<std::pair<Way, const char*>, 3> ways{
    {{Way::both, "both"}, {Way::up, "up"}, {Way::down, "down"}}};

bool goes(const PacketFacts& packet, Way way) {
    return way == Way::both || packet.up == (way == Way::up);
}

/// One number a packet, over the packets that go one way.
template <typename Value>
std::vector<double> collect(const std::vector<PacketFacts>& packets, Way way, Value value) {
    std::vector<double> values;
    for (const PacketFacts& packet : packets)
        if (goes(packet, way)) values.push_back(value(packet));
    return values;
}

std::vector<double> gaps(const std::vector<PacketFacts>& packets, Way way) {
    std::vector<double> times = collect(packets, way, [](const PacketFacts& p) { return p.time_ms; });
    for (std::size_t i = times.size(); i > 1; --i) times[i - 1] -= times[i - 2];
    if (!times.empty()) times.erase(times.begin());
    return times;
}

void add_volume(FeatureRow& features, const std::vector<PacketFacts>& packets) {
    const auto size = [](const PacketFacts& p) { return static_cast<double>(p.size); };
    const auto payload = [](const PacketFacts& p) { return static_cast<double>(p.payload); };
    const double duration_s = packets.empty() ? 0 : packets.back().time_ms / 1000;
    double bytes[3], counts[3];
    for (std::size_t w = 0; w < ways.size(); ++w) {
        const auto& [way, name] = ways[w];
        const std::vector<double> sizes = collect(packets, way, size);
        const std::vector<double> payloads = collect(packets, way, payload);
        bytes[w] = sum(sizes);
        counts[w] = static_cast<double>(sizes.size());
        features.add(fmt::format("packets.{}", name), counts[w]);
        features.add(fmt::format("bytes.{}", name), bytes[w]);
        features.add(fmt::format("payload_bytes.{}", name), sum(payloads));
        features.add(
            fmt::format("no_payload_share.{}", name),
            share(static_cast<double>(std::count(payloads.begin(), payloads.end(), 0.0)), counts[w]));
        add_summary(features, fmt::format("size.{}", name), sizes, {0, 25, 50, 75, 100});
    }
    features.add("packets.up_share", share(counts[1], counts[0]));
    features.add("bytes.up_share", share(bytes[1], bytes[0]));
    features.add("duration_s", packets.empty() ? FeatureRow::absent : duration_s);
    features.add("packets_per_s", share(counts[0], duration_s));
    features.add("bytes_per_s", share(bytes[0], duration_s));
}

void add_timing(FeatureRow& features, const std::vector<PacketFacts>& packets) {
    for (const auto& [way, name] : ways)
        add_summary(features, fmt::format("iat_ms.{}", name), gaps(packets, way), {10, 50, 90, 100});
    const std::vector<double> between = gaps(packets, Way::both);
    double idle_time = 0, idle_count = 0;
    for (const double gap : between) {
        if (gap <= idle_ms) continue;
        idle_time += gap;
        ++idle_count;
    }
    features.add("idle.count", idle_count);
    features.add("idle.share", share(idle_time, sum(between)));
}

void add_tcp(FeatureRow& features, const std::vector<PacketFacts>& packets) {
    constexpr std::pair<const char*, std::uint8_t> flags[] = {
        {"syn", tcp_flag::syn}, {"fin", tcp_flag::fin}, {"rst", tcp_flag::rst}, {"psh", tcp_flag::psh},
        {"ack", tcp_flag::ack}, {"urg", tcp_flag::urg}, {"ece", tcp_flag::ece}};
    std::vector<PacketFacts> tcp;
    std::copy_if(packets.begin(), packets.end(), std::back_inserter(tcp),
                 [](const PacketFacts& p) { return p.tcp; });
    for (const auto& [name, flag] : flags) {
        const auto set = std::count_if(tcp.begin(), tcp.end(),
                                       [bit = flag](const PacketFacts& p) { return (p.flags & bit) != 0; });
        features.add(fmt::format("tcp.{}_share", name),
                     share(static_cast<double>(set), static_cast<double>(tcp.size())));
    }
    for (const Way way : {Way::up, Way::down})
        features.add(
            fmt::format("tcp.window_mean.{}", way == Way::up ? "up" : "down"),
            mean(collect(tcp, way, [](const PacketFacts& p) { return static_cast<double>(p.window); })));
}

/// Sizes of the first payloads, negative where they go down.
void add_first_payloads(FeatureRow& features, const std::vector<PacketFacts>& packets) {
    std::vector<double> sizes;
    for (const PacketFacts& packet : packets) {
        if (packet.payload == 0) continue;
        sizes.push_back(packet.up ? packet.payload : -static_cast<double>(packet.payload));
        if (sizes.size() == first_payloads) break;
    }
    sizes.resize(first_payloads, FeatureRow::absent);
    for (std::size_t i = 0; i < first_payloads; ++i) features.add(fmt::format("payload.{}", i), sizes[i]);
}

/// A burst is a run of payload-carrying packets that go one way; packets without payload do not end it.
void add_bursts(FeatureRow& features, const std::vector<PacketFacts>& packets) {
    struct Burst {
        bool up;
        double packets, bytes;
    };
    std::vector<Burst> bursts;
    for (const PacketFacts& packet : packets) {
        if (packet.payload == 0) continue;
        if (bursts.empty() || bursts.back().up != packet.up) bursts.push_back({packet.up, 0, 0});
        bursts.back().packets += 1;
        bursts.back().bytes += packet.payload;
    }
    features.add("bursts", static_cast<double>(bursts.size()));
    for (const bool up : {true, false}) {
        std::vector<double> counts, bytes;
        for (const Burst& burst : bursts) {
            if (burst.up != up) continue;
            counts.push_back(burst.packets);
            bytes.push_back(burst.bytes);
        }
        const char* name = up ? "up" : "down";
        features.add(fmt::format("burst_packets_mean.{}", name), mean(counts));
        features.add(fmt::format("burst_bytes_mean.{}", name), mean(bytes));
        features.add(fmt::format("burst_bytes_max.{}", name), largest(bytes));
    }
}

/// Flows that are alive at once, at most.
double most_concurrent(const std::vector<FlowPackets>& flows) {
    std::vector<std::pair<std::int64_t, int>> events;  // ends after starts at the same time
    for (const FlowPackets& flow : flows) {
        events.emplace_back(flow.flow.first_ns, -1);
        events.emplace_back(flow.flow.last_ns, 1);
    }
    std::sort(events.begin(), events.end());
    int live = 0, most = 0;
    for (const auto& [time, step] : events) {
        live -= step;
        most = std::max(most, live);
    }
    return most;
}

void add_structure(FeatureRow& features, const std::vector<FlowPackets>& flows,
                   const std::vector<PacketFacts>& packets) {
    std::vector<double> counts, durations, starts;
    double tcp = 0, udp = 0;
    for (const FlowPackets& flow : flows) {
        counts.push_back(static_cast<double>(flow.packets.size()));
        durations.push_back(flow.flow.duration_s());
        if (starts.size() + 1 < flows.size())
            starts.push_back(
                static_cast<double>(flows[starts.size() + 1].flow.first_ns - flow.flow.first_ns) * 1e-6);
        tcp += flow.flow.key.protocol == ip_protocol::tcp;
        udp += flow.flow.key.protocol == ip_protocol::udp;
    }
    const auto packet_share = [&](std::uint8_t protocol) {
        const auto of_it = std::count_if(packets.begin(), packets.end(),
                                         [&](const PacketFacts& p) { return p.protocol == protocol; });
        return share(static_cast<double>(of_it), static_cast<double>(packets.size()));
    };
    const auto all = static_cast<double>(flows.size());
    features.add("flows", all);
    features.add("flows.concurrent", most_concurrent(flows));
    features.add("flows.tcp_share", share(tcp, all));
    features.add("flows.udp_share", share(udp, all));
    features.add("packets.tcp_share", packet_share(ip_protocol::tcp));
    features.add("packets.udp_share", packet_share(ip_protocol::udp));
    features.add("flow_packets.mean", mean(counts));
    features.add("flow_packets.largest_share", share(largest(counts), static_cast<double>(packets.size())));
    features.add("flow_duration_s.mean", mean(durations));
    features.add("flow_duration_s.max", largest(durations));
    features.add("flow_start_gap_ms.mean", mean(starts));
}

}  // namespace

FeatureRow flow_features(const Trace& trace) {
    const std::vector<FlowPackets> flows = split_flows(trace);
    std::vector<std::pair<std::uint32_t, Direction>> order;  // packets with IP, in the trace's order
    for (const FlowPackets& flow : flows)
        for (std::size_t i = 0; i < flow.packets.size(); ++i)
            order.emplace_back(flow.packets[i], flow.directions[i]);
    std::sort(order.begin(), order.end());
    std::vector<PacketFacts> packets;
    packets.reserve(order.size());
    for (const auto& [index, direction] : order)
        packets.push_back(facts_of(trace.packets[index], direction, trace.packets[order[0].first].time_ns));

    FeatureRow features;
    add_volume(features, packets);
    add_timing(features, packets);
    add_tcp(features, packets);
    add_first_payloads(features, packets);
    add_bursts(features, packets);
    add_structure(features, flows, packets);
    return features;
}

}  // namespace tracebench
