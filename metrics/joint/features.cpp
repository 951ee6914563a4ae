#include "metrics/joint/features.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>

#include "base/random.h"
#include "metrics/field_codes.h"
#include "metrics/flow/reservoir.h"
#include "metrics/observed_sample.h"
#include "metrics/sample_observer.h"
#include "traffic/bytes.h"

namespace tracebench {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

double on_axis(const Feature& feature, double value) {
    return feature.log ? std::log(value + 1e-6) : value;
}

std::vector<Feature> fields_named(const std::vector<FieldInfo>& fields,
                                  const std::vector<std::string>& names) {
    std::vector<Feature> features;
    for (const std::string& name : names) {
        const auto field = std::find_if(fields.begin(), fields.end(),
                                        [&](const FieldInfo& info) { return info.name == name; });
        if (field == fields.end()) throw std::logic_error("no field " + name);
        features.push_back({name, field->kind, field->log});
    }
    return features;
}

/// Places of the joint flow features in flow_values(); the first two come from the protocol.
std::vector<std::size_t> flow_places() {
    std::vector<std::size_t> places;
    for (const Feature& feature : joint_flow_features())
        for (std::size_t i = 0; i < flow_fields().size(); ++i)
            if (flow_fields()[i].name == feature.name) places.push_back(i);
    return places;
}

struct FlowRow {
    std::uint32_t session = 0;
    std::vector<double> values;
};

void add_flows(const ObservedSample& sample, std::uint32_t session, Reservoir<FlowRow>& flows) {
    static const std::vector<std::size_t> places = flow_places();
    for (const FlowPackets& flow : sample.flows) {
        if (flow.packets.empty()) continue;
        const std::vector<double> values = flow_values(sample, flow);
        std::vector<double> row(joint_flow_features().size());
        row[0] = flow.flow.key.protocol == ip_protocol::tcp;
        row[1] = flow.flow.key.protocol == ip_protocol::udp;
        for (std::size_t i = 0; i < places.size(); ++i)
            row[i + 2] = on_axis(joint_flow_features()[i + 2], values[places[i]]);
        flows.add({session, std::move(row)});
    }
}

enum PacketFeature : std::size_t { length, iat, direction, protocol, ttl, port, flags, window, payload };

/// The row of packet i, but for its direction.
void describe_packet(const ObservedSample& sample, std::size_t i, std::vector<double>& row) {
    std::fill(row.begin(), row.end(), nan);
    const PacketView& packet = sample.trace.packets[i];
    const Headers h = sample.headers(i);
    row[length] = packet.original_length;
    if (i > 0) row[iat] = static_cast<double>(packet.time_ns - sample.trace.packets[i - 1].time_ns) * 1e-9;
    if (!h.has_ip()) return;
    row[protocol] = h.protocol;
    row[ttl] = h.ip_version == 4 ? h.ip()[8] : h.ip()[7];
    if (h.payload_offset != Headers::none) row[payload] = h.payload_length();
    if (h.has_tcp() || h.has_udp())
        row[port] = codes::service_port(load16(h.transport()), load16(h.transport() + 2));
    if (!h.has_tcp()) return;
    row[flags] = h.tcp()[13];
    row[window] = load16(h.tcp() + 14);
}

void add_packets(const ObservedSample& sample, std::uint32_t session, double share, Random& random,
                 Points& packets) {
    std::vector<double> directions(sample.trace.size(), nan);
    for (const FlowPackets& flow : sample.flows)
        for (std::size_t i = 0; i < flow.packets.size(); ++i)
            directions[flow.packets[i]] = static_cast<double>(flow.directions[i]);
    std::vector<double> row(packets.width);
    for (std::size_t i = 0; i < sample.trace.size(); ++i) {
        if (share < 1 && !random.chance(share)) continue;
        describe_packet(sample, i, row);
        row[direction] = directions[i];
        packets.add(row, session);
    }
}

Points session_points(const Observations& observations) {
    const std::vector<Feature>& features = joint_session_features();
    const std::size_t sessions = observations.sessions();
    std::vector<double> values(sessions * features.size(), nan);
    std::vector<bool> present(sessions);
    for (std::size_t f = 0; f < features.size(); ++f) {
        const Column* column = observations.find(features[f].name);
        if (column == nullptr) continue;
        for (std::size_t i = 0; i < column->values.size(); ++i) {
            values[column->session[i] * features.size() + f] = on_axis(features[f], column->values[i]);
            present[column->session[i]] = true;
        }
    }
    Points points{features.size(), {}, {}, sessions};
    for (std::size_t s = 0; s < sessions; ++s)
        if (present[s])
            points.add(std::span(values).subspan(s * features.size(), features.size()),
                       static_cast<std::uint32_t>(s));
    return points;
}

}  // namespace

