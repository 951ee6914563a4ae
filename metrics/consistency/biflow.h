#pragma once
/// Bidirectional flow records as an IPFIX exporter would make them (RFC 7011, RFC 5103), from a sample's
/// packets.

#include <cstdint>
#include <vector>

#include "traffic/flow_split.h"

namespace tracebench {

/// One record. Arrays are indexed by Direction; forward is the way of the first packet.
struct Biflow {
    Endpoint source, destination;  ///< the source sent the first packet
    std::uint8_t protocol = 0;
    std::uint64_t packets[2] = {0, 0};
    std::uint64_t octets[2] = {0, 0};    ///< of IP packets, by their own length fields
    std::uint64_t payload[2] = {0, 0};   ///< bytes after the transport header
    std::uint8_t tcp_flags[2] = {0, 0};  ///< union of the flags seen
    std::int64_t duration_ns = 0;        ///< last packet minus first
    bool fragments = false;              ///< of later fragments, which have no ports
    bool opened = false;                 ///< TCP: the first packet is a SYN without ACK
    bool handshake = false;              ///< TCP: the three-way handshake was seen

    bool is_tcp() const { return protocol == ip_protocol::tcp; }
    bool is_udp() const { return protocol == ip_protocol::udp; }
    bool has_ports() const { return (is_tcp() || is_udp()) && !fragments; }
};

/// One a flow of split_flows(), in its order. Packets without an IP header are in none.
std::vector<Biflow> biflows(const Trace& trace);

}  // namespace tracebench
