/// Ethernet framing and ARP. IEEE 802.3 and 802.1Q, RFC 826, RFC 1112, RFC 2464, RFC 7042.

#include <algorithm>

#include "traffic/link_layer.h"
#include "traffic/rules/packet_edit.h"
#include "traffic/rules/rule_groups.h"

namespace tracebench {
namespace {

// --- Ethernet

Verdict check_header(const RulePacket& p) {
    if (p.captured(0, 14)) return Verdict::passed;
    return p.packet.truncated() ? Verdict::not_checkable : Verdict::failed;
}
void repair_header(const RulePacket&, MutablePacket& packet) {
    packet.bytes.resize(14);
    packet.original_length = 14;
}

Verdict check_source(const RulePacket& p) {
    return pass_if((p.at(6)[0] & 1) == 0);
}
void repair_source(const RulePacket&, MutablePacket& packet) {
    packet.bytes[6] &= 0xFE;
}

/// IEEE 802.3 section 3.2.6: up to 1500 a length, from 1536 a type, nothing between.
Verdict check_length_field(const RulePacket& p) {
    const std::uint16_t field = load16(p.at(12));
    if (field >= 0x0600) return Verdict::not_applicable;
    return pass_if(field <= 1500 && field + 14U <= p.wire_end);
}
void repair_length_field(const RulePacket& p, MutablePacket& packet) {
    store16(packet.bytes.data() + 12, static_cast<std::uint16_t>(std::min(p.wire_end - 14, 1500U)));
}

constexpr std::uint16_t reserved_vlan = 0x0FFF;

Verdict check_vlan(const RulePacket& p) {
    if (p.headers.vlan == Headers::no_vlan) return Verdict::not_applicable;
    return pass_if(p.headers.vlan != reserved_vlan && p.headers.inner_vlan != reserved_vlan);
}
void repair_vlan(const RulePacket& p, MutablePacket& packet) {
    for (std::uint32_t at = 12; p.captured(at, 4); at += 4) {
        const std::uint16_t type = load16(p.at(at));
        if (type != ether_type::vlan && type != ether_type::provider_vlan && type != ether_type::old_qinq)
            return;
        if ((load16(p.at(at + 2)) & reserved_vlan) == reserved_vlan) packet.bytes[at + 3] = 0xFE;
    }
}

/// The link address that an IP multicast destination has; false where the packet is none.
bool multicast_address(const RulePacket& p, std::uint8_t mac[6]) {
    if (p.network_state != LayerState::readable) return false;
    const std::uint8_t* const ip = p.net();
    if (p.network_layer == RuleLayer::ipv4 && ip[16] >= 224 && ip[16] < 240) {
        mac[0] = 0x01, mac[1] = 0x00, mac[2] = 0x5E;
        mac[3] = ip[17] & 0x7F, mac[4] = ip[18], mac[5] = ip[19];
        return true;
    }
    if (p.network_layer == RuleLayer::ipv6 && ip[24] == 0xFF) {
        mac[0] = mac[1] = 0x33;
        std::copy_n(ip + 36, 4, mac + 2);
        return true;
    }
    return false;
}
/// An access point may send multicast to one station's own address, so only a group address can be wrong.
Verdict check_multicast(const RulePacket& p) {
    std::uint8_t mac[6];
    if (!multicast_address(p, mac)) return Verdict::not_applicable;
    if ((p.at(0)[0] & 1) == 0) return Verdict::not_checkable;
    return pass_if(std::equal(mac, mac + 6, p.at(0)));
}
void repair_multicast(const RulePacket& p, MutablePacket& packet) {
    std::uint8_t mac[6];
    if (multicast_address(p, mac)) std::copy_n(mac, 6, packet.bytes.begin());
}

/// A group address in the frame needs a group destination in the packet. Directed broadcasts cannot be told
/// from hosts, so for IPv4 only the frame's multicast addresses are judged.
Verdict check_group(const RulePacket& p) {
    if (p.network_state != LayerState::readable || p.network_layer == RuleLayer::arp)
        return Verdict::not_applicable;
    const std::uint8_t* const mac = p.at(0);
    if ((mac[0] & 1) == 0) return Verdict::not_applicable;
    const std::uint8_t* const ip = p.net();
    if (p.network_layer == RuleLayer::ipv6) return pass_if(ip[24] == 0xFF);
    if (mac[0] == 0xFF) return Verdict::not_checkable;
    return pass_if(ip[16] >= 224);
}
void repair_group(const RulePacket&, MutablePacket& packet) {
    packet.bytes[0] &= 0xFE;
}

constexpr RuleLayer link = RuleLayer::link;

// --- ARP

std::uint8_t* arp_bytes(const RulePacket& p, MutablePacket& packet) {
    return packet.bytes.data() + p.network;
}

Verdict check_arp_header(const RulePacket& p) {
    if (p.network_state == LayerState::readable) return Verdict::passed;
    return p.network == Headers::none || p.packet.truncated() ? Verdict::not_checkable : Verdict::failed;
}
void repair_arp_header(const RulePacket& p, MutablePacket& packet) {
    packet.bytes.resize(p.network + 8);
    packet.original_length = p.network + 8;
}

constexpr std::uint16_t arp_ethernet = 1;

Verdict check_hardware(const RulePacket& p) {
    if (load16(p.net()) != arp_ethernet) return Verdict::not_applicable;
    return pass_if(p.net()[4] == 6);
}
void repair_hardware(const RulePacket& p, MutablePacket& packet) {
    arp_bytes(p, packet)[4] = 6;
}

Verdict check_protocol(const RulePacket& p) {
    if (load16(p.net() + 2) != ether_type::ipv4) return Verdict::not_applicable;
    return pass_if(p.net()[5] == 4);
}
void repair_protocol(const RulePacket& p, MutablePacket& packet) {
    arp_bytes(p, packet)[5] = 4;
}

constexpr std::uint16_t last_operation = 25;  // IANA address resolution protocol parameters

Verdict check_operation(const RulePacket& p) {
    const std::uint16_t operation = load16(p.net() + 6);
    return pass_if(operation >= 1 && operation <= last_operation);
}
void repair_operation(const RulePacket& p, MutablePacket& packet) {
    store16(arp_bytes(p, packet) + 6, 1);
}

std::uint32_t arp_length(const RulePacket& p) {
    return 8 + 2U * (p.net()[4] + p.net()[5]);
}

Verdict check_arp_length(const RulePacket& p) {
    return pass_if(arp_length(p) <= p.wire_end - p.network);
}
void repair_arp_length(const RulePacket& p, MutablePacket& packet) {
    const bool whole = !p.packet.truncated();
    packet.original_length = p.network + arp_length(p);
    if (whole) packet.bytes.resize(packet.original_length);
}

Verdict check_arp_sender(const RulePacket& p) {
    if (load16(p.net()) != arp_ethernet || p.net()[4] != 6) return Verdict::not_applicable;
    if (!p.captured(p.network + 8, 6)) return Verdict::not_checkable;
    return pass_if((p.net()[8] & 1) == 0);
}
void repair_arp_sender(const RulePacket& p, MutablePacket& packet) {
    arp_bytes(p, packet)[8] &= 0xFE;
}

/// One host, or 0.0.0.0 while an address is being probed for (RFC 5227).
Verdict check_arp_sender_address(const RulePacket& p) {
    if (load16(p.net() + 2) != ether_type::ipv4 || p.net()[5] != 4) return Verdict::not_applicable;
    const std::uint32_t at = p.network + 8 + p.net()[4];
    return p.captured(at, 4) ? pass_if(p.at(at)[0] < 224) : Verdict::not_checkable;
}
void repair_arp_sender_address(const RulePacket& p, MutablePacket& packet) {
    packet.bytes[p.network + 8 + p.net()[4]] = 10;
}

constexpr RuleLayer arp = RuleLayer::arp;

constexpr Rule rules[] = {
    {"ethernet.header", "the frame holds the whole header of 14 bytes", "IEEE 802.3 section 3.1",
     "completed with zeros", link, check_header, repair_header, nullptr, nullptr, true},
    {"ethernet.source", "the source is not a group address", "IEEE 802.3 section 3.2.3", "group bit cleared",
     link, check_source, repair_source},
    {"ethernet.length", "a length field (below 1536) is at most 1500 and fits the frame",
     "IEEE 802.3 section 3.2.6", "set to what the frame holds", link, check_length_field,
     repair_length_field},
    {"ethernet.vlan", "no VLAN identifier is 4095", "IEEE 802.1Q section 9.6", "set to one less", link,
     check_vlan, repair_vlan},
    {"arp.header", "the frame holds the fixed part of 8 bytes", "RFC 826", "completed with zeros", arp,
     check_arp_header, repair_arp_header, nullptr, nullptr, true},
    {"arp.hardware_length", "Ethernet addresses have 6 bytes", "RFC 826", "set to 6", arp, check_hardware,
     repair_hardware},
    {"arp.protocol_length", "IPv4 addresses have 4 bytes", "RFC 826", "set to 4", arp, check_protocol,
     repair_protocol},
    {"arp.operation", "the operation is assigned (1 to 25)", "RFC 826; IANA ARP parameters",
     "set to 1 (request)", arp, check_operation, repair_operation},
    {"arp.length", "the frame holds all four addresses", "RFC 826", "completed with zeros", arp,
     check_arp_length, repair_arp_length},
    {"arp.sender", "the sender's Ethernet address is not a group address",
     "RFC 826; IEEE 802.3 section 3.2.3", "group bit cleared", arp, check_arp_sender, repair_arp_sender},
    {"arp.sender_address", "the sender's IPv4 address is one host's",
     "RFC 1122 section 3.2.1.3; RFC 5227 section 2.1.1", "first octet set to 10", arp,
     check_arp_sender_address, repair_arp_sender_address},
};

/// After the IP rules, whose repairs may change the destination.
constexpr Rule group_rules[] = {
    {"ethernet.ip_multicast", "IP multicast goes to the Ethernet address that belongs to it",
     "RFC 1112 section 6.4; RFC 2464 section 7", "Ethernet destination set", link, check_multicast,
     repair_multicast},
    {"ethernet.ip_unicast", "IP unicast does not go to an Ethernet group address", "RFC 1122 section 3.3.6",
     "group bit cleared", link, check_group, repair_group},
};

}  // namespace

std::span<const Rule> ethernet_arp_rules() {
    return rules;
}
std::span<const Rule> ethernet_group_rules() {
    return group_rules;
}

}  // namespace tracebench
