#pragma once
/// What hosts of a link ask each other before they can talk: ARP (RFC 826), neighbour discovery (RFC 4861),
/// DHCP for IPv4 (RFC 2131). Question and answer may be in different flows, or in none.

#include <cstdint>
#include <optional>

#include "traffic/rules/rule_packet.h"

namespace tracebench {

/// Who asks, and what with who asks it, as hashes: an answer can be held against the questions of its
/// receiver only where that one was seen asking.
struct NeighbourQuestion {
    std::uint64_t asker = 0, question = 0;
};

/// Of an ARP request for another's address, a neighbour solicitation, a request of a DHCP client; nothing
/// where the packet is something else or was cut.
std::optional<NeighbourQuestion> neighbour_question(const RulePacket& packet);

/// What an ARP reply, a solicited neighbour advertisement or a DHCP reply answers. Nothing where it answers
/// nobody: ARP announcements name one address twice, or all hosts.
std::optional<NeighbourQuestion> neighbour_answer(const RulePacket& packet);

}  // namespace tracebench
