#pragma once
/// Makes packets and conversations legal by the rule table, with the least change, and says what it changed.

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

struct RepairOptions {
    /// Make the first packets of every TCP flow its handshake, also where it may have begun before the
    /// capture (which is legal, and left alone without this).
    bool force_handshake = false;
};

/// Packet-scope rules in table order; afterwards every packet passes every packet-scope rule that can be
/// checked. A legal packet is not changed. Frames without an IP or ARP packet keep their contents.
void repair_packet(MutablePacket& packet, RepairReport& report);

/// The whole trace: packet rules, then flow rules, then session rules, in time order. Where the numbers of a
/// TCP conversation are wrong, its segments are renumbered: gaps are closed, later numbers and the peer's
/// acknowledgements move along, payload lengths stay. FIN and RST are cleared where their sender goes on with
/// new data. Legal conversations stay as they are. Frames of the result are numbered from 1.
Trace repair_trace(const Trace& trace, RepairReport& report, const RepairOptions& options = {});

}  // namespace tracebench
