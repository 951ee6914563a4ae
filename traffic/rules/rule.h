#pragma once
/// Protocol rules: one requirement of a standard each, in one table that serves both the compliance metric
/// (check) and the generators (repair, constrained decoding), so the two can never disagree.

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "traffic/flow_table.h"
#include "traffic/headers.h"
#include "traffic/trace.h"

namespace tracebench {

enum class RuleScope { packet, flow, session };
enum class Verdict : std::uint8_t {
    not_applicable,  ///< the rule says nothing about this packet (a TCP rule on UDP)
    passed,
    failed,
    not_checkable,  ///< it would apply, but the capture does not hold what is needed (cut, began mid-flow)
};

/// One packet of a flow as flow-scope rules see it.
struct FlowPacketView {
    PacketView packet;
    Headers headers;
    Direction direction = Direction::forward;
};

/// A packet being repaired: bytes may change in place and grow or shrink (headers completed or removed).
struct MutablePacket {
    std::int64_t time_ns = 0;
    std::uint32_t original_length = 0;
    std::uint16_t link = link_type::ethernet;
    std::vector<std::uint8_t> bytes;
};

struct Rule {
    std::string_view id;         ///< `ipv4.version`, `tcp.flow.handshake`: stable, used in results
    std::string_view title;      ///< one line for people
    std::string_view reference;  ///< `RFC 791 section 3.1`
    RuleScope scope = RuleScope::packet;

    /// Packet scope.
    std::function<Verdict(const PacketView&, const Headers&)> check_packet;
    /// Flow scope: one verdict a packet, same length as the flow. Empty: the rule does not apply to the flow.
    std::function<std::vector<Verdict>(std::span<const FlowPacketView>)> check_flow;
    /// Makes a failing packet pass with the least change; nothing where repair is not local to a packet.
    std::function<void(MutablePacket&)> repair_packet;
};

/// Every rule, in the order in which repair applies them (lengths before checksums; checksums last).
const std::vector<Rule>& rule_table();
/// nullptr where there is none.
const Rule* find_rule(std::string_view id);

}  // namespace tracebench
