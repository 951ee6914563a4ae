#pragma once
/// What a decoder does with a packet whose bytes are all there.

#include <cstdint>
#include <optional>
#include <span>

#include "generators/ssm/encoding/netssm_flows.h"
#include "traffic/rules/rule_packet.h"

namespace tracebench::ssm {

struct FinishedPacket {
    MutablePacket packet;
    bool repaired = false;  ///< a rule other than a checksum's had to change it
};

/// NetSSM's 128 bytes as a frame that passes every rule: checksums are computed, and the rule table has the
/// last word over what the grammar let through. A TCP segment joins its conversation in `flows`, which were
/// told the time by expire(). Nothing where the bytes are neither TCP nor UDP over plain IP, or no repair
/// makes them legal.
std::optional<FinishedPacket> finish_packet(std::span<const std::uint8_t> bytes, std::int64_t time_ns,
                                            LiveFlows& flows);

}  // namespace tracebench::ssm
