#pragma once
/// Makes packets legal by the rule table, with the least change, and says what it changed.

#include <cstdint>
#include <map>
#include <string>

#include "traffic/rules/rule.h"
#include "traffic/trace.h"

namespace tracebench {

struct RepairReport {
    std::uint64_t packets = 0;
    std::uint64_t packets_changed = 0;
    std::map<std::string, std::uint64_t> repaired;  ///< rule id -> packets that it changed
};

/// Packet-scope rules in table order; afterwards every packet passes every packet-scope rule it can.
void repair_packet(MutablePacket& packet, RepairReport& report);
/// The whole trace: packet rules; flow rules where they have a repair of their own.
Trace repair_trace(const Trace& trace, RepairReport& report);

}  // namespace tracebench
