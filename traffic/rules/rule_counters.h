#pragma once
/// The rule table at work, scope by scope: rules of packets may look at them in any order and several at a
/// time, those of flows and of the session have to see them one after the other.

#include <array>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "traffic/flow_table.h"
#include "traffic/rules/checker.h"
#include "traffic/rules/session_state.h"

namespace tracebench {

/// What rules made of one packet.
struct PacketVerdict {
    bool checked = false;  ///< at least one rule passed or failed
    bool failed = false;

    void add(Verdict verdict) {
        checked |= verdict == Verdict::passed || verdict == Verdict::failed;
        failed |= verdict == Verdict::failed;
    }
};

/// Indices into the rule table, by the layer that the rules speak about.
using RulesByLayer = std::array<std::vector<std::uint32_t>, rule_layers>;

/// Every rule of the table without any count.
std::vector<RuleResult> no_results();

/// Packet scope, and what is observed of single packets.
class PacketRules {
  public:
    PacketRules();
    void check(const RulePacket& packet, PacketVerdict& verdict);
    const std::vector<RuleResult>& results() const { return results_; }  ///< in table order
    const BehaviourCounter& observed() const { return observed_; }

  private:
    void check_layer(RuleLayer layer, LayerState state, const RulePacket& packet, PacketVerdict& verdict);

    RulesByLayer rules_;
    std::vector<RuleResult> results_;
    BehaviourCounter observed_;
};

/// Flow scope, and what is observed of flows.
class FlowRules {
  public:
    explicit FlowRules(const FlowOptions& options);
    /// Packets in time order. Whether it is the first of its flow.
    bool check(const RulePacket& packet, PacketVerdict& verdict);
    /// Ends the flows still alive.
    void finish() { table_.finish(); }
    const std::vector<RuleResult>& results() const { return results_; }  ///< in table order
    const BehaviourCounter& observed() const { return observed_; }

  private:
    void check(const RulePacket& packet, const FlowTable::Placed& placed, PacketVerdict& verdict);

    RulesByLayer rules_;
    std::vector<RuleResult> results_;
    BehaviourCounter observed_;
    std::unordered_map<std::uint64_t, FlowState>
        flows_;  ///< of TCP, ICMP and what may be RTP; looked up only
    FlowTable table_;
};

/// Session scope, and what is observed of sessions.
class SessionRules {
  public:
    SessionRules();
    /// Packets in time order.
    void check(const RulePacket& packet, bool begins_flow, PacketVerdict& verdict);
    const std::vector<RuleResult>& results() const { return results_; }  ///< in table order
    const BehaviourCounter& observed() const { return observed_; }

  private:
    void check_layer(RuleLayer layer, LayerState state, const RulePacket& packet, PacketVerdict& verdict);

    RulesByLayer rules_;
    std::vector<RuleResult> results_;
    BehaviourCounter observed_;
    SessionState session_;
};

}  // namespace tracebench