const std::vector<Feature>& joint_flow_features() {
    static const std::vector<Feature> features = [] {
        std::vector<Feature> all = {{"tcp", FieldKind::categorical}, {"udp", FieldKind::categorical}};
        const auto fields = fields_named(
            flow_fields(), {"flow.packets", "flow.bytes", "flow.duration", "flow.iat_mean", "flow.iat_std",
                            "flow.size_mean_fwd", "flow.size_mean_rev", "flow.size_std_fwd",
                            "flow.size_std_rev", "flow.fwd_packet_share", "flow.fwd_byte_share",
                            "flow.syn_share", "flow.fin_share", "flow.rst_share", "flow.psh_share",
                            "flow.rtt", "flow.retransmission_share", "flow.handshake", "flow.closed"});
        all.insert(all.end(), fields.begin(), fields.end());
        return all;
    }();
    return features;
}

const std::vector<Feature>& joint_session_features() {
    static const std::vector<Feature> features =
        fields_named(session_fields(), {"session.flows", "session.concurrent_flows",
                                        "session.remote_endpoints", "session.packets", "session.bytes",
                                        "session.duration", "session.fwd_byte_share", "session.burstiness"});
    return features;
}

const std::vector<Feature>& joint_packet_features() {
    constexpr auto number = FieldKind::continuous, code = FieldKind::categorical;
    static const std::vector<Feature> features = {
        {"frame.length", number}, {"packet.iat", number, true}, {"packet.direction", number},
        {"ip.protocol", code},    {"ip.ttl", number},           {"service.port", code},
        {"tcp.flags", code},      {"tcp.window", number, true}, {"payload", number}};
    return features;
}

FeatureVectors feature_vectors(const SampleSet& set) {
    const std::size_t sessions = set.samples.size();
    FeatureVectors vectors{{joint_flow_features().size(), {}, {}, sessions},
                           session_points(set.observations),
                           {joint_packet_features().size(), {}, {}, sessions}};
    std::size_t packets = 0;
    for (const LabelledTrace& sample : set.samples) packets += sample.trace.size();
    const double share = static_cast<double>(FeatureVectors::max_packets) /
                         static_cast<double>(std::max<std::size_t>(packets, 1));
    // Every set alike, whatever it is called: the same packets are drawn from the same samples.
    Random random(stream_seed(0, "joint packets"));
    Reservoir<FlowRow> flows(FeatureVectors::max_flows, stream_seed(0, "joint flows"));
    std::uint32_t session = 0;
    for (const LabelledTrace& labelled : set.samples) {
        const ObservedSample sample(labelled.trace);
        add_flows(sample, session, flows);
        add_packets(sample, session, share, random, vectors.packets);
        ++session;
    }
    for (const FlowRow& flow : flows.take()) vectors.flows.add(flow.values, flow.session);
    return vectors;
}

Points packet_numbers(const Points& packets) {
    const std::vector<Feature>& features = joint_packet_features();
    std::vector<std::size_t> numbers;
    for (std::size_t f = 0; f < features.size(); ++f)
        if (features[f].kind == FieldKind::continuous) numbers.push_back(f);
    Points result{numbers.size(), {}, {}, packets.sessions};
    result.values.reserve(packets.size() * numbers.size());
    std::vector<double> row(numbers.size());
    for (std::size_t i = 0; i < packets.size(); ++i) {
        for (std::size_t n = 0; n < numbers.size(); ++n)
            row[n] = on_axis(features[numbers[n]], packets.row(i)[numbers[n]]);
        result.add(row, packets.session[i]);
    }
    return result;
}

}  // namespace tracebench
