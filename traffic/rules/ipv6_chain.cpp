#include "traffic/rules/ipv6_chain.h"

#include <iterator>

namespace tracebench {

bool Ipv6Chain::is_extension(std::uint8_t type) {
    switch (type) {
        case 0:    // hop-by-hop options
        case 43:   // routing
        case 44:   // fragment
        case 51:   // authentication
        case 60:   // destination options
        case 135:  // mobility
        case 139:  // HIP
        case 140:  // shim6
            return true;
        default:
            return false;
    }
}

Ipv6Chain::Ipv6Chain(const RulePacket& p) {
    constexpr std::uint8_t fragment = 44;
    next_header_field = p.network + 6;
    protocol = p.at(next_header_field)[0];
    std::size_t count = 0;
    std::uint32_t at = p.network + 40;
    while (is_extension(protocol)) {
        if (at > p.end || p.end - at < 8) {
            overruns = true;
            break;
        }
        if (!p.captured(at, 8) || count == std::size(storage_)) {
            cut = true;
            break;
        }
        std::uint32_t length = (p.at(at)[1] + 1U) * 8;
        if (protocol == fragment) length = 8;
        if (protocol == ip_protocol::ah) length = (p.at(at)[1] + 2U) * 4;
        if (p.end - at < length) {
            overruns = true;
            break;
        }
        storage_[count++] = {protocol, at, length, next_header_field};
        const bool later_fragment = protocol == fragment && (load16(p.at(at) + 2) & 0xFFF8) != 0;
        next_header_field = at;
        protocol = p.at(at)[0];
        at += length;
        if (later_fragment) break;
    }
    headers = std::span<const Header>(storage_, count);
}

std::optional<std::uint32_t> find_fragment_header(const RulePacket& p) {
    constexpr std::uint8_t fragment_header = 44;
    if (!Ipv6Chain::is_extension(p.net()[6])) return std::nullopt;
    for (const Ipv6Chain::Header& header : Ipv6Chain(p).headers)
        if (header.type == fragment_header && p.captured(header.offset, 8)) return header.offset;
    return std::nullopt;
}

}  // namespace tracebench
