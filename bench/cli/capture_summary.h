#pragma once
/// One pass over a capture that gathers what `inspect` tells.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/progress.h"
#include "traffic/capture_reader.h"
#include "traffic/flow_table.h"
#include "traffic/rules/checker.h"

namespace tracebench::cli {

struct Volume {
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;  ///< on the wire

    void add(const PacketView& packet) {
        ++packets;
        bytes += packet.original_length;
    }
};

struct CaptureSummary {
    Volume all;
    std::uint64_t captured_bytes = 0;
    std::uint64_t cut_packets = 0;           ///< shorter in the capture than on the wire
    std::uint64_t fragments = 0;             ///< IP packets that are part of a datagram
    std::uint64_t tunnelled = 0;             ///< packets that carry an IP packet inside another
    std::uint64_t time_reversals = 0;        ///< packets timed before the one ahead of them
    std::int64_t first_ns = 0, last_ns = 0;  ///< earliest and latest time; 0 where there is no packet
    std::map<std::uint16_t, std::uint64_t> link_types;  ///< packets of each
    std::map<std::string, Volume>
        protocols;  ///< `IPv4 TCP`, `IPv6 UDP`, `ARP`, `EtherType 0x88cc`, `unknown`

    std::uint64_t flows = 0, tcp_flows = 0, udp_flows = 0;
    std::uint64_t handshakes = 0, closed = 0, retransmissions = 0, out_of_order = 0;
    std::uint64_t flows_ended_early = 0;
    std::vector<double> rtt_ms;   ///< of the flows that have one, ascending
    std::vector<Flow> top_flows;  ///< by bytes both ways, largest first

    ComplianceResult compliance;
    std::optional<CaptureDamage> damage;

    double duration_s() const { return static_cast<double>(last_ns - first_ns) * 1e-9; }
};

/// Reads the whole capture in bounded memory. Throws InputError where it cannot be opened, Interrupted when
/// the user asks to stop. A capture without packets gives zeros.
CaptureSummary summarise(CaptureReader& reader, std::size_t top, Progress& progress);

}  // namespace tracebench::cli
