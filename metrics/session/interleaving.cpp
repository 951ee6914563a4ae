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

std::optional<double> interleaving_entropy(const SessionLog& log) {
    if (log.flows.size() < 2) return std::nullopt;
    std::vector<std::uint64_t> pairs;
    pairs.reserve(log.packets.size());
    std::vector<std::uint32_t> sizes(log.flows.size());
    std::uint32_t before = SessionLog::no_flow;
    for (const PacketRecord& packet : log.packets) {
        if (packet.flow == SessionLog::no_flow) continue;
        ++sizes[packet.flow];
        if (before != SessionLog::no_flow) pairs.push_back(std::uint64_t{before} << 32 | packet.flow);
        before = packet.flow;
    }
    if (pairs.empty()) return std::nullopt;

    // H(pair) - H(flow before), where log2 of the number of pairs cancels.
    double bits = 0;
    for (std::size_t f = 0; f < sizes.size(); ++f) bits += times_log(sizes[f] - (f == before ? 1U : 0U));
    std::sort(pairs.begin(), pairs.end());
    for (std::size_t i = 0; i < pairs.size();) {
        const std::size_t first = i;
        while (i < pairs.size() && pairs[i] == pairs[first]) ++i;
        bits -= times_log(i - first);
    }
    return std::max(0.0, bits / static_cast<double>(pairs.size()));
}

std::optional<double> largest_flow_share(std::span<const Flow> flows) {
    double total = 0, largest = 0;
    for (const Flow& flow : flows) {
        const auto bytes = static_cast<double>(flow.bytes[0] + flow.bytes[1]);
        total += bytes;
        largest = std::max(largest, bytes);
    }
    if (!(total > 0)) return std::nullopt;
    return largest / total;
}

}  // namespace tracebench
