#pragma once
/// A session as a Markov chain learns it: its flows, each as a kind and the packets of a chain.

#include <cstdint>
#include <vector>

#include "generators/baseline/flow_kind.h"
#include "generators/baseline/packet_chain.h"
#include "traffic/trace.h"

namespace tracebench {

struct SessionFlow {
    FlowKind kind;
    std::vector<ChainPacket> packets;  ///< at least one
    std::int64_t start_ns = 0;
};

/// TCP, UDP, ICMP and ICMPv6 flows in order of their first packets; others are skipped. The client is the
/// address, of either IP version, that takes part in most flows.
std::vector<SessionFlow> session_flows(const Trace& session);

/// Time between the starts of two flows as a histogram holds it: 0 .. max_start_gap_ns - 1.
inline constexpr std::int64_t max_start_gap_ns = std::int64_t{1} << 50;
std::uint64_t start_gap(const SessionFlow& before, const SessionFlow& flow);

}  // namespace tracebench
