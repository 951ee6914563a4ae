#include "traffic/rules/flow_repair.h"

#include <algorithm>
#include <array>

#include "traffic/rules/packet_edit.h"

namespace tracebench {
namespace {

using Applied = std::vector<std::set<std::string_view>>;

/// The packets of one flow that rules speak about, in time order.
struct FlowMembers {
    std::vector<std::size_t> packets;
    std::vector<Direction> directions;
};

std::vector<FlowMembers> split(const std::vector<MutablePacket>& packets) {
    std::vector<FlowMembers> flows;
    FlowTable table({}, nullptr);
    for (std::size_t i = 0; i < packets.size(); ++i) {
        const RulePacket p = read_rule_packet(packets[i].view());
        const auto placed = table.add(p.packet, p.headers);
        if (!placed) continue;
        if (placed->flow >= flows.size()) flows.resize(placed->flow + 1);
        const bool tcp = p.state(RuleLayer::tcp) == LayerState::readable && read_segment(p).has_value();
        const bool icmp = p.state(RuleLayer::icmp) == LayerState::readable ||
                          p.state(RuleLayer::icmpv6) == LayerState::readable;
        if (!tcp && !icmp && !may_have_flow_rules(p)) continue;
        flows[placed->flow].packets.push_back(i);
        flows[placed->flow].directions.push_back(placed->direction);
    }
    return flows;
}

/// A rule about sequence numbers: one that fails means that the conversation has to be renumbered.
bool is_about_numbers(std::string_view id) {
    constexpr std::array<std::string_view, 10> ids{
        "tcp.flow.acknowledged_before",  "tcp.flow.handshake",       "tcp.flow.syn_acknowledged",
        "tcp.flow.early_data",           "tcp.flow.sequence",        "tcp.flow.window",
        "tcp.flow.syn_ack_acknowledged", "tcp.flow.acknowledgement", "tcp.flow.after_fin",
        "tcp.flow.acknowledgement_order"};
    return std::find(ids.begin(), ids.end(), id) != ids.end();
}

class FlowRepair {
  public:
    FlowRepair(std::vector<MutablePacket>& packets, Applied& applied, const FlowMembers& flow)
        : packets_(packets), applied_(applied), flow_(flow) {}

    bool run(bool force_handshake) {
        const bool both =
            std::count(flow_.directions.begin(), flow_.directions.end(), Direction::reverse) > 0;
        force_ = force_handshake;
        // First as the checker sees it, who excuses what a capture may have missed: legal flows stay as they
        // are. Then as a trace that misses nothing, which is what is made of the others.
        find_failures();
        if (!any_fails_) return false;
        begin_again(both);
        find_failures();
        begin_again(both);
        find_last_data();
        for (std::size_t i = 0; i < flow_.packets.size(); ++i) repair(i);
        return true;
    }

  private:
    MutablePacket& packet(std::size_t i) { return packets_[flow_.packets[i]]; }
    std::set<std::string_view>& applied(std::size_t i) { return applied_[flow_.packets[i]]; }

    /// The handshake rule cannot be checked on a first packet that is no SYN; forced repair takes it as
    /// failed.
    bool fails(const Rule& rule, const RulePacket& p, const FlowContext& context) const {
        const Verdict verdict = rule.check_flow(p, context);
        const bool forced = force_ && state_.packets == 0 && rule.id == "tcp.flow.handshake";
        return verdict == Verdict::failed || (forced && verdict == Verdict::not_checkable);
    }

    void begin_again(bool both_directions) {
        state_ = FlowState{};
        state_.both_directions = both_directions;
    }

    void add_to_state(const RulePacket& p, const std::optional<SegmentFields>& segment, Direction direction) {
        if (segment) {
            state_.add(*segment, direction);
        } else if (p.transport_layer == RuleLayer::udp) {
            state_.add_datagram(p, direction);
        } else {
            state_.add_icmp(p, direction);
        }
    }

    void find_failures() {
        for (std::size_t i = 0; i < flow_.packets.size(); ++i) {
            const RulePacket p = read_rule_packet(packet(i).view());
            const auto segment = read_segment(p);
            const SegmentFields fields = segment.value_or(SegmentFields{});
            const FlowContext context{state_, fields, flow_.directions[i]};
            for (const Rule& rule : rule_table()) {
                if (!rule.check_flow || rule.layer != p.transport_layer || !fails(rule, p, context)) continue;
                any_fails_ = true;
                renumber_ |= is_about_numbers(rule.id);
                late_data_ |= rule.id == "tcp.flow.after_fin" || rule.id == "tcp.flow.after_reset";
            }
            add_to_state(p, segment, flow_.directions[i]);
        }
    }

