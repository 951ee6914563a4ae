/// SessionModel: what markov learns about one label, and how it draws a session.

#include <algorithm>
#include <nlohmann/json.hpp>

#include "generators/baseline/flow_writer.h"
#include "generators/baseline/markov.h"
#include "generators/baseline/session_flows.h"
#include "traffic/packet_builder.h"

namespace tracebench {
namespace {

constexpr std::size_t max_kinds = 50'000, max_flows = 1'000'000;
constexpr std::uint64_t min_flows_per_chain = 4;
// What no real session reaches and a damaged model must not pass.
constexpr std::size_t max_session_bytes = std::size_t{1} << 30;
constexpr std::int64_t max_session_ns = std::int64_t{1} << 57;

/// A frame of some flow, before the flows of a session are merged.
struct TimedPacket {
    std::int64_t time_ns = 0;
    PacketFields fields;
};

}  // namespace

void SessionModel::add(const Trace& session, Random& random) {
    for (const PacketView& packet : session.packets)
        if (packet.truncated())
            snap_length_ = std::max(snap_length_, static_cast<std::uint32_t>(packet.bytes.size()));
    std::vector<IpAddress> met;
    std::vector<SessionFlow> flows = session_flows(session);
    for (std::size_t i = 1; i < flows.size(); ++i) start_gaps_ns_.add(start_gap(flows[i - 1], flows[i]));
    for (SessionFlow& flow : flows) {
        const auto known = std::lower_bound(met.begin(), met.end(), flow.kind.other);
        if (known != met.end() && *known == flow.kind.other)
            ++reused_servers_;
        else
            met.insert(known, flow.kind.other);
        ++flows_seen_;
        if (kinds_.size() < max_kinds) {
            kinds_.push_back(std::move(flow.kind));
            flows_.push_back(std::move(flow.packets));
        } else if (const std::uint64_t place = random.below(flows_seen_); place < max_kinds) {
            kinds_[place] = std::move(flow.kind);  // reservoir sampling: every flow is as likely to stay
            flows_[place] = std::move(flow.packets);
        }
    }
    if (!flows.empty()) flows_per_session_.add(std::min<std::uint64_t>(flows.size(), max_flows));
}

void SessionModel::finish() {
    std::map<Service, std::uint64_t> counts;
    for (const FlowKind& kind : kinds_) ++counts[{kind.protocol, kind.service_port()}];
    for (std::size_t i = 0; i < kinds_.size(); ++i) {
        Service service{kinds_[i].protocol, kinds_[i].service_port()};
        if (counts[service] < min_flows_per_chain) service.second = 0;
        chains_[service].learn(flows_[i], kinds_[i].protocol == ip_protocol::tcp);
    }
    flows_.clear();
}

PacketChain& SessionModel::chain_of(const FlowKind& kind) {
    const auto own = chains_.find({kind.protocol, kind.service_port()});
    return own != chains_.end() ? own->second : chains_.at({kind.protocol, 0});
}

/// The hosts of one session being drawn.
struct SessionModel::Servers {
    Random& random;
    double reuse;
    FreshAddresses addresses{random};
    std::map<std::uint8_t, IpAddress> clients{};  // by IP version
    std::map<std::pair<std::uint8_t, AddressKind>, std::vector<IpAddress>> met{};

    IpAddress client(std::uint8_t version) {
        const auto [entry, is_new] = clients.try_emplace(version);
        if (is_new)
            entry->second = addresses.draw(version == 4 ? IpAddress{4, {192, 168, 0, 2}}
                                                        : IpAddress{6, {0x20, 0x01, 0x0D, 0xB8}});
        return entry->second;
    }

