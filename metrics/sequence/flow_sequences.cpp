#include "metrics/sequence/flow_sequences.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/random.h"
#include "metrics/field_codes.h"
#include "metrics/flow/reservoir.h"
#include "metrics/sequence/dtw.h"
#include "traffic/flow_split.h"

namespace tracebench {
namespace {

constexpr std::uint16_t start_symbol = 10, end_symbol = 11, symbols = 12;
constexpr float infinity = std::numeric_limits<float>::infinity();

FlowSequence sequence_of(const Trace& trace, const FlowPackets& flow, std::uint32_t session) {
    FlowSequence sequence;
    sequence.session = session;
    std::uint16_t two_before = start_symbol, before = start_symbol;
    const auto add_symbol = [&](std::uint32_t symbol) {
        // The first symbol alone completes no trigram.
        if (before != start_symbol)
            sequence.trigrams.push_back(
                static_cast<std::uint16_t>((two_before * symbols + before) * symbols + symbol));
        two_before = before;
        before = static_cast<std::uint16_t>(symbol);
    };
    for (std::size_t i = 0; i < flow.packets.size(); ++i) {
        const PacketView& packet = trace.packets[flow.packets[i]];
        add_symbol(codes::packet_class(flow.directions[i], dissect(packet).payload_length()));
        if (i >= FlowSequence::max_packets) continue;
        const float size = std::min(1.0F, static_cast<float>(packet.original_length) / 1500.0F);
        sequence.sizes.push_back(flow.directions[i] == Direction::forward ? size : -size);
    }
    add_symbol(end_symbol);
    return sequence;
}

}  // namespace

std::vector<FlowSequence> flow_sequences(const Samples& samples, std::size_t most, std::uint64_t seed) {
    Reservoir<FlowSequence> sequences(most, seed);
    std::uint32_t session = 0;
    for (const LabelledTrace& sample : samples) {
        for (const FlowPackets& flow : split_flows(sample.trace))
            sequences.add(sequence_of(sample.trace, flow, session));
        ++session;
    }
    return sequences.take();
}

std::vector<FlowSequence> thinned(const std::vector<FlowSequence>& flows, std::size_t count,
                                  std::uint64_t seed) {
    if (flows.size() <= count) return flows;
    std::vector<std::size_t> order(flows.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    Random random(seed);
    random.shuffle(order);
    order.resize(count);
    std::sort(order.begin(), order.end());
    std::vector<FlowSequence> kept;
    kept.reserve(count);
    for (const std::size_t i : order) kept.push_back(flows[i]);
    return kept;
}

NearestFlows::NearestFlows(std::span<const FlowSequence> left, std::size_t left_sessions,
                           std::span<const FlowSequence> right, std::size_t right_sessions)
    : sessions_(left_sessions + right_sessions) {
    std::vector<std::span<const float>> sizes;
    for (const FlowSequence& flow : left) {
        session_.push_back(flow.session);
        sizes.emplace_back(flow.sizes);
    }
    for (const FlowSequence& flow : right) {
        session_.push_back(flow.session + static_cast<std::uint32_t>(left_sessions));
        sizes.emplace_back(flow.sizes);
    }
    nearest_.assign(session_.size() * sessions_, infinity);
    const std::size_t first_right = right.empty() ? 0 : left.size();
    for (std::size_t i = 0; i < left.size(); ++i) {
        for (std::size_t j = std::max(first_right, i + 1); j < session_.size(); ++j) {
            if (session_[i] == session_[j]) continue;
            float& of_i = nearest_[i * sessions_ + session_[j]];
            float& of_j = nearest_[j * sessions_ + session_[i]];
            const auto distance = static_cast<float>(
                dtw_distance(sizes[i], sizes[j], band, static_cast<double>(std::max(of_i, of_j))));
            of_i = std::min(of_i, distance);
            of_j = std::min(of_j, distance);
        }
    }
}

double NearestFlows::one_way(std::span<const double> from, std::span<const double> to) const {
    double sum = 0, weight = 0;
    for (std::size_t i = 0; i < session_.size(); ++i) {
        const double own = from[session_[i]];
        if (own == 0) continue;
        float least = infinity;
        for (std::size_t s = 0; s < sessions_; ++s)
            if (to[s] > 0) least = std::min(least, nearest_[i * sessions_ + s]);
        sum += own * static_cast<double>(least);
        weight += own;
    }
    const double mean = sum / weight;  // NaN of nothing, infinity to nothing
    return std::isfinite(mean) ? mean : std::numeric_limits<double>::quiet_NaN();
}

double NearestFlows::distance(std::span<const double> left, std::span<const double> right) const {
    return (one_way(left, right) + one_way(right, left)) / 2;
}

}  // namespace tracebench
