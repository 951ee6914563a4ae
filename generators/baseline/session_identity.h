#pragma once
/// The same session with other people in it: addresses, MACs and client ports exchanged consistently.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "generators/fresh_identifiers.h"
#include "traffic/flow_table.h"
#include "traffic/trace.h"

namespace tracebench {

/// Which end of a flow is the client, with an ephemeral port; `src` sent the first packet (forward: it is the
/// client). Nothing where both ports are a service's (equal, or both below 1024). Where one is below 1024 the
/// other end is the client. Otherwise it is the sender, except that a sender below 32768 facing a port above
/// it is taken for a server whose flow began before the capture did.
std::optional<Direction> client_side(const Endpoint& src, const Endpoint& dst);

/// One session's exchange of identifiers. Ports of services stay; an ephemeral port of a client becomes
/// another of its range; an endpoint that is ever a server keeps its port.
class SessionIdentity {
  public:
    /// Ethernet packets.
    SessionIdentity(const Trace& session, Random& random);

    IpAddress address(const IpAddress& original) { return addresses_.replace(original); }
    MacAddress mac(const MacAddress& original) { return addresses_.replace(original); }
    std::uint16_t port(std::uint8_t protocol, const Endpoint& original);

    /// One frame of the session, in place: Ethernet, ARP, outermost and innermost IP, TCP and UDP ports,
    /// packets quoted in ICMP errors, ICMP redirects, and addresses in neighbour discovery. Checksums are
    /// updated (RFC 1624). Identifiers inside payloads (DNS answers, SIP, DHCP) stay.
    void rewrite(std::span<std::uint8_t> frame);

  private:
    using ProtocolEndpoint = std::pair<std::uint8_t, Endpoint>;

    void note_flow(const PacketFlow& flow, std::set<FlowKey>& seen, std::set<ProtocolEndpoint>& clients,
                   std::set<ProtocolEndpoint>& servers);

    Random& random_;
    FreshAddresses addresses_;
    std::map<ProtocolEndpoint, std::uint16_t> ports_;
    std::set<ProtocolEndpoint> taken_ports_;  // with the fresh address
};

}  // namespace tracebench
