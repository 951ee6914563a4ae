#pragma once
/// Flows and directions of rows that came without: images made elsewhere.

#include <span>
#include <vector>

#include "base/random.h"
#include "generators/diffusion/packet_image.h"

namespace tracebench::diffusion {

/// Rows of any number, and the columns they were given in (nprint_image.h, nprint_text.h). Rows 1 ms apart,
/// or at `times_ns` (as many as rows, in any order: brought into theirs) where they are known.
///
/// Rows with the same protocol, addresses and ports, either way round, are a flow; how many bits two such may
/// differ in is estimated from the bits that are the same in every packet (the IP version), so that noise
/// does not make a flow of every row. Direction: the way round that fits better; where both do (no ports, or
/// twice the same) SYN and SYN-ACK tell, for others it is drawn, as NetDiffusion does. The first row's way is
/// forward.
PacketImage infer_flows(std::span<const NprintRow> rows, const std::vector<bool>& known, Random& random,
                        std::span<const std::int64_t> times_ns = {});

}  // namespace tracebench::diffusion
