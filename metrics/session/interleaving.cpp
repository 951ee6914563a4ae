#include "metrics/session/interleaving.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace tracebench {
namespace {

double times_log(std::size_t n) {
    return n > 0 ? static_cast<double>(n) * std::log2(static_cast<double>(n)) : 0;
}

}  // namespace

std::optional<double> interleaving_entropy(std::span<const FlowPackets> flows) {
    constexpr std::uint32_t no_flow = UINT32_MAX;
    if (flows.size() < 2) return std::nullopt;
    std::uint32_t last = 0;
    for (const FlowPackets& flow : flows)
        if (!flow.packets.empty()) last = std::max(last, flow.packets.back());
    std::vector<std::uint32_t> flow_of(std::size_t{last} + 1, no_flow);
    for (std::size_t f = 0; f < flows.size(); ++f)
        for (const std::uint32_t packet : flows[f].packets) flow_of[packet] = static_cast<std::uint32_t>(f);

    std::vector<std::uint64_t> pairs;
    std::uint32_t before = no_flow;
    for (const std::uint32_t flow : flow_of) {
        if (flow == no_flow) continue;
        if (before != no_flow) pairs.push_back(std::uint64_t{before} << 32 | flow);
        before = flow;
    }
    if (pairs.empty()) return std::nullopt;

    // H(pair) - H(flow before), where log2 of the number of pairs cancels.
    double bits = 0;
    for (std::size_t f = 0; f < flows.size(); ++f)
        bits += times_log(flows[f].packets.size() - (f == before ? 1 : 0));
    std::sort(pairs.begin(), pairs.end());
    for (std::size_t i = 0; i < pairs.size();) {
        const std::size_t first = i;
        while (i < pairs.size() && pairs[i] == pairs[first]) ++i;
        bits -= times_log(i - first);
    }
    return std::max(0.0, bits / static_cast<double>(pairs.size()));
}

std::optional<double> largest_flow_share(std::span<const FlowPackets> flows) {
    double total = 0, largest = 0;
    for (const FlowPackets& flow : flows) {
        const auto bytes = static_cast<double>(flow.flow.bytes[0] + flow.flow.bytes[1]);
        total += bytes;
        largest = std::max(largest, bytes);
    }
    if (!(total > 0)) return std::nullopt;
    return largest / total;
}

}  // namespace tracebench
