#pragma once
/// The addresses that a DNS response names (A and AAAA records, RFC 1035 section 3.4.1, RFC 3596).

#include <span>
#include <vector>

#include "traffic/rules/rule_packet.h"

namespace tracebench {

/// Each of 4 or 16 bytes, pointing into the packet; of the first 64 answers, up to the first that was cut or
/// cannot be read. Empty for other packets. Multicast DNS counts too.
std::vector<std::span<const std::uint8_t>> dns_addresses(const RulePacket& packet);

}  // namespace tracebench
