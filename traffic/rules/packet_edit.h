#pragma once
/// Changes that repairs make to a packet. Lengths on the wire stay consistent: the IP length field, the
/// frame's original length and the captured bytes move together. Checksums are left to their own rules.

#include <cstdint>

#include "traffic/rules/rule_packet.h"

namespace tracebench {

/// Makes the IP packet end at `end` (an offset in the frame, past the IP header). Shrinking drops what
/// follows it in the frame; growing uses link padding, then lengthens the frame. New bytes are zero. `p` is
/// the packet as it is.
void set_ip_end(const RulePacket& p, MutablePacket& packet, std::uint32_t end);

/// Pointers into the bytes under repair.
inline std::uint8_t* net(const RulePacket& p, MutablePacket& packet) {
    return packet.bytes.data() + p.network;
}
inline std::uint8_t* segment(const RulePacket& p, MutablePacket& packet) {
    return packet.bytes.data() + p.transport;
}

/// Overwrites every TCP option of one kind with no-operations.
void remove_tcp_option(const RulePacket& p, MutablePacket& packet, std::uint8_t kind);
/// Sets the timestamps option, adding it where it is missing: in front of the other options, in place of them
/// where the header would outgrow 60 bytes.
void set_tcp_timestamps(const RulePacket& p, MutablePacket& packet, std::uint32_t value, std::uint32_t echo);
/// Cuts a TCP segment's payload to its first `size` bytes.
void cut_tcp_payload(const RulePacket& p, MutablePacket& packet, std::uint32_t size);

}  // namespace tracebench
