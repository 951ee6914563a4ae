#pragma once
/// Traffic of other link types as Ethernet frames, which is what all generators make.

#include <cstdint>

#include "traffic/trace.h"

namespace tracebench {

struct EthernetTrace {
    Trace trace;
    std::uint64_t dropped = 0;  ///< packets of other link types that hold no IP packet
};

/// Ethernet packets stay as they are (VLAN tags and all). Of others the IP packet is kept, behind an
/// Ethernet header whose MAC addresses are made from the IP addresses: two hosts keep theirs throughout.
/// Original lengths change by the difference of the link headers.
EthernetTrace to_ethernet(const Trace& trace);

}  // namespace tracebench
