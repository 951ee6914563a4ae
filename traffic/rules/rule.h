#pragma once
/// Protocol rules: one requirement of a standard each, in one table that serves both the compliance metric
/// (check) and the generators (repair, constrained decoding), so the two can never disagree.
///
/// To add a rule: a check function (and a repair function where a packet can be mended) in the file of its
/// layer, one line in the table at the end of that file, a passing and a failing example in
/// tests/unit/traffic/. `tracebench compliance --list-rules > docs/rules.md` then brings the documentation
/// up to date.

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "traffic/rules/flow_state.h"
#include "traffic/rules/rule_packet.h"
#include "traffic/rules/session_state.h"

namespace tracebench {

enum class RuleScope : std::uint8_t {
    packet,   ///< one packet tells
    flow,     ///< a packet, given the packets of its flow before it
    session,  ///< a packet, given the packets of the capture before it
};
/// `packet`, `flow`, `session`.
std::string_view scope_name(RuleScope scope);

enum class Verdict : std::uint8_t {
    not_applicable,  ///< the rule says nothing about this packet (a TCP rule on UDP)
    passed,
    failed,
    not_checkable,  ///< it would apply, but the capture does not hold what is needed (cut, began mid-flow)
    offloaded,      ///< not checkable either: the field was left to the network card (see checksum_rules.cpp)
};

/// One packet of a flow as flow-scope rules see it: `state` is what the flow's earlier packets left.
struct FlowContext {
    const FlowState& state;
    const SegmentFields& segment;  ///< of a TCP packet; meaningless for others
    Direction direction = Direction::forward;
};

struct Rule {
    using CheckPacket = Verdict (*)(const RulePacket&);
    using CheckFlow = Verdict (*)(const RulePacket&, const FlowContext&);
    using RepairPacket = void (*)(const RulePacket&, MutablePacket&);
    using RepairFlow = void (*)(const RulePacket&, const FlowContext&, MutablePacket&);
    using CheckSession = Verdict (*)(const RulePacket&, const SessionState&);
    using RepairSession = void (*)(const RulePacket&, const SessionState&, MutablePacket&);

    std::string_view id;         ///< `ipv4.version`, `tcp.flow.handshake`: stable, used in results
    std::string_view title;      ///< one line for people: what is required
    std::string_view reference;  ///< `RFC 791 section 3.1`
    std::string_view remedy;     ///< one line for people: what repair does
    RuleLayer layer = RuleLayer::link;

    /// Exactly one of the three checks is set. A packet check is called where its layer is readable (see
    /// RulePacket), and with `structural` also where it is not: it is then the rule that says why. A session
    /// check is called where its layer is readable; `state` is what the capture's earlier packets left.
    CheckPacket check_packet = nullptr;
    RepairPacket repair_packet = nullptr;  ///< makes a failing packet pass with the least change
    CheckFlow check_flow = nullptr;
    RepairFlow repair_flow = nullptr;
    bool structural = false;
    CheckSession check_session = nullptr;
    RepairSession repair_session = nullptr;

    RuleScope scope() const {
        if (check_session) return RuleScope::session;
        return check_flow ? RuleScope::flow : RuleScope::packet;
    }
};

/// Every rule, in the order in which repair applies them (lengths before contents, checksums last).
std::span<const Rule> rule_table();
/// nullptr where there is none.
const Rule* find_rule(std::string_view id);

/// The verdict of one packet-scope rule.
Verdict check_rule(const Rule& rule, const RulePacket& packet);

}  // namespace tracebench
