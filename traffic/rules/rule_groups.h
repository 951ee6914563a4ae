#pragma once
/// The rules of each layer, each list at the end of the file of that layer. rule_table() joins them.

#include <span>

#include "traffic/rules/rule.h"

namespace tracebench {

std::span<const Rule> ethernet_arp_rules();
std::span<const Rule> ipv4_rules();
std::span<const Rule> ipv6_rules();
std::span<const Rule> tcp_packet_rules();
std::span<const Rule> udp_rules();
std::span<const Rule> icmp_rules();
std::span<const Rule> icmpv6_rules();
std::span<const Rule> dns_rules();
std::span<const Rule> dhcp_ntp_rules();
std::span<const Rule> quic_rules();
std::span<const Rule> tls_rules();
std::span<const Rule> http_rules();
std::span<const Rule> mqtt_rules();
std::span<const Rule> ethernet_group_rules();
std::span<const Rule> checksum_rules();
std::span<const Rule> tcp_flow_rules();
std::span<const Rule> tcp_flow_option_rules();
std::span<const Rule> echo_flow_rules();
std::span<const Rule> rtp_flow_rules();
std::span<const Rule> answer_flow_rules();
std::span<const Rule> session_rules();

/// For checks that are one condition.
inline Verdict pass_if(bool condition) {
    return condition ? Verdict::passed : Verdict::failed;
}

}  // namespace tracebench
