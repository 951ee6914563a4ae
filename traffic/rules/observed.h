#pragma once
/// Behaviour that standards allow and real traffic shows: how often, of how many. Nothing here is right or
/// wrong; a synthetic trace should just do it about as often as the real one.
///
/// Retransmission, reordering, duplicate acknowledgements, closed windows and keep-alives are counted by
/// Wireshark's definitions (traffic/tcp_analysis.h), window full by its definition too where both SYNs were
/// captured.

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "traffic/flow_table.h"
#include "traffic/rules/rule.h"

namespace tracebench {

struct Behaviour {
    std::string_view id;         ///< `tcp.retransmission`: stable, used in results
    std::string_view title;      ///< one line for people: what is counted
    std::string_view of;         ///< of what: `TCP segments`, `IPv4 packets`
    std::string_view reference;  ///< where it is described
};

/// Every behaviour, in the order in which results list them.
std::span<const Behaviour> behaviour_table();

struct BehaviourCount {
    const Behaviour* behaviour = nullptr;
    std::uint64_t count = 0;
    std::uint64_t of = 0;

    /// count / of; NaN where there is nothing to count in.
    double rate() const;
};

class BehaviourCounter {
  public:
    BehaviourCounter();
    void add(const RulePacket& packet);
    /// A TCP segment, with what its flow's earlier packets left.
    void add(const FlowContext& context);
    /// Any packet, with what the session's earlier packets left.
    void add(const RulePacket& packet, const SessionState& session, bool begins_flow);
    /// Transport checksums that a rule has checked, and those that it found left to the network card.
    void add_checksums(std::uint64_t checked, std::uint64_t offloaded);
    /// A flow that has ended; only TCP matters.
    void end(const Flow& flow);
    /// In the order of behaviour_table().
    const std::vector<BehaviourCount>& counts() const { return counts_; }

  private:
    void add_ip(const RulePacket& packet);
    void add_windows(const FlowContext& context);

    std::vector<BehaviourCount> counts_;
};

}  // namespace tracebench
