#include <fmt/format.h>

#include "classifiers/feature_row.h"
#include "traffic/flow_split.h"

namespace tracebench {
namespace {

constexpr std::size_t flows_used = 3;

void add_endpoint(FeatureRow& features, const std::string& name, const Endpoint* endpoint) {
    const std::size_t octets = endpoint == nullptr ? 0 : endpoint->address.version == 6 ? 16 : 4;
    for (std::size_t i = 0; i < 16; ++i)
        features.add(fmt::format("{}.octet{}", name, i),
                     i < octets ? endpoint->address.bytes[i] : FeatureRow::absent);
    features.add(name + ".port", endpoint == nullptr ? FeatureRow::absent : endpoint->port);
}

/// TTL or hop limit of the flow's first packet in one direction.
double first_ttl(const Trace& trace, const FlowPackets& flow, Direction direction) {
    for (std::size_t i = 0; i < flow.packets.size(); ++i) {
        if (flow.directions[i] != direction) continue;
        const Headers headers = dissect(trace.packets[flow.packets[i]]);
        const std::size_t offset = headers.ip_version == 6 ? 7 : 8;
        if (headers.has_ip() && headers.ip_offset + offset < headers.captured) return headers.ip()[offset];
    }
    return FeatureRow::absent;
}

void add_macs(FeatureRow& features, const Trace& trace) {
    const std::uint8_t* frame = nullptr;
    for (const PacketView& packet : trace.packets) {
        if (packet.link != link_type::ethernet || packet.bytes.size() < 12) continue;
        frame = packet.bytes.data();
        break;
    }
    for (std::size_t i = 0; i < 12; ++i)
        features.add(fmt::format("{}_mac.octet{}", i < 6 ? "dst" : "src", i % 6),
                     frame == nullptr ? FeatureRow::absent : frame[i]);
}

}  // namespace

FeatureRow identifier_features(const Trace& trace) {
    const std::vector<FlowPackets> flows = split_flows(trace);
    FeatureRow features;
    add_macs(features, trace);
    for (std::size_t f = 0; f < flows_used; ++f) {
        const FlowPackets* flow = f < flows.size() ? &flows[f] : nullptr;
        const std::string name = fmt::format("flow{}.", f);
        add_endpoint(features, name + "src", flow == nullptr ? nullptr : &flow->flow.src);
        add_endpoint(features, name + "dst", flow == nullptr ? nullptr : &flow->flow.dst);
        features.add(name + "src.ttl",
                     flow == nullptr ? FeatureRow::absent : first_ttl(trace, *flow, Direction::forward));
        features.add(name + "dst.ttl",
                     flow == nullptr ? FeatureRow::absent : first_ttl(trace, *flow, Direction::reverse));
    }
    return features;
}

}  // namespace tracebench
