#include "metrics/consistency/consistency_rules.h"

#include <algorithm>
#include <array>

#include "metrics/consistency/address_kinds.h"

namespace tracebench {
namespace {

constexpr std::uint8_t igmp = 2;
/// The fastest Ethernet of IEEE 802.3-2022, in bit/s.
constexpr double fastest_link = 400e9;
/// Packets from which a rate says something: a few may share one burst of an interface that coalesces.
constexpr std::uint64_t rate_packets = 10;

Consistency verdict(bool applicable, bool holds) {
    if (!applicable) return Consistency::not_applicable;
    return holds ? Consistency::holds : Consistency::broken;
}

bool has_flag(std::uint8_t flags, std::uint8_t wanted) {
    return (flags & wanted) != 0;
}

/// Either port is the service's; the other one may be too. For ports below 1024: higher ones may be a
/// client's.
template <std::size_t N>
bool uses_port(const Biflow& r, const std::array<std::uint16_t, N>& services) {
    const auto contains = [&](std::uint16_t port) {
        return std::find(services.begin(), services.end(), port) != services.end();
    };
    return r.has_ports() && (contains(r.source.port) || contains(r.destination.port));
}

std::uint64_t smallest_header(const Biflow& r) {
    const std::uint64_t ip = r.source.address.version == 4 ? 20 : 40;
    if (r.fragments) return ip;
    switch (r.protocol) {
        case ip_protocol::tcp:
            return ip + 20;
        case ip_protocol::udp:
        case ip_protocol::icmp:
            return ip + 8;
        case ip_protocol::icmpv6:
            return ip + 4;
        default:
            return ip;
    }
}

Consistency bytes_minimum(const Biflow& r) {
    const std::uint64_t header = smallest_header(r);
    return verdict(true, r.octets[0] >= r.packets[0] * header && r.octets[1] >= r.packets[1] * header);
}

Consistency protocol_version(const Biflow& r) {
    const bool v4_only = r.protocol == ip_protocol::icmp || r.protocol == igmp;
    return verdict(v4_only || r.protocol == ip_protocol::icmpv6, (r.source.address.version == 4) == v4_only);
}

// A connection is opened with SYN, answered with ACK or RST, and carries ACK from then on.
Consistency flags_sides(const Biflow& r) {
    const bool first = has_flag(r.tcp_flags[0], tcp_flag::syn | tcp_flag::ack | tcp_flag::rst);
    const bool second = r.packets[1] == 0 || has_flag(r.tcp_flags[1], tcp_flag::ack | tcp_flag::rst);
    return verdict(r.is_tcp() && !r.fragments, first && second);
}

Consistency flags_data(const Biflow& r) {
    bool data = false, acknowledges = true;
    for (const std::size_t side : {0, 1}) {
        if (r.payload[side] == 0 && !has_flag(r.tcp_flags[side], tcp_flag::fin)) continue;
        data = true;
        acknowledges &= has_flag(r.tcp_flags[side], tcp_flag::ack);
    }
    return verdict(r.is_tcp() && !r.fragments && data, acknowledges);
}

// Where one direction alone was captured nothing can be said of the handshake.
Consistency flags_handshake(const Biflow& r) {
    const bool two_sided_data = r.packets[1] > 0 && r.payload[0] + r.payload[1] > 0;
    return verdict(r.is_tcp() && r.opened && two_sided_data, r.handshake);
}

Consistency ports_nonzero(const Biflow& r) {
    return verdict(r.has_ports(), r.source.port != 0 && r.destination.port != 0);
}

Consistency ports_tcp_service(const Biflow& r) {
    constexpr std::array<std::uint16_t, 10> services = {21, 22, 23, 25, 110, 143, 465, 587, 993, 995};
    return verdict(uses_port(r, services), r.is_tcp());
}

Consistency ports_udp_service(const Biflow& r) {
    constexpr std::array<std::uint16_t, 9> services = {67, 68, 69, 123, 137, 138, 161, 546, 547};
    return verdict(uses_port(r, services), r.is_udp());
}

/// The first packet is a client's: a SYN, or a datagram of an exchange with DNS. Where one direction alone
/// was captured the first packet may be the answer.
bool begins_at_client(const Biflow& r) {
    constexpr std::array<std::uint16_t, 1> dns = {53};
    return (r.is_tcp() && r.opened) || (r.is_udp() && uses_port(r, dns) && r.packets[1] > 0);
}

Consistency direction_service(const Biflow& r) {
    constexpr std::uint16_t system_ports = 1024;  // RFC 6335 section 6
    const bool from = r.source.port < system_ports, to = r.destination.port < system_ports;
    return verdict(r.has_ports() && begins_at_client(r) && from != to, to);
}

Consistency duration_positive(const Biflow& r) {
    return verdict(r.packets[0] + r.packets[1] > 1, r.duration_ns > 0);
}

Consistency duration_rate(const Biflow& r) {
    const double bits = 8 * static_cast<double>(r.octets[0] + r.octets[1]);
    const double seconds = static_cast<double>(r.duration_ns) * 1e-9;
    return verdict(r.packets[0] + r.packets[1] >= rate_packets, bits <= fastest_link * seconds);
}

bool may_send(const IpAddress& a) {
    return !is_multicast(a) && !is_reserved(a);
}

Consistency address_source(const Biflow& r) {
    const bool answered = r.packets[1] > 0;
    return verdict(true, may_send(r.source.address) && (!answered || may_send(r.destination.address)));
}

Consistency address_unspecified(const Biflow& r) {
    if (is_unspecified(r.destination.address)) return Consistency::broken;
    const bool asks_for_address =
        (r.is_udp() && r.destination.port == 67) || r.protocol == igmp || r.protocol == ip_protocol::icmpv6;
    return verdict(true, !is_unspecified(r.source.address) || asks_for_address);
}

Consistency address_distinct(const Biflow& r) {
    return verdict(!is_loopback(r.source.address), r.source.address != r.destination.address);
}

Consistency address_loopback(const Biflow& r) {
    const bool from = is_loopback(r.source.address), to = is_loopback(r.destination.address);
    return verdict(from || to, from && to);
}

Consistency address_unicast(const Biflow& r) {
    return verdict(r.is_tcp(), !is_multicast(r.destination.address) && !is_reserved(r.destination.address));
}

Consistency observed_opened(const Biflow& r) {
    return verdict(r.is_tcp() && !r.fragments, r.opened);
}

Consistency observed_answered(const Biflow& r) {
    const bool group = is_multicast(r.destination.address) || is_reserved(r.destination.address);
    return verdict((r.is_tcp() || r.is_udp()) && !group, r.packets[1] > 0);
}

Consistency observed_web_tcp(const Biflow& r) {
    return verdict(uses_port(r, std::array<std::uint16_t, 2>{80, 443}), r.is_tcp());
}

Consistency observed_dns_udp(const Biflow& r) {
    return verdict(uses_port(r, std::array<std::uint16_t, 1>{53}), r.is_udp());
}

Consistency observed_private(const Biflow& r) {
    const auto is_local = [](const IpAddress& a) {
        return is_private(a) || is_loopback(a) || is_multicast(a) || is_reserved(a);
    };
    return verdict(true, is_local(r.source.address) || is_local(r.destination.address));
}

Consistency observed_netbios(const Biflow& r) {
    const bool netbios = r.is_udp() && (r.destination.port == 137 || r.destination.port == 138);
    const bool local = is_private(r.source.address) &&
                       (is_private(r.destination.address) || is_reserved(r.destination.address));
    return verdict(netbios, local);
}

constexpr ConsistencyRule table[] = {
    {"bytes.minimum", "octets are enough for the IP and transport headers of all packets",
     "Ring test 7, NetShare test 2", false, bytes_minimum},
    {"protocol.version", "ICMP and IGMP over IPv4, ICMPv6 over IPv6", "RFC 792, RFC 4443, RFC 3376", false,
     protocol_version},
    {"flags.sides", "a TCP opener sends SYN, ACK or RST, who answers sends ACK or RST",
     "RFC 9293 section 3.5", false, flags_sides},
    {"flags.data", "a TCP side with payload or FIN sends ACK", "RFC 9293 section 3.1", false, flags_data},
    {"flags.handshake", "a TCP record that opens with SYN and carries data has the three-way handshake",
     "RFC 9293 section 3.5", false, flags_handshake},
    {"ports.nonzero", "TCP and UDP ports are not 0", "RFC 6335 section 6", false, ports_nonzero},
    {"ports.tcp_service", "FTP, SSH, Telnet, mail ports are of TCP", "NetShare test 3, IANA port registry",
     false, ports_tcp_service},
    {"ports.udp_service", "DHCP, TFTP, NTP, NetBIOS, SNMP ports are of UDP",
     "NetShare test 3, IANA port registry", false, ports_udp_service},
    {"direction.service", "who opens (SYN, DNS exchange) is not the side with the system port",
     "RFC 6335 section 6", false, direction_service},
    {"duration.positive", "more than one packet take time", "own rule", false, duration_positive},
    {"duration.rate", "no faster than 400 Gbit/s, from 10 packets on", "IEEE 802.3-2022", false,
     duration_rate},
    {"address.source", "who sends is no multicast, broadcast or reserved address",
     "Ring test 5, NetShare test 1, RFC 1122 section 3.2.1.3", false, address_source},
    {"address.unspecified", "no one sends to the unspecified address, nor from it but to ask for one",
     "NetShare test 1, RFC 1122 section 3.2.1.3", false, address_unspecified},
    {"address.distinct", "source and destination are different hosts", "RFC 1122 section 3.2.1.3", false,
     address_distinct},
    {"address.loopback", "loopback talks to loopback", "RFC 1122 section 3.2.1.3", false, address_loopback},
    {"address.unicast", "TCP is between two hosts", "RFC 9293 section 3.9.2.3", false, address_unicast},
    {"observed.opened", "a TCP record opens with SYN: the capture holds its beginning", "own rule", true,
     observed_opened},
    {"observed.answered", "the destination answers", "own rule", true, observed_answered},
    {"observed.web_tcp", "ports 80 and 443 are of TCP (QUIC and calls use UDP)", "Ring test 3", true,
     observed_web_tcp},
    {"observed.dns_udp", "port 53 is of UDP (long answers and zone transfers use TCP)", "Ring test 4", true,
     observed_dns_udp},
    {"observed.private", "an address is private: the capture is from the edge of the network", "Ring test 2",
     true, observed_private},
    {"observed.netbios", "NetBIOS stays within private addresses", "Ring test 6", true, observed_netbios},
};

}  // namespace

std::span<const ConsistencyRule> consistency_rules() {
    return table;
}

}  // namespace tracebench
