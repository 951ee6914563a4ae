#pragma once
/// Conversations as ICMP errors quote them: by addresses, protocol and ports, whichever way round.

#include <cstdint>
#include <optional>

#include "traffic/rules/rule_packet.h"

namespace tracebench {

/// As hashes. `ports` is `hosts` where the protocol has no ports, or they cannot be read.
struct ConversationHash {
    std::uint64_t hosts = 0;  ///< addresses and protocol
    std::uint64_t ports = 0;  ///< with the ports
};

/// That of the packet; nothing where it has no IP header.
std::optional<ConversationHash> conversation_of(const RulePacket& packet);
/// That of the packet which an error of ICMP or ICMPv6 is about; nothing where the packet is none, or its
/// quote was cut before the end of the IP header.
std::optional<ConversationHash> quoted_conversation(const RulePacket& packet);

}  // namespace tracebench
