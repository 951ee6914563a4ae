#pragma once
/// A packet image while it is being repaired.

#include <cstdint>
#include <vector>

#include "base/random.h"
#include "generators/diffusion/repair/image_repair.h"
#include "generators/diffusion/row_fields.h"

namespace tracebench::diffusion {

struct DraftRow {
    NprintRow bits;
    std::size_t image_row = 0;  ///< index into PacketImage::rows
    std::uint32_t flow = 0;     ///< index into Draft::flows
    Direction direction = Direction::forward;
    std::int64_t time_ns = 0;
    Ipv6Part ipv6;
    bool fragment = false;       ///< one of a whole train of fragments, see keep_fragments()
    bool has_transport = false;  ///< from keep_fragments() on
};

struct DraftFlow {
    std::vector<std::uint32_t> rows;  ///< indices into Draft::rows, ascending
    bool ipv6 = false;
    std::uint8_t protocol = 0;   ///< TCP, UDP, ICMP, or another where has_transport is false
    bool has_transport = false;  ///< nPrint has columns for it
    Endpoint
        ends[2];  ///< source and destination of forward packets; as the image has them until choose_ends()
};

struct Draft {
    const PacketImage& image;
    const RepairSettings& settings;
    Random& random;
    std::vector<DraftRow> rows;
    std::vector<DraftFlow> flows;

    DraftFlow& flow_of(const DraftRow& row) { return flows[row.flow]; }
};

/// Bytes of the headers that the row's bits say it has; the IPv6 header is not among them.
inline std::uint32_t header_bytes(const DraftFlow& flow, const DraftRow& row) {
    const std::uint32_t ip = flow.ipv6 ? 0 : 4 * get(row.bits, field::header_words);
    if (!row.has_transport) return ip;
    return ip + (flow.protocol == ip_protocol::tcp ? 4 * get(row.bits, field::data_offset) : 8);
}
/// From the IPv4 header's start, or the IPv6 header's end, to the end of the packet.
inline std::uint32_t length_of(const DraftFlow& flow, const DraftRow& row) {
    return flow.ipv6 ? row.ipv6.length.value_or(0) : get(row.bits, field::total_length);
}
inline void set_length(const DraftFlow& flow, DraftRow& row, std::uint32_t length) {
    if (flow.ipv6) {
        row.ipv6.length = static_cast<std::uint16_t>(length);
    } else {
        put(row.bits, field::total_length, length);
    }
}
inline std::uint32_t payload_of(const DraftFlow& flow, const DraftRow& row) {
    const std::uint32_t headers = header_bytes(flow, row), length = length_of(flow, row);
    return length > headers ? length - headers : 0;
}

}  // namespace tracebench::diffusion
