#include "traffic/rules/quotes.h"

#include <algorithm>
#include <utility>

#include "traffic/rules/fact_hash.h"

namespace tracebench {
namespace {

/// `ports`: nullptr where there are none.
ConversationHash make(std::uint8_t protocol, const std::uint8_t* source, const std::uint8_t* destination,
                      std::size_t size, const std::uint8_t* ports) {
    std::uint16_t from = ports ? load16(ports) : 0, to = ports ? load16(ports + 2) : 0;
    const bool backwards =
        std::lexicographical_compare(destination, destination + size, source, source + size);
    const bool one_host = std::equal(source, source + size, destination);
    if (backwards) std::swap(source, destination);
    if (backwards || (one_host && to < from)) std::swap(from, to);
    FactHash hash;
    hash.byte(protocol).bytes(source, size).bytes(destination, size);
    const std::uint64_t hosts = hash.value();
    if (ports) hash.number(std::uint64_t{from} << 16 | to);
    return {hosts, hash.value()};
}

bool has_ports(std::uint8_t protocol) {
    return protocol == ip_protocol::tcp || protocol == ip_protocol::udp;
}

bool is_error(const RulePacket& p) {
    if (p.transport_state != LayerState::readable) return false;
    const std::uint8_t type = p.segment()[0];
    if (p.transport_layer == RuleLayer::icmpv6) return type >= 1 && type <= 4;
    return p.transport_layer == RuleLayer::icmp &&
           (type == 3 || type == 4 || type == 5 || type == 11 || type == 12);
}

}  // namespace

std::optional<ConversationHash> conversation_of(const RulePacket& p) {
    if (p.network_state != LayerState::readable || p.network_layer == RuleLayer::arp) return std::nullopt;
    const bool v4 = p.network_layer == RuleLayer::ipv4;
    const std::uint8_t* const source = p.net() + (v4 ? 12 : 8);
    const std::size_t size = v4 ? 4 : 16;
    const bool ported = has_ports(p.headers.protocol) && p.headers.has_ports();
    return make(p.headers.protocol, source, source + size, size, ported ? p.headers.transport() : nullptr);
}

std::optional<ConversationHash> quoted_conversation(const RulePacket& p) {
    if (!is_error(p)) return std::nullopt;
    const bool v4 = p.transport_layer == RuleLayer::icmp;
    const std::uint32_t at = p.transport + 8, fixed = v4 ? 20 : 40;
    if (p.end < at + fixed || !p.captured(at, fixed)) return std::nullopt;
    const std::uint8_t* const ip = p.at(at);
    const std::uint8_t protocol = ip[v4 ? 9 : 6];
    const std::uint32_t header = v4 ? (ip[0] & 0x0FU) * 4 : fixed;
    const bool first_fragment = !v4 || (load16(ip + 6) & 0x1FFF) == 0;
    const bool ported = has_ports(protocol) && first_fragment && header >= fixed &&
                        p.end >= at + header + 4 && p.captured(at, header + 4);
    const std::uint8_t* const source = ip + (v4 ? 12 : 8);
    const std::size_t size = v4 ? 4 : 16;
    return make(protocol, source, source + size, size, ported ? ip + header : nullptr);
}

}  // namespace tracebench
