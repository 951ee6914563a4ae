#pragma once
/// What stays the same throughout a flow, as taken from a real one: protocol, ports, and each end's habits.

#include <cstdint>
#include <optional>
#include <vector>

#include "generators/checked_json.h"
#include "traffic/flow_split.h"
#include "traffic/trace.h"

namespace tracebench {

enum class IpIdHabit : std::uint8_t { zero, counter, random };

/// One end of a flow; the TCP members are those of its segments.
struct FlowSide {
    std::uint16_t port = 0;
    bool ephemeral = false;  ///< another port of its range will do
    std::uint8_t ttl = 64, tos = 0;
    bool dont_fragment = true;
    IpIdHabit ip_id = IpIdHabit::zero;
    std::uint16_t syn_window = 65535;
    std::vector<std::uint8_t> syn_options;  ///< as they stood, timestamps included; empty: no SYN was seen
    bool timestamps = false;                ///< in segments after the SYN (RFC 7323)
    std::vector<std::uint16_t> windows;     ///< of segments that are neither SYN nor RST, at most 64
    double window_change = 0;               ///< probability that the next segment's differs from the last
};

struct FlowKind {
    std::uint8_t protocol = 0, ip_version = 4;
    bool from_client = true;  ///< the session's client sent the first packet
    IpAddress other;          ///< the end that is not the client, for its kind of address
    FlowSide sides[2];        ///< by Direction

    /// The server's port: what the flow is for. 0 for protocols without ports.
    std::uint16_t service_port() const;
};

/// Nothing for flows without a TCP, UDP, ICMP or ICMPv6 header.
std::optional<FlowKind> learn_flow_kind(const Trace& trace, const FlowPackets& flow, const IpAddress& client);

nlohmann::json to_json(const FlowKind& kind);
/// Throws InputError.
FlowKind flow_kind_from_json(const CheckedJson& json);

}  // namespace tracebench
