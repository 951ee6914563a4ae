#pragma once
/// Which application's message a packet begins with, as far as its first bytes tell, and what the rules of
/// those applications share.
///
/// DNS, DHCP and NTP are known by their ports: each datagram is one message. On the ports of QUIC, TLS, HTTP
/// and MQTT anything may be spoken, and a segment may begin in the middle of a message; their rules ask only
/// about packets whose first bytes can be nothing else (a known QUIC version behind the long-header bit, a
/// handshake record that holds a hello, a method or `HTTP/`, `MQTT` in a CONNECT).
///
/// Traces often lack payload, or have zeros in its place to protect people. A packet on such a port whose
/// first bytes were not captured, or are all zero, is not checkable.

#include <cstdint>

#include "traffic/rules/rule.h"

namespace tracebench {

/// Sets the application's layer, state and payload offset. Requires the transport layer to be read.
void find_application(RulePacket& packet);

constexpr bool is_application(RuleLayer layer) {
    return layer >= RuleLayer::dns;
}

/// The first application byte. Requires that application_state is not absent.
inline const std::uint8_t* payload(const RulePacket& p) {
    return p.headers.data + p.payload;
}
/// Whether these application bytes were captured; they may still lie past the packet's end.
inline bool payload_captured(const RulePacket& p, std::uint32_t offset, std::uint32_t size) {
    return p.captured(p.payload + offset, size);
}
/// Whether the packet is on its way to this port, and not from it: nothing can be said of equal ports.
inline bool goes_to(const RulePacket& p, std::uint16_t port) {
    return load16(p.segment() + 2) == port && load16(p.segment()) != port;
}
inline bool comes_from(const RulePacket& p, std::uint16_t port) {
    return load16(p.segment()) == port && load16(p.segment() + 2) != port;
}

/// Whether a server listens at that end, by the ports of the packet's application.
bool goes_to_server(const RulePacket& packet);
bool comes_from_server(const RulePacket& packet);

/// For a message that has `least` bytes: not checkable where nothing was captured or all of it is zero.
Verdict check_message_length(const RulePacket& packet, std::uint32_t least);

/// Zeros in place of the payload that was captured: what a trace without payload has.
void blank_payload(const RulePacket& p, MutablePacket& packet);
inline std::uint8_t* payload(const RulePacket& p, MutablePacket& packet) {
    return packet.bytes.data() + p.payload;
}

}  // namespace tracebench
