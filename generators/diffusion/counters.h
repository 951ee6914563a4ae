#pragma once
/// What a flow's earlier packets let one expect of the next one's counters: IP identification, TCP sequence
/// and acknowledgement number. Encoding and decoding keep the same state, from the numbers themselves.

#include <cstdint>

#include "generators/diffusion/packet_image.h"
#include "generators/diffusion/row_fields.h"

namespace tracebench::diffusion {

/// 0 -1 1 -2 2 ... to 0 1 2 3 4 ..., modulo 2^32.
inline std::uint32_t fold(std::uint32_t distance) {
    return distance << 1 ^ (distance >> 31 != 0 ? UINT32_MAX : 0);
}
inline std::uint32_t unfold(std::uint32_t folded) {
    return folded >> 1 ^ ((folded & 1) != 0 ? UINT32_MAX : 0);
}

/// Identifications are 0 (not used) or walk on the circle of 1..65535. A code of 1 is the last one again.
inline std::uint16_t ip_id_code(std::uint16_t id, std::uint16_t last) {
    constexpr std::uint32_t circle = 65535;
    if (id == 0) return 0;
    if (last == 0) return 1;
    return static_cast<std::uint16_t>(1 + (id + circle - last) % circle);
}
/// Requires last > 0.
inline std::uint16_t ip_id_of(std::uint16_t code, std::uint16_t last) {
    constexpr std::uint32_t circle = 65535;
    if (code == 0) return 0;
    return static_cast<std::uint16_t>(1 + (last - 1U + code - 1U) % circle);
}

/// One direction of a flow.
struct SenderCounters {
    std::uint16_t last_id = 0;  ///< last identification that was not 0; 0: none
    bool seen = false;          ///< a TCP segment
    std::uint32_t next = 0;     ///< after the highest sequence number sent
    // When decoding:
    bool acknowledged = false;               ///< it has sent an acknowledgement
    std::uint32_t last_acknowledgement = 0;  ///< the last one
    bool timestamped = false;
    std::uint32_t clock = 0;           ///< TCP timestamp at the image's start
    std::uint32_t last_timestamp = 0;  ///< the last one sent
};

/// Bytes of TCP payload by the header's own lengths; 0 where they contradict each other or are unknown.
std::uint32_t tcp_payload(BitsView row, bool ipv6, const Ipv6Part& part);
/// Adds a segment with these bits to what its sender has sent.
void note_segment(SenderCounters& sender, BitsView row, std::uint32_t payload);

}  // namespace tracebench::diffusion
