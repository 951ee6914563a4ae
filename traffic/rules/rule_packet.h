#pragma once
/// A packet as protocol rules see it: dissected once, with what can be read of each layer.

#include <cstdint>
#include <vector>

#include "traffic/bytes.h"
#include "traffic/headers.h"
#include "traffic/packet.h"

namespace tracebench {

/// What a rule speaks about; a packet has at most one network, one transport (the outermost) and one
/// application layer (see application.h).
enum class RuleLayer : std::uint8_t {
    link,
    arp,
    ipv4,
    ipv6,
    tcp,
    udp,
    icmp,
    icmpv6,
    dns,
    dhcp,
    ntp,
    quic,
    tls,
    http,
    mqtt
};
inline constexpr std::size_t rule_layers = 15;

enum class LayerState : std::uint8_t {
    absent,    ///< the packet has no such layer
    broken,    ///< it should be there, but its fixed header cannot be read: cut off, or lengths are illegal
    readable,  ///< the fixed header was captured and lies inside the frame and inside its IP packet
};

struct RulePacket {
    PacketView packet;
    Headers headers;
    std::uint32_t wire_end = 0;               ///< length on the wire, never less than captured
    std::uint32_t network = Headers::none;    ///< offset of the ARP, IPv4 or IPv6 header
    std::uint32_t transport = Headers::none;  ///< offset of the TCP, UDP or ICMP header, even if it is broken
    std::uint32_t end = 0;  ///< where the IP packet ends: by its own length, but inside the frame
    LayerState link_state = LayerState::absent;
    std::uint32_t payload =
        Headers::none;  ///< offset of the application's bytes; only where it is not absent
    LayerState network_state = LayerState::absent, transport_state = LayerState::absent;
    LayerState application_state = LayerState::absent;
    RuleLayer network_layer = RuleLayer::ipv4, transport_layer = RuleLayer::tcp;
    RuleLayer application_layer = RuleLayer::dns;

    LayerState state(RuleLayer layer) const {
        if (layer == RuleLayer::link) return link_state;
        if (layer <= RuleLayer::ipv6) return layer == network_layer ? network_state : LayerState::absent;
        if (layer <= RuleLayer::icmpv6)
            return layer == transport_layer ? transport_state : LayerState::absent;
        return layer == application_layer ? application_state : LayerState::absent;
    }
    bool captured(std::uint32_t offset, std::uint32_t size) const {
        return offset <= headers.captured && headers.captured - offset >= size;
    }
    const std::uint8_t* at(std::uint32_t offset) const { return headers.data + offset; }
    const std::uint8_t* net() const { return headers.data + network; }
    const std::uint8_t* segment() const { return headers.data + transport; }
    /// Bytes on the wire from the transport header to the end of the IP packet.
    std::uint32_t segment_length() const { return end > transport ? end - transport : 0; }
    /// Bytes on the wire from the application's first byte to the end of the IP packet.
    std::uint32_t payload_length() const { return end > payload ? end - payload : 0; }
};

RulePacket read_rule_packet(const PacketView& packet);

/// A packet being repaired: bytes may change in place and grow or shrink (headers completed or removed).
struct MutablePacket {
    std::int64_t time_ns = 0;
    std::uint32_t original_length = 0;
    std::uint16_t link = link_type::ethernet;
    std::vector<std::uint8_t> bytes;

    PacketView view() const { return {time_ns, original_length, link, 0, bytes}; }
};

}  // namespace tracebench
