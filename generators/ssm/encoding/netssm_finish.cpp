#include "generators/ssm/encoding/netssm_finish.h"

#include "traffic/bytes.h"
#include "traffic/checksum.h"
#include "traffic/link_layer.h"
#include "traffic/rules/application.h"
#include "traffic/rules/packet_edit.h"
#include "traffic/rules/repair.h"
#include "traffic/tokens.h"

namespace tracebench::ssm {
namespace {

bool is_plain(const RulePacket& p) {
    const bool transport = p.transport_layer == RuleLayer::tcp || p.transport_layer == RuleLayer::udp;
    return p.network == 14 && p.network_state == LayerState::readable && transport &&
           p.transport_state == LayerState::readable;
}

/// A UDP checksum over IPv4 may be left out, and stays so (RFC 768).
void compute_checksums(MutablePacket& packet) {
    const RulePacket p = read_rule_packet(packet.view());
    if (!is_plain(p)) return;
    if (p.network_layer == RuleLayer::ipv4 && p.captured(p.network, p.headers.ip_header_length))
        store16(net(p, packet) + 10, ipv4_header_checksum({p.net(), p.headers.ip_header_length}));
    if (!can_check_transport(p.headers)) return;
    const bool tcp = p.transport_layer == RuleLayer::tcp;
    const std::uint32_t field = tcp ? 16 : 6;
    if (!tcp && p.network_layer == RuleLayer::ipv4 && load16(p.segment() + field) == 0) return;
    store16(segment(p, packet) + field, transport_checksum(p.headers));
}

/// What rules changed in the headers, which the grammar should have kept legal. It knows nothing of what an
/// application's first bytes may be; what is wrong there is mended without a word, with the checksum.
struct PacketRepair {
    bool changed = false, headers = false;
};
PacketRepair repair_packet_rules(MutablePacket& packet) {
    RepairReport report;
    repair_packet(packet, report);
    PacketRepair repair{report.packets_changed > 0, false};
    for (const auto& [id, count] : report.repaired)
        repair.headers |= !is_application(find_rule(id)->layer) && !id.ends_with("checksum");
    return repair;
}

/// Applies the first flow rule of the layer that fails; false where none does.
bool repair_first_failure(RuleLayer layer, const RulePacket& p, const FlowContext& context,
                          MutablePacket& packet) {
    for (const Rule& rule : rule_table()) {
        if (rule.layer != layer || !rule.check_flow) continue;
        if (rule.check_flow(p, context) != Verdict::failed) continue;
        rule.repair_flow(p, context, packet);
        return true;
    }
    return false;
}

/// Of a segment.
bool repair_flow_rule(MutablePacket& packet, const LiveFlows& flows) {
    const RulePacket p = read_rule_packet(packet.view());
    const auto segment = read_segment(p);
    if (!segment) return false;
    const FlowEnd end = flows.find(tuple_of(p)).value_or(new_flow());
    const FlowContext context{end.state(), *segment, end.direction};
    return repair_first_failure(RuleLayer::tcp, p, context, packet);
}

/// Of a datagram, of whose first bytes the grammar knows nothing.
bool repair_datagram_rule(MutablePacket& packet, LiveFlows& flows) {
    const RulePacket p = read_rule_packet(packet.view());
    if (!may_have_flow_rules(p)) return false;
    const auto [state, direction] = flows.datagrams(tuple_of(p));
    const SegmentFields none;
    const FlowContext context{state, none, direction};
    return repair_first_failure(RuleLayer::udp, p, context, packet);
}

}  // namespace

std::optional<FinishedPacket> finish_packet(std::span<const std::uint8_t> bytes, std::int64_t time_ns,
                                            LiveFlows& flows) {
    TokenFrame frame = token_frame(bytes);
    FinishedPacket result{{time_ns, frame.original_length, link_type::ethernet, std::move(frame.bytes)}};
    MutablePacket& packet = result.packet;
    constexpr int rounds = 32;
    for (int round = 0; round < rounds; ++round) {
        compute_checksums(packet);
        const PacketRepair repair = repair_packet_rules(packet);
        const bool flow_changed = !repair.changed && repair_flow_rule(packet, flows);
        result.repaired |= repair.headers || flow_changed;
        if (repair.changed || flow_changed || repair_datagram_rule(packet, flows)) continue;
        const RulePacket p = read_rule_packet(packet.view());
        if (!is_plain(p)) return std::nullopt;
        if (const auto segment = read_segment(p)) flows.add(tuple_of(p), *segment);
        if (may_have_flow_rules(p)) {
            const auto [state, direction] = flows.datagrams(tuple_of(p));
            state.add_datagram(p, direction);
        }
        return result;
    }
    return std::nullopt;
}

}  // namespace tracebench::ssm
