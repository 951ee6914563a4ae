#pragma once
/// Numbers inside TCP options that belong to a conversation.

#include <cstdint>

#include "generators/diffusion/repair/draft.h"
#include "traffic/rules/flow_state.h"

namespace tracebench::diffusion {

/// Where the timestamps of a sender go back other than late segments may: those outside of the longest series
/// that does not are set to the one before them in it.
void order_timestamps(Draft& draft, const DraftFlow& flow);

/// Adds `shift` to the edges of SACK blocks.
void move_sack(Bits row, std::uint32_t shift);

/// Sets a timestamp echo that the peer has not sent to the latest that it has.
void repair_echo(Bits row, const SegmentFields& segment, const TcpSide& peer, bool from_start);

}  // namespace tracebench::diffusion
