#include "metrics/privacy/flow_records.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/random.h"
#include "metrics/observed_sample.h"
#include "metrics/sample_observer.h"

namespace tracebench {
namespace {

constexpr std::uint32_t length_mask = (1U << 22) - 1;

std::uint8_t flags_of(const Headers& headers) {
    return headers.has_tcp() ? headers.tcp()[13] : 0;
}

void add_sequence(const ObservedSample& sample, const FlowPackets& flow, FlowRecord& record) {
    std::vector<std::uint32_t> classes;
    const std::size_t length = std::min(flow.packets.size(), max_sequence_packets);
    for (std::size_t i = 0; i < length; ++i) {
        const Headers headers = sample.headers(flow.packets[i]);
        const PacketView& packet = sample.trace.packets[flow.packets[i]];
        const bool reverse = flow.directions[i] == Direction::reverse;
        const std::int64_t gap =
            i == 0 ? 0 : packet.time_ns - sample.trace.packets[flow.packets[i - 1]].time_ns;
        record.sequence.push_back((reverse ? 1U : 0U) << 30 |
                                  std::min(packet.original_length, length_mask) << 8 | flags_of(headers));
        classes.push_back(packet_class(reverse, headers.payload_length(), flags_of(headers), gap));
    }
    record.signature = minhash(shingles(classes));
}

/// Counts, sizes and times by their logarithm, as they are compared elsewhere.
std::vector<double> features_of(const ObservedSample& sample, const FlowPackets& flow) {
    const std::vector<double> values = flow_values(sample, flow);
    std::vector<double> features;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const FieldInfo& field = flow_fields()[i];
        if (field.name == "flow.service_port") continue;
        // A microsecond keeps zero durations apart from short ones without putting them at minus infinity.
        features.push_back(field.log ? std::log(values[i] + 1e-6) : values[i]);
    }
    return features;
}

void append_windows(std::span<const std::uint8_t> bytes, std::vector<std::uint64_t>& windows) {
    constexpr std::size_t filler = 4;  // different bytes that make a run more than padding
    for (std::size_t at = 0; at + payload_window <= bytes.size(); ++at) {
        const auto window = bytes.subspan(at, payload_window);
        std::array<bool, 256> seen{};
        std::size_t different = 0;
        std::uint64_t hash = 0xCBF29CE484222325;  // FNV-1a, 64 bits
        for (const std::uint8_t byte : window) {
            different += !seen[byte];
            seen[byte] = true;
            hash = (hash ^ byte) * 0x100000001B3;
        }
        windows.push_back(different < filler ? 0 : hash);
    }
}

void add_payload(const ObservedSample& sample, const FlowPackets& flow, FlowRecord& record) {
    std::vector<std::uint8_t> first[2];
    for (std::size_t i = 0; i < flow.packets.size(); ++i) {
        std::vector<std::uint8_t>& bytes = first[static_cast<std::size_t>(flow.directions[i])];
        const auto payload = captured_payload(sample.headers(flow.packets[i]));
        const std::size_t room = payload_bytes - bytes.size();
        bytes.insert(bytes.end(), payload.begin(),
                     payload.begin() + static_cast<std::ptrdiff_t>(std::min(room, payload.size())));
        if (first[0].size() + first[1].size() == 2 * payload_bytes) break;
    }
    append_windows(first[0], record.payload_windows);
    record.payload_windows.push_back(0);
    append_windows(first[1], record.payload_windows);
}

FlowRecord record_of(const ObservedSample& sample, const FlowPackets& flow, std::uint32_t session) {
    FlowRecord record;
    record.session = session;
    record.packets = flow.packets.size();
    record.features = features_of(sample, flow);
    add_sequence(sample, flow, record);
    add_payload(sample, flow, record);
    return record;
}

}  // namespace

PrivacyView view_privacy(const Samples& samples) {
    PrivacyView view;
    Random random(stream_seed(0, "privacy/view"));
    std::size_t seen = 0;
    for (const LabelledTrace& labelled : samples) {
        const ObservedSample sample(labelled.trace);
        const auto session = static_cast<std::uint32_t>(view.labels.size());
        for (const FlowPackets& flow : sample.flows) {
            if (flow.packets.empty()) continue;
            // Reservoir sampling: every flow is as likely to stay.
            const std::uint64_t place = ++seen <= max_view_flows ? view.flows.size() : random.below(seen);
            if (place >= max_view_flows) continue;
            if (place == view.flows.size()) view.flows.emplace_back();
            view.flows[place] = record_of(sample, flow, session);
        }
        view.identifiers.push_back(find_identifiers(sample));
        view.labels.push_back(labelled.label);
    }
    std::stable_sort(view.flows.begin(), view.flows.end(),
                     [](const FlowRecord& a, const FlowRecord& b) { return a.session < b.session; });
    return view;
}

}  // namespace tracebench
