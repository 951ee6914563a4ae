#pragma once
/// A sample as what NetDiffusion learns from: an nPrint row a packet, and beside the bits what they do not
/// tell: whose packet it is, which way it goes and when.
///
///     PacketImage image = packet_image(trace);
///     Trace again = repair_image(image, {}, random, report);   // repair/image_repair.h

#include <cstdint>
#include <optional>
#include <vector>

#include "traffic/flow_key.h"
#include "traffic/flow_table.h"
#include "traffic/nprint.h"
#include "traffic/trace.h"

namespace tracebench::diffusion {

/// Packets of a sample that are learned and made.
inline constexpr std::size_t kImageRows = 1024;

/// What nPrint leaves out of an IPv6 packet, whose row has transport bits only.
struct Ipv6Part {
    std::uint8_t traffic_class = 0;
    std::uint8_t hop_limit = 64;
    /// Bytes of the transport header and its payload, extension headers not included; none: unknown, as in
    /// images of the published pipeline.
    std::optional<std::uint16_t> length;
};

struct ImageRow {
    NprintRow bits;
    std::uint32_t flow = 0;  ///< index into PacketImage::flows
    Direction direction = Direction::forward;
    std::int64_t time_ns = 0;  ///< since the first row; never less than the row before has
    Ipv6Part ipv6;             ///< meaningless in a row with IPv4 bits
    /// Of TCP, where what made the row means no number but 'the next': repair may then alter lengths before
    /// it.
    bool sequence_follows = false;  ///< begins after all that its sender has sent
    bool acknowledges_all = false;  ///< acknowledges all that its peer has sent
};

/// Who talks, also where the bits do not say (IPv6). Ports are 0 for protocols without ports.
struct ImageFlow {
    Endpoint source, destination;  ///< of the flow's first packet
    std::uint8_t protocol = ip_protocol::tcp;
};

struct PacketImage {
    std::vector<ImageRow> rows;    ///< at most kImageRows where made from a trace
    std::vector<ImageFlow> flows;  ///< in order of their first rows
    std::uint64_t without_row =
        0;                       ///< packets that nPrint cannot show: neither IPv4 nor TCP or UDP over IPv6
    std::uint64_t left_out = 0;  ///< packets with a row after the first kImageRows
    /// Columns that the bits were given in: all of them, but in an image without addresses.
    std::vector<bool> known = std::vector<bool>(kNprintColumns, true);
};

/// The first kImageRows rows of a trace, in time order; flows are split as everywhere (flow_split.h, default
/// timeouts). Rows are those of nprint_row(): the outermost IP header, whatever link and tags. An empty trace
/// is an empty image. Lost are: link header, VLAN tags, IPv6 flow label and extension headers, payload, and
/// the time of the first packet.
PacketImage packet_image(const Trace& trace);

/// For each row which of the 136 bytes of nPrint's layout are present (any bit is not -1): rows x 136 of {0,
/// 1}, row by row.
inline constexpr std::size_t kImageBytes = kNprintColumns / 8;
std::vector<std::uint8_t> present_bytes(const PacketImage& image);

}  // namespace tracebench::diffusion
