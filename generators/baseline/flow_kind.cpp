#include "generators/baseline/flow_kind.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "generators/baseline/option_layout.h"
#include "generators/baseline/session_identity.h"
#include "traffic/bytes.h"
#include "traffic/headers.h"

namespace tracebench {
namespace {

constexpr std::size_t max_windows = 64, max_options = 40;

IpIdHabit habit_of(const std::vector<std::uint16_t>& ids) {
    if (std::all_of(ids.begin(), ids.end(), [](std::uint16_t id) { return id == 0; })) return IpIdHabit::zero;
    std::size_t small_steps = 0;
    for (std::size_t i = 1; i < ids.size(); ++i) {
        const auto step = static_cast<std::uint16_t>(ids[i] - ids[i - 1]);
        small_steps += step > 0 && step < 64 ? 1 : 0;
    }
    return 2 * small_steps + 1 >= ids.size() ? IpIdHabit::counter : IpIdHabit::random;
}

/// Gathers one side's habits packet by packet.
struct SideLearner {
    FlowSide side;
    bool any = false;
    std::vector<std::uint16_t> ids;
    std::uint64_t segments = 0, changes = 0;
    std::uint16_t last_window = 0;

    void add(const Headers& headers) {
        const std::uint8_t* const ip = headers.ip();
        const bool v4 = headers.ip_version == 4;
        if (!any) {
            side.ttl = v4 ? ip[8] : ip[7];
            side.tos = v4 ? ip[1] : static_cast<std::uint8_t>(load16(ip) >> 4);
            side.dont_fragment = v4 && (ip[6] & 0x40) != 0;
            any = true;
        }
        if (v4) ids.push_back(load16(ip + 4));
        if (headers.has_tcp()) add_tcp(headers);
    }

    void add_tcp(const Headers& headers) {
        const std::uint8_t* const tcp = headers.tcp();
        const std::uint16_t window = load16(tcp + 14);
        std::span<const std::uint8_t> options;
        if (headers.transport_complete)
            options = {tcp + 20, headers.payload_offset - headers.transport_offset - 20};
        if (tcp[13] & tcp_flag::syn) {
            side.syn_window = window;
            side.syn_options.assign(options.begin(), options.end());
            return;
        }
        if (tcp[13] & tcp_flag::rst) return;
        visit_tcp_options(options, [&](std::uint8_t kind, std::span<const std::uint8_t> value) {
            side.timestamps |= kind == tcp_option::timestamps && value.size() == 8;
        });
        const bool changed = segments > 0 && window != last_window;
        changes += changed ? 1 : 0;
        if ((segments == 0 || changed) && side.windows.size() < max_windows) side.windows.push_back(window);
        last_window = window;
        ++segments;
    }

    FlowSide finish() {
        side.ip_id = habit_of(ids);
        if (segments > 1)
            side.window_change = static_cast<double>(changes) / static_cast<double>(segments - 1);
        return std::move(side);
    }
};

nlohmann::json side_json(const FlowSide& side) {
    return {{"port", side.port},
            {"ephemeral", side.ephemeral},
            {"ttl", side.ttl},
            {"tos", side.tos},
            {"dont_fragment", side.dont_fragment},
            {"ip_id", static_cast<int>(side.ip_id)},
            {"syn_window", side.syn_window},
            {"syn_options",
             to_hex({reinterpret_cast<const char*>(side.syn_options.data()), side.syn_options.size()})},
            {"timestamps", side.timestamps},
            {"windows", side.windows},
            {"window_change", side.window_change}};
}

FlowSide side_from_json(const CheckedJson& json) {
    FlowSide side;
    side.port = static_cast<std::uint16_t>(json.at("port").integer(0, 65535));
    side.ephemeral = json.at("ephemeral").boolean();
    side.ttl = static_cast<std::uint8_t>(json.at("ttl").integer(0, 255));
    side.tos = static_cast<std::uint8_t>(json.at("tos").integer(0, 255));
    side.dont_fragment = json.at("dont_fragment").boolean();
    side.ip_id = static_cast<IpIdHabit>(json.at("ip_id").integer(0, static_cast<int>(IpIdHabit::random)));
    side.syn_window = static_cast<std::uint16_t>(json.at("syn_window").integer(0, 65535));
    const std::string options = json.at("syn_options").hex(max_options);
    side.syn_options.assign(options.begin(), options.end());
    side.timestamps = json.at("timestamps").boolean();
    for (const CheckedJson& window : json.at("windows").items(max_windows))
        side.windows.push_back(static_cast<std::uint16_t>(window.integer(0, 65535)));
    side.window_change = json.at("window_change").number(0, 1);
    return side;
}

}  // namespace

std::uint16_t FlowKind::service_port() const {
    return sides[sides[1].ephemeral && !sides[0].ephemeral ? 0 : 1].port;
}

std::optional<FlowKind> learn_flow_kind(const Trace& trace, const FlowPackets& flow,
                                        const IpAddress& client) {
    FlowKind kind;
    kind.protocol = flow.flow.key.protocol;
    kind.ip_version = flow.flow.src.address.version;
    kind.from_client = flow.flow.dst.address != client;
    kind.other = kind.from_client ? flow.flow.dst.address : flow.flow.src.address;
    SideLearner learners[2];
    for (std::size_t i = 0; i < flow.packets.size(); ++i) {
        const Headers headers = dissect(trace.packets[flow.packets[i]]);
        if (headers.has_tcp() || headers.has_udp() || headers.has_icmp() || headers.has_icmpv6())
            learners[static_cast<std::size_t>(flow.directions[i])].add(headers);
    }
    if (!learners[0].any && !learners[1].any) return std::nullopt;
    for (const std::size_t end : {0, 1}) kind.sides[end] = learners[end].finish();
    kind.sides[0].port = flow.flow.src.port;
    kind.sides[1].port = flow.flow.dst.port;
    if (const auto side = client_side(flow.flow.src, flow.flow.dst))
        kind.sides[static_cast<std::size_t>(*side)].ephemeral = true;
    return kind;
}

nlohmann::json to_json(const FlowKind& kind) {
    const auto* const other = reinterpret_cast<const char*>(kind.other.bytes.data());
    return {{"protocol", kind.protocol},
            {"from_client", kind.from_client},
            {"other", to_hex({other, kind.ip_version == 4 ? 4U : 16U})},
            {"sides", {side_json(kind.sides[0]), side_json(kind.sides[1])}}};
}

FlowKind flow_kind_from_json(const CheckedJson& json) {
    FlowKind kind;
    const std::int64_t protocol = json.at("protocol").integer(0, 255);
    const std::string other = json.at("other").hex(16);
    if (other.size() != 4 && other.size() != 16) json.at("other").fail("is not an IP address");
    kind.ip_version = other.size() == 4 ? 4 : 6;
    const std::uint8_t icmp = kind.ip_version == 4 ? ip_protocol::icmp : ip_protocol::icmpv6;
    if (protocol != ip_protocol::tcp && protocol != ip_protocol::udp && protocol != icmp)
        json.at("protocol").fail("is not TCP, UDP or the ICMP of its IP version");
    kind.protocol = static_cast<std::uint8_t>(protocol);
    kind.from_client = json.at("from_client").boolean();
    kind.other.version = kind.ip_version;
    std::copy(other.begin(), other.end(), kind.other.bytes.begin());
    const auto sides = json.at("sides").items(2);
    if (sides.size() != 2) json.at("sides").fail("does not hold two sides");
    for (const std::size_t end : {0, 1}) kind.sides[end] = side_from_json(sides[end]);
    return kind;
}

}  // namespace tracebench
