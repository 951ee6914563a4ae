#pragma once
/// Bits as they are in frames, legal or not: what a model made before repair.

#include "generators/diffusion/packet_image.h"
#include "traffic/trace.h"

namespace tracebench::diffusion {

/// Headers only, as nprint_packet() rebuilds them, behind an Ethernet header; rows without IPv4 bits get an
/// IPv6 header made from their flow's ends. Nothing is repaired and no checksum computed. Rows without a
/// present bit are left out.
Trace bare_frames(const PacketImage& image);

}  // namespace tracebench::diffusion
