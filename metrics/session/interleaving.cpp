#include "metrics/session/interleaving.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

namespace tracebench {
namespace {

/// n log2 n summed over how often each item of a sorted list occurs.
template <typename T>
double count_logs(std::vector<T>& items) {
    std::sort(items.begin(), items.end());
    double sum = 0;
    for (std::size_t i = 0; i < items.size();) {
        const std::size_t first = i;
        while (i < items.size() && items[i] == items[first]) ++i;
        const auto n = static_cast<double>(i - first);
        sum += n * std::log2(n);
    }
    return sum;
}

}  // namespace

std::optional<double> interleaving_entropy(std::span<const FlowPackets> flows) {
    if (flows.size() < 2) return std::nullopt;
    std::vector<std::pair<std::uint32_t, std::uint32_t>> order;  // packet, flow
    for (std::size_t f = 0; f < flows.size(); ++f)
        for (const std::uint32_t packet : flows[f].packets)
            order.emplace_back(packet, static_cast<std::uint32_t>(f));
    std::sort(order.begin(), order.end());
    std::vector<std::uint32_t> before;
    std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs;
    for (std::size_t i = 1; i < order.size(); ++i) {
        before.push_back(order[i - 1].second);
        pairs.emplace_back(order[i - 1].second, order[i].second);
    }
    if (pairs.empty()) return std::nullopt;
    // H(pair) - H(before), where log2 of the number of pairs cancels.
    const auto n = static_cast<double>(pairs.size());
    return std::max(0.0, (count_logs(before) - count_logs(pairs)) / n);
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
