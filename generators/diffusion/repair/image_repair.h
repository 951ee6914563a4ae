#pragma once
/// From bits to legal packets: the packets nearest to a packet image that pass every rule (traffic/rules).
///
///     ImageRepairReport report;
///     Trace trace = repair_image(image, settings, random, report);
///
/// What is decided in which order, each step from the ones before it: docs/repair.md.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/random.h"
#include "generators/diffusion/packet_image.h"
#include "traffic/trace.h"

namespace tracebench::diffusion {

struct RepairSettings {
    /// Largest IP packet: a longer total length loses its high bits. 65535: any.
    std::uint32_t largest_packet = 1500;
    /// Payload, of which an image says only how long it is, is zeros; else frames are cut after their
    /// headers, as captures with a snap length are. Cut frames cannot be replayed. Checksums are the same in
    /// both.
    bool whole_frames = true;
    /// The first packets of a TCP flow that does not begin with a SYN are made its handshake, as NetDiffusion
    /// does; else it has begun before the capture, which is as legal.
    bool handshake = true;
    std::int64_t start_ns = 0;  ///< time of the first row
};

/// Of one nPrint field, in columns that the image knows.
struct FieldChange {
    std::uint64_t bits = 0;     ///< present in the image or in the result
    std::uint64_t altered = 0;  ///< of these those with another value, or present in only one of both
};

struct ImageRepairReport {
    std::uint64_t rows = 0;             ///< of the image
    std::uint64_t empty_rows = 0;       ///< without half of a header's fixed bits: no packets
    std::uint64_t packets = 0;          ///< made
    std::uint64_t packets_altered = 0;  ///< of these with an altered bit outside of the checksums
    std::vector<FieldChange> fields;    ///< one a field, as nprint_fields(); empty before the first repair
    /// Rule id -> packets that the rule table had to change after the steps before it.
    std::map<std::string, std::uint64_t> rules;

    /// Altered bits / bits, over all fields but the checksums, which are always computed; 0 without bits.
    double altered_share() const;
    void merge(const ImageRepairReport& other);
};

/// Every packet of the result passes every rule, of packet, flow and session scope. Rows become packets
/// one for one and keep times and flows, but empty rows, which are left out. `random` is drawn from only
/// where the image does not tell (such as addresses in columns it does not have). Adds to `report`.
Trace repair_image(const PacketImage& image, const RepairSettings& settings, Random& random,
                   ImageRepairReport& report);

}  // namespace tracebench::diffusion
