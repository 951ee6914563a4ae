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

/// The rules of one scope, and what they and those who observe have counted.
class ScopeRules {
  public:
    const std::vector<RuleResult>& results() const { return results_; }  ///< in table order
    const BehaviourCounter& observed() const { return observed_; }

  protected:
    explicit ScopeRules(RuleScope scope);
    const std::vector<std::uint32_t>& rules_of(RuleLayer layer) const {
        return rules_[static_cast<std::size_t>(layer)];
    }
    void count(std::uint32_t rule, Verdict found, const RulePacket& packet, PacketVerdict& verdict);

    BehaviourCounter observed_;

  private:
    RulesByLayer rules_;
    std::vector<RuleResult> results_;
};

/// Packet scope, and what is observed of single packets.
class PacketRules : public ScopeRules {
  public:
    PacketRules() : ScopeRules(RuleScope::packet) {}
    void check(const RulePacket& packet, PacketVerdict& verdict);

  private:
    void check_layer(RuleLayer layer, LayerState state, const RulePacket& packet, PacketVerdict& verdict);
};

/// Flow scope, and what is observed of flows.
class FlowRules : public ScopeRules {
  public:
    explicit FlowRules(const FlowOptions& options);
    /// Packets in time order. Whether it is the first of its flow.
    bool check(const RulePacket& packet, PacketVerdict& verdict);
    /// Ends the flows still alive.
    void finish() { table_.finish(); }

  private:
    void check(const RulePacket& packet, const FlowTable::Placed& placed, PacketVerdict& verdict);

    std::unordered_map<std::uint64_t, FlowState>
        flows_;  ///< of TCP, ICMP and what may be RTP; looked up only
    FlowTable table_;
};

/// Session scope, and what is observed of sessions.
class SessionRules : public ScopeRules {
  public:
    SessionRules() : ScopeRules(RuleScope::session) {}
    /// Packets in time order.
    void check(const RulePacket& packet, bool begins_flow, PacketVerdict& verdict);

  private:
    void check_layer(RuleLayer layer, LayerState state, const RulePacket& packet, PacketVerdict& verdict);

    SessionState session_;
};

}  // namespace tracebench
