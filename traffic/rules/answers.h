#pragma once
/// Datagrams that ask, and datagrams that answer, by what an answer repeats of its request: DNS the
/// identifier and the question (RFC 1035 section 4.1, RFC 5452 section 9.1), NTP the time of transmission
/// (RFC 5905 section 8), QUIC the client's connection identifier (RFC 9000 section 7.2).

#include <cstdint>
#include <optional>

#include "traffic/rules/rule_packet.h"

namespace tracebench {

/// What the packet asks, as one number; nothing where it asks nothing, or not enough of it was captured. Of
/// DNS the upper 16 bits are the identifier, the others a hash of the question (0: not known); of NTP it is
/// the transmit timestamp; of QUIC a hash of the source connection identifier. Multicast DNS does not ask by
/// identifiers, other modes of NTP than client and server are left out.
std::optional<std::uint64_t> request_of(const RulePacket& packet);
/// The same of what it answers: what the request must have been.
std::optional<std::uint64_t> answer_of(const RulePacket& packet);

/// Whether the one may answer the other, both of this application. Questions that are not known are no reason
/// against it.
bool fits(RuleLayer application, std::uint64_t answer, std::uint64_t request);

}  // namespace tracebench
