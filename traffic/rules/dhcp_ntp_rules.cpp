/// The two small protocols of fixed format that every network has: DHCP for IPv4 (RFC 2131, RFC 1542) and NTP
/// (RFC 5905).

#include <algorithm>
#include <array>

#include "traffic/rules/application.h"
#include "traffic/rules/rule_groups.h"

namespace tracebench {
namespace {

// --- DHCP

constexpr std::uint16_t server_port = 67, client_port = 68;
constexpr std::uint32_t cookie_at = 236;
constexpr std::array<std::uint8_t, 4> cookie{99, 130, 83, 99};

Verdict check_dhcp_header(const RulePacket& p) {
    return check_message_length(p, cookie_at + 4);
}

Verdict check_operation(const RulePacket& p) {
    return pass_if(payload(p)[0] == 1 || payload(p)[0] == 2);
}
void repair_operation(const RulePacket& p, MutablePacket& packet) {
    payload(p, packet)[0] = goes_to(p, client_port) ? 2 : 1;
}

/// Relays speak to servers between ports 67, in both directions.
Verdict check_dhcp_direction(const RulePacket& p) {
    const std::uint16_t from = load16(p.segment()), to = load16(p.segment() + 2);
    if (from == client_port && to == server_port) return pass_if(payload(p)[0] == 1);
    return from == server_port && to == client_port ? pass_if(payload(p)[0] == 2) : Verdict::not_applicable;
}

Verdict check_dhcp_hardware(const RulePacket& p) {
    constexpr std::uint8_t ethernet = 1;
    return payload(p)[1] == ethernet ? pass_if(payload(p)[2] == 6) : Verdict::not_applicable;
}
void repair_dhcp_hardware(const RulePacket& p, MutablePacket& packet) {
    payload(p, packet)[2] = 6;
}

constexpr std::uint8_t most_hops = 16;

Verdict check_hops(const RulePacket& p) {
    return pass_if(payload(p)[3] <= most_hops);
}
void repair_hops(const RulePacket& p, MutablePacket& packet) {
    payload(p, packet)[3] = 0;
}

Verdict check_cookie(const RulePacket& p) {
    if (!payload_captured(p, cookie_at, cookie.size()) || p.payload_length() < cookie_at + cookie.size())
        return Verdict::not_checkable;
    if (load32(payload(p) + cookie_at) == 0) return Verdict::not_checkable;  // payload that was blanked
    return pass_if(std::equal(cookie.begin(), cookie.end(), payload(p) + cookie_at));
}
void repair_cookie(const RulePacket& p, MutablePacket& packet) {
    std::copy(cookie.begin(), cookie.end(), payload(p, packet) + cookie_at);
}

// --- NTP

unsigned mode(const RulePacket& p) {
    return payload(p)[0] & 7U;
}
unsigned version(const RulePacket& p) {
    return (payload(p)[0] >> 3) & 7U;
}

Verdict check_ntp_header(const RulePacket& p) {
    return check_message_length(p, 48);
}

Verdict check_version(const RulePacket& p) {
    return pass_if(version(p) >= 1 && version(p) <= 4);
}
void repair_version(const RulePacket& p, MutablePacket& packet) {
    payload(p, packet)[0] = static_cast<std::uint8_t>((payload(p)[0] & 0xC7) | 4 << 3);
}

/// Version 1 had no modes.
Verdict check_mode(const RulePacket& p) {
    return version(p) == 1 ? Verdict::not_applicable : pass_if(mode(p) != 0);
}
void repair_mode(const RulePacket& p, MutablePacket& packet) {
    constexpr std::uint8_t client = 3, server = 4;
    payload(p, packet)[0] |= comes_from_server(p) ? server : client;
}

Verdict check_stratum(const RulePacket& p) {
    constexpr std::uint8_t unsynchronised = 16;
    return pass_if(payload(p)[1] <= unsynchronised);
}
void repair_stratum(const RulePacket& p, MutablePacket& packet) {
    payload(p, packet)[1] = 0;
}

constexpr RuleLayer dhcp = RuleLayer::dhcp, ntp = RuleLayer::ntp;

constexpr Rule rules[] = {
    {"dhcp.header", "the datagram holds the fixed part and the magic cookie", "RFC 2131 section 2",
     "payload replaced by zeros", dhcp, check_dhcp_header, blank_payload, nullptr, nullptr, true},
    {"dhcp.operation", "the message is a request (1) or a reply (2)", "RFC 2131 section 2",
     "set by the port that it goes to", dhcp, check_operation, repair_operation},
    {"dhcp.direction", "requests go from port 68 to 67, replies back", "RFC 2131 section 4.1",
     "set by the port that it goes to", dhcp, check_dhcp_direction, repair_operation},
    {"dhcp.hardware_length", "Ethernet addresses have 6 bytes", "RFC 2131 section 2; IANA ARP parameters",
     "set to 6", dhcp, check_dhcp_hardware, repair_dhcp_hardware},
    {"dhcp.hops", "at most 16 relays were passed", "RFC 1542 section 4.1.1", "set to 0", dhcp, check_hops,
     repair_hops},
    {"dhcp.cookie", "the options begin with 99, 130, 83, 99", "RFC 2131 section 3", "set", dhcp, check_cookie,
     repair_cookie},
    {"ntp.header", "the datagram holds the header of 48 bytes", "RFC 5905 section 7.3",
     "payload replaced by zeros", ntp, check_ntp_header, blank_payload, nullptr, nullptr, true},
    {"ntp.version", "the version is 1 to 4", "RFC 5905 section 7.3", "set to 4", ntp, check_version,
     repair_version},
    {"ntp.mode", "the mode is not 0, which is reserved", "RFC 5905 section 7.3", "set to client or server",
     ntp, check_mode, repair_mode},
    {"ntp.stratum", "the stratum is at most 16", "RFC 5905 section 7.3", "set to 0 (unspecified)", ntp,
     check_stratum, repair_stratum},
};

}  // namespace

std::span<const Rule> dhcp_ntp_rules() {
    return rules;
}

}  // namespace tracebench