    /// Met before with probability `reuse`, of the same kind as the training flow's.
    IpAddress server(const IpAddress& like) {
        const AddressKind kind = address_kind(like);
        if (kind == AddressKind::fixed) return like;
        std::vector<IpAddress>& known = met[{like.version, kind}];
        if (!known.empty() && random.chance(reuse)) return random.choose(std::span<const IpAddress>(known));
        return known.emplace_back(addresses.draw(like));
    }
};

Trace SessionModel::draw(std::size_t max_packets, Random& random) {
    const std::size_t limit = max_packets == 0 ? SIZE_MAX : max_packets;
    const double reuse =
        flows_seen_ == 0 ? 0 : static_cast<double>(reused_servers_) / static_cast<double>(flows_seen_);
    Servers hosts{random, reuse};
    const MacAddress client_mac = random_mac(random), gateway_mac = random_mac(random);
    const std::int64_t session_start = random_start_ns(random);
    const std::uint64_t flows = std::max<std::uint64_t>(1, flows_per_session_.draw(random));

    std::vector<TimedPacket> packets;
    std::size_t bytes = 0;
    std::int64_t flow_start = 0;
    for (std::uint64_t flow = 0; flow < flows && bytes < max_session_bytes; ++flow) {
        if (flow > 0) flow_start += static_cast<std::int64_t>(start_gaps_ns_.draw(random));
        flow_start = std::min(flow_start, max_session_ns);
        const FlowKind& kind = random.choose(std::span<const FlowKind>(kinds_));
        const IpAddress client = hosts.client(kind.ip_version), server = hosts.server(kind.other);
        FlowEnds ends;
        ends.src.address = kind.from_client ? client : server;
        ends.dst.address = kind.from_client ? server : client;
        ends.src_mac = kind.from_client ? client_mac : gateway_mac;
        ends.dst_mac = kind.from_client ? gateway_mac : client_mac;
        const auto port = [&](const FlowSide& side) {
            return side.ephemeral ? random_port_like(side.port, random) : side.port;
        };
        ends.src.port = port(kind.sides[0]);
        ends.dst.port = port(kind.sides[1]);
        FlowWriter writer(kind, ends, random);
        for (const ChainPacket& packet : chain_of(kind).draw(random, limit)) {
            packets.push_back({session_start + flow_start + packet.time_ns, writer.next(packet)});
            bytes += sizeof(TimedPacket) + 64;
        }
    }
    std::stable_sort(packets.begin(), packets.end(),
                     [](const TimedPacket& a, const TimedPacket& b) { return a.time_ns < b.time_ns; });

    Trace session;
    bytes = 0;
    for (std::size_t i = 0; i < std::min(packets.size(), limit) && bytes < max_session_bytes; ++i) {
        std::vector<std::uint8_t> frame = build_packet(packets[i].fields);
        const auto length = static_cast<std::uint32_t>(frame.size());
        if (snap_length_ != 0 && frame.size() > snap_length_) frame.resize(snap_length_);
        session.append(packets[i].time_ns, frame, length);
        bytes += frame.size();
    }
    return session;
}

nlohmann::json SessionModel::to_json() const {
    nlohmann::json kinds = nlohmann::json::array(), chains = nlohmann::json::array();
    for (const FlowKind& kind : kinds_) kinds.push_back(tracebench::to_json(kind));
    for (const auto& [service, chain] : chains_)
        chains.push_back({{"protocol", service.first}, {"port", service.second}, {"chain", chain.to_json()}});
    return {{"kinds", std::move(kinds)},
            {"chains", std::move(chains)},
            {"flows_per_session", flows_per_session_.to_json()},
            {"start_gaps_ns", start_gaps_ns_.to_json()},
            {"flows_seen", flows_seen_},
            {"reused_servers", reused_servers_},
            {"snap_length", snap_length_}};
}

SessionModel SessionModel::from_json(const CheckedJson& json) {
    SessionModel model;
    constexpr std::int64_t max_count = std::int64_t{1} << 40;
    for (const CheckedJson& entry : json.at("chains").items(100'000)) {
        const Service service{static_cast<std::uint8_t>(entry.at("protocol").integer(0, 255)),
                              static_cast<std::uint16_t>(entry.at("port").integer(0, 65535))};
        model.chains_.insert_or_assign(service, PacketChain::from_json(entry.at("chain")));
    }
    for (const CheckedJson& entry : json.at("kinds").items(max_kinds)) {
        model.kinds_.push_back(flow_kind_from_json(entry));
        const FlowKind& kind = model.kinds_.back();
        if (!model.chains_.contains({kind.protocol, kind.service_port()}) &&
            !model.chains_.contains({kind.protocol, 0}))
            entry.fail("has no chain");
    }
    if (model.empty()) json.at("kinds").fail("is empty");
    model.flows_per_session_ = Histogram::from_json(json.at("flows_per_session"), max_flows);
    model.start_gaps_ns_ = Histogram::from_json(json.at("start_gaps_ns"), max_start_gap_ns, 6);
    model.flows_seen_ = static_cast<std::uint64_t>(json.at("flows_seen").integer(0, max_count));
    model.reused_servers_ = static_cast<std::uint64_t>(json.at("reused_servers").integer(0, max_count));
    model.snap_length_ = static_cast<std::uint32_t>(json.at("snap_length").integer(0, 1 << 18));
    return model;
}

nlohmann::json SessionModel::describe() const {
    std::size_t states = 0;
    for (const auto& [service, chain] : chains_) states += chain.states();
    return {{"sessions", flows_per_session_.total()},
            {"flows", flows_seen_},
            {"chains", chains_.size()},
            {"states", states}};
}

}  // namespace tracebench
