#pragma once
/// A session as its statistics need it: 24 bytes a packet instead of its headers.

#include <cstdint>
#include <vector>

#include "traffic/flow_table.h"
#include "traffic/trace.h"

namespace tracebench {

struct PacketRecord {
    std::int64_t time_ns = 0;
    std::uint32_t wire_bytes = 0;
    std::uint32_t payload = 0;  ///< after the transport header, on the wire; 0 where unknown
    std::uint32_t flow = 0;     ///< its place in SessionLog::flows, or SessionLog::no_flow
    Direction direction = Direction::forward;
};

struct SessionLog {
    static constexpr std::uint32_t no_flow = UINT32_MAX;

    std::vector<PacketRecord> packets;  ///< in time order
    std::vector<Flow> flows;            ///< in order of first packets

    /// `placed`: what FlowTable::add() said of the packet.
    void add(const PacketView& packet, const Headers& headers,
             const std::optional<FlowTable::Placed>& placed);
    /// What FlowTable tells its sink.
    void end(const Flow& flow);
};

SessionLog session_log(const Trace& trace);

}  // namespace tracebench
