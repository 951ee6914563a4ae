#pragma once
/// The flow and session parts of repair_trace(). Not for use elsewhere: see repair.h.

#include <set>
#include <string_view>
#include <vector>

#include "traffic/rules/repair.h"

namespace tracebench {

/// Packet rules until all pass; adds the ids of those that changed something. False where none did.
bool apply_packet_rules(MutablePacket& packet, std::set<std::string_view>& applied);

/// Flow rules over packets in time order, once. False where every flow was legal.
bool repair_flows(std::vector<MutablePacket>& packets, std::vector<std::set<std::string_view>>& applied,
                  const RepairOptions& options);

/// Session rules over packets in time order, once. False where all passed.
bool repair_session(std::vector<MutablePacket>& packets, std::vector<std::set<std::string_view>>& applied);

}  // namespace tracebench
