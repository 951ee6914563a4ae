#include "metrics/privacy/flow_records.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/file.h"
#include "metrics/observed_sample.h"

namespace tracebench {
namespace {

std::string sequence_of(const ObservedSample& sample, const FlowPackets& flow) {
    std::string text;
    for (std::size_t i = 0; i < flow.packets.size(); ++i) {
        const Headers& headers = sample.headers[flow.packets[i]];
        const std::uint32_t length = sample.trace.packets[flow.packets[i]].original_length;
        for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(length >> shift);
        text += static_cast<char>(flow.directions[i]);
        text += headers.has_tcp() ? static_cast<char>(headers.tcp()[13]) : '\0';
    }
    return sha256(text);
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

bool names_a_host(const IpAddress& address) {
    if (address.version == 4)
        return address.bytes[0] < 224 && address.bytes[0] != 0;  // 240/4 and above hold no hosts either
    const bool unspecified =
        std::all_of(address.bytes.begin(), address.bytes.end(), [](auto b) { return b == 0; });
    return address.version == 6 && address.bytes[0] != 0xFF && !unspecified;
}

void add_macs(const PacketView& packet, std::set<std::string>& macs) {
    if (packet.link != link_type::ethernet || packet.bytes.size() < 12) return;
    for (const std::size_t at : {std::size_t{0}, std::size_t{6}}) {
        const auto mac = packet.bytes.subspan(at, 6);
        if ((mac[0] & 1) == 0) macs.insert(fmt::format("{:02x}", fmt::join(mac, ":")));
    }
}

void add_identifiers(const FlowPackets& flow, Identifiers& identifiers) {
    bool hosts = true;
    for (const Endpoint* end : {&flow.flow.src, &flow.flow.dst}) {
        if (!names_a_host(end->address)) {
            hosts = false;
            continue;
        }
        identifiers.addresses.insert(end->address.text());
        if (end->port != 0) identifiers.endpoints.insert(end->text());
    }
    if (hosts) identifiers.connections.insert(flow.flow.key.flow_id());
}

}  // namespace

PrivacyView view_privacy(const std::vector<LabelledTrace>& samples) {
    PrivacyView view;
    for (const LabelledTrace& labelled : samples) {
        const ObservedSample sample(labelled.trace);
        for (const FlowPackets& flow : sample.flows) {
            if (flow.packets.empty()) continue;
            view.flows.push_back({static_cast<std::uint32_t>(view.labels.size()), flow.packets.size(),
                                  sequence_of(sample, flow), features_of(sample, flow)});
            add_identifiers(flow, view.identifiers);
        }
        for (const PacketView& packet : labelled.trace.packets) add_macs(packet, view.identifiers.macs);
        view.labels.push_back(labelled.label);
    }
    return view;
}

}  // namespace tracebench
