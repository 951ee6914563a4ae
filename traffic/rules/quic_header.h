#pragma once
/// The start of a QUIC long header (RFC 8999 section 5.1, RFC 9000 section 17.2), read without trusting its
/// lengths.

#include <cstdint>
#include <optional>

#include "traffic/rules/rule_packet.h"

namespace tracebench {

struct QuicHeader {
    enum class Type : std::uint8_t { initial, zero_rtt, handshake, retry };

    Type type = Type::initial;
    std::uint32_t destination_size = 0, source_size = 0;  ///< of the connection identifiers, in bytes
    std::uint32_t rest = 0;  ///< offset in the payload of what follows the identifiers; 0: past the datagram
    bool cut = false;        ///< the identifiers' lengths were not captured

    /// Requires a readable QUIC layer.
    explicit QuicHeader(const RulePacket& packet);

    /// Six bytes: the long-header bit, and a version whose format is known: 1, 2 (RFC 9369), the drafts of
    /// version 1 from 23 on, and Facebook's numbers for them. RTP and others also set that bit.
    static bool is_known(const std::uint8_t* bytes);
};

/// A variable-length integer (RFC 9000 section 16) and the bytes that it takes.
struct QuicInteger {
    std::uint64_t value = 0;
    std::uint32_t size = 0;
};
/// At this offset of the payload; nothing where it was not captured.
std::optional<QuicInteger> read_quic_integer(const RulePacket& packet, std::uint32_t offset);

}  // namespace tracebench
