#include "generators/diffusion/packet_image.h"

#include <algorithm>

#include "traffic/flow_split.h"
#include "traffic/headers.h"

namespace tracebench::diffusion {
namespace {

constexpr std::uint32_t no_flow = UINT32_MAX;

struct Place {
    std::uint32_t flow = no_flow;  ///< index into what split_flows() gave
    Direction direction = Direction::forward;
};

std::vector<Place> places_of(const std::vector<FlowPackets>& flows, std::size_t packets) {
    std::vector<Place> places(packets);
    for (std::size_t f = 0; f < flows.size(); ++f)
        for (std::size_t i = 0; i < flows[f].packets.size(); ++i)
            places[flows[f].packets[i]] = {static_cast<std::uint32_t>(f), flows[f].directions[i]};
    return places;
}

Ipv6Part ipv6_part(const Headers& headers) {
    Ipv6Part part;
    if (headers.ip_version != 6) return part;
    const std::uint8_t* const ip = headers.ip();
    part.traffic_class = static_cast<std::uint8_t>(ip[0] << 4 | ip[1] >> 4);
    part.hop_limit = ip[7];
    if (headers.transport_offset != Headers::none && headers.ip_end >= headers.transport_offset)
        part.length = static_cast<std::uint16_t>(
            std::min<std::uint32_t>(headers.ip_end - headers.transport_offset, 65535));
    return part;
}

}  // namespace

PacketImage packet_image(const Trace& trace) {
    Trace sorted = trace;
    sorted.sort_by_time();
    const std::vector<FlowPackets> flows = split_flows(sorted);
    const std::vector<Place> places = places_of(flows, sorted.size());

    PacketImage image;
    std::int64_t start_ns = 0;
    std::vector<std::uint32_t> numbers(flows.size(), no_flow);
    ImageRow row;
    for (std::size_t i = 0; i < sorted.size(); ++i) {
        const PacketView& packet = sorted.packets[i];
        const Headers headers = dissect(packet);
        if (places[i].flow == no_flow || !nprint_row(packet, headers, row.bits)) {
            ++image.without_row;
            continue;
        }
        if (image.rows.size() == kImageRows) {
            ++image.left_out;
            continue;
        }
        std::uint32_t& number = numbers[places[i].flow];
        if (number == no_flow) {
            number = static_cast<std::uint32_t>(image.flows.size());
            const Flow& flow = flows[places[i].flow].flow;
            image.flows.push_back({flow.src, flow.dst, flow.key.protocol});
        }
        row.flow = number;
        row.direction = places[i].direction;
        if (image.rows.empty()) start_ns = packet.time_ns;
        row.time_ns = packet.time_ns - start_ns;
        row.ipv6 = ipv6_part(headers);
        image.rows.push_back(row);
    }
    return image;
}

std::vector<std::uint8_t> present_bytes(const PacketImage& image) {
    std::vector<std::uint8_t> bytes(image.rows.size() * kImageBytes);
    for (std::size_t r = 0; r < image.rows.size(); ++r)
        for (std::size_t column = 0; column < kNprintColumns; ++column)
            if (image.rows[r].bits[column] >= 0) bytes[r * kImageBytes + column / 8] = 1;
    return bytes;
}

}  // namespace tracebench::diffusion
