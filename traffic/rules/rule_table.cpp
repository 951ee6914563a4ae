#include "traffic/rules/rule_groups.h"

namespace tracebench {

std::span<const Rule> rule_table() {
    static const std::vector<Rule> table = [] {
        std::vector<Rule> all;
        // From the outside in, so that each repair can rely on what is around it; checksums last.
        for (const std::span<const Rule> group : {ethernet_arp_rules(),
                                                  ipv4_rules(),
                                                  ipv6_rules(),
                                                  tcp_packet_rules(),
                                                  udp_rules(),
                                                  icmp_rules(),
                                                  icmpv6_rules(),
                                                  dns_rules(),
                                                  dhcp_ntp_rules(),
                                                  quic_rules(),
                                                  tls_rules(),
                                                  http_rules(),
                                                  mqtt_rules(),
                                                  ethernet_group_rules(),
                                                  checksum_rules(),
                                                  tcp_flow_rules(),
                                                  tcp_flow_option_rules(),
                                                  echo_flow_rules(),
                                                  rtp_flow_rules(),
                                                  answer_flow_rules(),
                                                  session_rules()})
            all.insert(all.end(), group.begin(), group.end());
        return all;
    }();
    return table;
}

const Rule* find_rule(std::string_view id) {
    for (const Rule& rule : rule_table())
        if (rule.id == id) return &rule;
    return nullptr;
}

std::string_view scope_name(RuleScope scope) {
    switch (scope) {
        case RuleScope::packet:
            return "packet";
        case RuleScope::flow:
            return "flow";
        case RuleScope::session:
            break;
    }
    return "session";
}

Verdict check_rule(const Rule& rule, const RulePacket& packet) {
    switch (packet.state(rule.layer)) {
        case LayerState::absent:
            return Verdict::not_applicable;
        case LayerState::broken:
            return rule.structural ? rule.check_packet(packet) : Verdict::not_checkable;
        case LayerState::readable:
            break;
    }
    return rule.check_packet(packet);
}

}  // namespace tracebench