    /// Where each side sends its last payload: a FIN or RST before it comes too early.
    void find_last_data() {
        for (std::size_t i = 0; i < flow_.packets.size(); ++i) {
            const auto segment = read_segment(read_rule_packet(packet(i).view()));
            if (segment && segment->payload > 0) last_data_[static_cast<int>(flow_.directions[i])] = i;
        }
    }

    /// Clears FIN and RST that come too early, moves numbers by what earlier repairs moved them, closes gaps.
    void renumber(std::size_t i) {
        const RulePacket p = read_rule_packet(packet(i).view());
        const auto segment = read_segment(p);
        if (!segment) return;
        const int d = static_cast<int>(flow_.directions[i]);
        std::uint8_t* const tcp = tracebench::segment(p, packet(i));
        bool changed = false;
        if (late_data_ && i < last_data_[d] && segment->has(tcp_flag::fin | tcp_flag::rst)) {
            tcp[13] = static_cast<std::uint8_t>((tcp[13] & ~(tcp_flag::fin | tcp_flag::rst)) | tcp_flag::ack);
            changed = true;
        }
        if (renumber_ && !segment->has(tcp_flag::syn)) {
            const TcpSide& me = state_.side[d];
            std::uint32_t sequence = segment->sequence + shift_[d];
            const std::int32_t ahead = sequence_distance(sequence, me.next);
            if (me.seen && ahead > 0 && !segment->has(tcp_flag::rst)) {
                shift_[d] -= static_cast<std::uint32_t>(ahead);
                sequence = me.next;
            }
            const std::uint32_t acknowledgement = segment->acknowledgement + shift_[1 - d];
            changed |= sequence != segment->sequence;
            store32(tcp + 4, sequence);
            if (segment->has(tcp_flag::ack)) {
                changed |= acknowledgement != segment->acknowledgement;
                store32(tcp + 8, acknowledgement);
            }
        }
        if (changed) applied(i).insert("tcp.flow.sequence");
    }

    void repair(std::size_t i) {
        renumber(i);
        constexpr int rounds = 12;
        for (int round = 0; round < rounds; ++round) {
            const bool flow_changed = apply_flow_rules(i);
            const bool packet_changed = apply_packet_rules(packet(i), applied(i));
            if (!flow_changed && !packet_changed) break;
        }
        const RulePacket p = read_rule_packet(packet(i).view());
        add_to_state(p, read_segment(p), flow_.directions[i]);
    }

    bool apply_flow_rules(std::size_t i) {
        bool changed = false;
        for (const Rule& rule : rule_table()) {
            if (!rule.check_flow) continue;
            const RulePacket p = read_rule_packet(packet(i).view());
            if (rule.layer != p.transport_layer) continue;
            const auto segment = read_segment(p);
            const SegmentFields fields = segment.value_or(SegmentFields{});
            const FlowContext context{state_, fields, flow_.directions[i]};
            if (!fails(rule, p, context)) continue;
            rule.repair_flow(p, context, packet(i));
            applied(i).insert(rule.id);
            note_shift(i, fields);
            changed = true;
        }
        return changed;
    }

    /// What follows moves with a sequence number that a rule has set.
    void note_shift(std::size_t i, const SegmentFields& before) {
        const auto after = read_segment(read_rule_packet(packet(i).view()));
        if (!after || before.has(tcp_flag::rst)) return;
        shift_[static_cast<int>(flow_.directions[i])] += after->sequence - before.sequence;
    }

    std::vector<MutablePacket>& packets_;
    Applied& applied_;
    const FlowMembers& flow_;
    FlowState state_;
    bool force_ = false, any_fails_ = false, renumber_ = false, late_data_ = false;
    std::size_t last_data_[2] = {0, 0};
    std::uint32_t shift_[2] = {0, 0};  ///< what is added to sequence numbers, by direction
};

}  // namespace

bool repair_flows(std::vector<MutablePacket>& packets, Applied& applied, const RepairOptions& options) {
    bool changed = false;
    for (const FlowMembers& flow : split(packets))
        changed |= FlowRepair(packets, applied, flow).run(options.force_handshake);
    return changed;
}

}  // namespace tracebench
