#include "traffic/flow_key.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "traffic/bytes.h"

namespace tracebench {

std::string IpAddress::text() const {
    char buffer[INET6_ADDRSTRLEN] = "";
    if (version == 4) {
        ::inet_ntop(AF_INET, bytes.data(), buffer, sizeof buffer);
        return buffer;
    }
    if (version != 6) return "-";
    // RFC 5952 section 5 keeps the dotted form for mapped addresses only; glibc also writes it for
    // the deprecated ::a.b.c.d, so those are written here.
    const bool compatible = std::all_of(bytes.begin(), bytes.begin() + 12, [](auto b) { return b == 0; }) &&
                            load16(&bytes[12]) != 0;
    if (compatible) return fmt::format("::{:x}:{:x}", load16(&bytes[12]), load16(&bytes[14]));
    ::inet_ntop(AF_INET6, bytes.data(), buffer, sizeof buffer);
    return buffer;
}

std::string Endpoint::text() const {
    return address.version == 6 ? fmt::format("[{}]:{}", address.text(), port)
                                : fmt::format("{}:{}", address.text(), port);
}

std::string FlowKey::flow_id() const {
    return fmt::format("{}|{}|{}|{}|{}", protocol_name(protocol), low.address.text(), low.port,
                       high.address.text(), high.port);
}

std::size_t FlowKeyHash::operator()(const FlowKey& key) const {
    std::uint64_t hash = 0x9E3779B97F4A7C15;
    const auto mix = [&hash](std::uint64_t value) {
        hash = (hash ^ value) * 0xD6E8FEB86659FD93;
        hash ^= hash >> 32;
    };
    for (const Endpoint* end : {&key.low, &key.high}) {
        std::uint64_t halves[2];
        std::memcpy(halves, end->address.bytes.data(), sizeof halves);
        mix(halves[0]);
        mix(halves[1] ^ (std::uint64_t{end->port} << 8) ^ end->address.version);
    }
    mix(std::uint64_t{key.vlan} << 8 | key.protocol);
    return hash;
}

std::string protocol_name(std::uint8_t protocol) {
    switch (protocol) {
        case ip_protocol::icmp:
            return "ICMP";
        case 2:
            return "IGMP";
        case ip_protocol::ipv4:
            return "IPIP";
        case ip_protocol::tcp:
            return "TCP";
        case ip_protocol::udp:
            return "UDP";
        case ip_protocol::ipv6:
            return "IPV6";
        case ip_protocol::gre:
            return "GRE";
        case ip_protocol::esp:
            return "ESP";
        case ip_protocol::ah:
            return "AH";
        case ip_protocol::icmpv6:
            return "ICMPV6";
        case 88:
            return "EIGRP";
        case 89:
            return "OSPF";
        case 103:
            return "PIM";
        case 112:
            return "VRRP";
        case ip_protocol::sctp:
            return "SCTP";
        default:
            return fmt::format("{}", protocol);
    }
}

PacketFlow flow_of(const Headers& h) {
    PacketFlow result;
    if (!h.has_ip()) return result;
    Endpoint source, destination;
    source.address.version = destination.address.version = h.ip_version;
    const std::size_t size = h.ip_version == 4 ? 4 : 16;
    const std::uint8_t* const addresses = h.ip() + (h.ip_version == 4 ? 12 : 8);
    std::memcpy(source.address.bytes.data(), addresses, size);
    std::memcpy(destination.address.bytes.data(), addresses + size, size);
    if (h.has_ports()) {
        source.port = load16(h.transport());
        destination.port = load16(h.transport() + 2);
    }
    result.from_high = destination < source;
    result.key.low = result.from_high ? destination : source;
    result.key.high = result.from_high ? source : destination;
    result.key.protocol = h.protocol;
    result.key.vlan = h.vlan;
    result.ok = true;
    return result;
}

}  // namespace tracebench
