#pragma once
/// What in a sample names a host, a user, a connection or what was asked for.

#include <array>
#include <cstdint>
#include <set>
#include <span>
#include <string>

#include "metrics/observed_sample.h"

namespace tracebench {

enum class IdentifierKind : std::uint8_t {
    addresses,          ///< IP addresses of hosts: no multicast, broadcast, loopback or unspecified ones
    macs,               ///< of Ethernet frames, without group addresses and zeros
    endpoints,          ///< address and port
    connections,        ///< 5-tuples (FlowKey::flow_id())
    client_ports,       ///< protocol and port of the end with the higher port, where it is 1024 or above
    server_names,       ///< TLS SNI
    dns_names,          ///< of DNS questions
    http_hosts,         ///< Host of HTTP/1 requests
    tcp_timestamps,     ///< TSval of the first segment of each end that has one (RFC 7323): a random offset
                        ///< a connection, or a host's clock
    initial_sequences,  ///< sequence numbers of SYNs (RFC 9293 section 3.4.1), of both ends
};
inline constexpr std::size_t identifier_kinds = 10;
/// `addresses`, `macs`, ...: stable, used in results.
const char* identifier_kind_name(IdentifierKind kind);

/// Those of one sample, by kind, as text that can be printed; of a kind the first 100,000.
using Identifiers = std::array<std::set<std::string>, identifier_kinds>;
Identifiers find_identifiers(const ObservedSample& sample);

/// What was captured of a transport payload; nothing for fragments and without a TCP or UDP header.
std::span<const std::uint8_t> captured_payload(const Headers& headers);

}  // namespace tracebench
