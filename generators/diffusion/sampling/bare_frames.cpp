#include "generators/diffusion/sampling/bare_frames.h"

#include <algorithm>

#include "generators/diffusion/row_fields.h"
#include "generators/ethernet.h"
#include "traffic/bytes.h"

namespace tracebench::diffusion {
namespace {

constexpr std::size_t ipv4_header_bits = 160, ipv6_header = 40;

std::vector<std::uint8_t> ipv6_packet(const ImageRow& row, const ImageFlow& flow) {
    NprintRow with_header = row.bits;  // nprint_packet() wants an IPv4 header before the transport's
    std::fill_n(with_header.begin(), ipv4_header_bits, std::int8_t{0});
    put(with_header, field::protocol, flow.protocol);
    const auto packet = nprint_packet(with_header);
    const std::span<const std::uint8_t> transport =
        packet ? std::span<const std::uint8_t>(packet->bytes).subspan(packet->ipv4_length)
               : std::span<const std::uint8_t>();
    const bool forward = row.direction == Direction::forward;
    const auto length = row.ipv6.length.value_or(static_cast<std::uint16_t>(transport.size()));
    std::vector<std::uint8_t> bytes = {static_cast<std::uint8_t>(0x60 | row.ipv6.traffic_class >> 4),
                                       static_cast<std::uint8_t>(row.ipv6.traffic_class << 4),
                                       0,
                                       0,
                                       static_cast<std::uint8_t>(length >> 8),
                                       static_cast<std::uint8_t>(length),
                                       flow.protocol,
                                       row.ipv6.hop_limit};
    for (const Endpoint* end :
         {forward ? &flow.source : &flow.destination, forward ? &flow.destination : &flow.source})
        bytes.insert(bytes.end(), end->address.bytes.begin(), end->address.bytes.end());
    bytes.insert(bytes.end(), transport.begin(), transport.end());
    return bytes;
}

}  // namespace

Trace bare_frames(const PacketImage& image) {
    Trace packets;
    for (const ImageRow& row : image.rows) {
        if (std::all_of(row.bits.begin(), row.bits.end(), [](std::int8_t bit) { return bit < 0; })) continue;
        if (const auto packet = nprint_packet(row.bits)) {
            packets.append(row.time_ns, packet->bytes, packet->original_length, link_type::ipv4);
        } else {
            const std::vector<std::uint8_t> bytes = ipv6_packet(row, image.flows[row.flow]);
            const std::uint32_t length = ipv6_header + row.ipv6.length.value_or(0);
            packets.append(row.time_ns, bytes, std::max(length, static_cast<std::uint32_t>(bytes.size())),
                           link_type::ipv6);
        }
    }
    return to_ethernet(packets).trace;
}

}  // namespace tracebench::diffusion
