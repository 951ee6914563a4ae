/// QUIC long headers, as far as header protection leaves them readable. RFC 8999, RFC 9000 sections 14
/// and 17.

#include "traffic/rules/application.h"
#include "traffic/rules/quic_header.h"
#include "traffic/rules/rule_groups.h"

namespace tracebench {

namespace {
constexpr std::uint32_t version_1 = 1, version_2 = 0x6B3343CF;
}  // namespace

bool QuicHeader::is_known(const std::uint8_t* bytes) {
    if ((bytes[0] & 0x80) == 0) return false;
    const std::uint32_t version = load32(bytes + 1);
    return version == version_1 || version == version_2 || (version >= 0xFF000017 && version <= 0xFF000022) ||
           (version >= 0xFACEB001 && version <= 0xFACEB003);
}

QuicHeader::QuicHeader(const RulePacket& p) {
    const std::uint8_t* const bytes = tracebench::payload(p);
    const unsigned bits = (bytes[0] >> 4) & 3U;
    type = static_cast<Type>(load32(bytes + 1) == version_2 ? (bits + 3) & 3U : bits);
    destination_size = bytes[5];
    const std::uint32_t source_at = 6 + destination_size;
    if (source_at >= p.payload_length()) return;
    cut = !payload_captured(p, source_at, 1);
    if (cut) return;
    source_size = bytes[source_at];
    const std::uint32_t end = source_at + 1 + source_size;
    if (end <= p.payload_length()) rest = end;
}

std::optional<QuicInteger> read_quic_integer(const RulePacket& p, std::uint32_t offset) {
    if (!payload_captured(p, offset, 1)) return std::nullopt;
    const std::uint8_t* const bytes = payload(p) + offset;
    QuicInteger integer{bytes[0] & 0x3FU, 1U << (bytes[0] >> 6)};
    if (!payload_captured(p, offset, integer.size)) return std::nullopt;
    for (std::uint32_t i = 1; i < integer.size; ++i) integer.value = integer.value << 8 | bytes[i];
    return integer;
}

namespace {

Verdict check_header(const RulePacket& p) {
    const QuicHeader header(p);
    return header.cut ? Verdict::not_checkable : pass_if(header.rest != 0);
}

Verdict check_fixed_bit(const RulePacket& p) {
    return pass_if((payload(p)[0] & 0x40) != 0);
}
void repair_fixed_bit(const RulePacket& p, MutablePacket& packet) {
    payload(p, packet)[0] |= 0x40;
}

Verdict check_connection_ids(const RulePacket& p) {
    constexpr std::uint32_t longest = 20;
    const QuicHeader header(p);
    if (header.destination_size > longest) return Verdict::failed;
    return header.cut ? Verdict::not_checkable : pass_if(header.source_size <= longest);
}

/// Its token length; nothing where it cannot be read.
std::optional<QuicInteger> token_length(const RulePacket& p, const QuicHeader& header) {
    if (header.cut || header.rest == 0) return std::nullopt;
    return read_quic_integer(p, header.rest);
}

Verdict check_server_token(const RulePacket& p) {
    const QuicHeader header(p);
    if (header.type != QuicHeader::Type::initial || !comes_from_server(p)) return Verdict::not_applicable;
    const auto token = token_length(p, header);
    return token ? pass_if(token->value == 0) : Verdict::not_checkable;
}

Verdict check_initial_size(const RulePacket& p) {
    constexpr std::uint32_t least = 1200;
    if (QuicHeader(p).type != QuicHeader::Type::initial || !goes_to_server(p)) return Verdict::not_applicable;
    return pass_if(p.payload_length() >= least);
}

Verdict check_length(const RulePacket& p) {
    const QuicHeader header(p);
    if (header.type == QuicHeader::Type::retry) return Verdict::not_applicable;
    if (header.cut || header.rest == 0) return Verdict::not_checkable;
    std::uint64_t at = header.rest;
    if (header.type == QuicHeader::Type::initial) {
        const auto token = token_length(p, header);
        if (!token) return Verdict::not_checkable;
        at += token->size + token->value;
        if (at >= p.payload_length()) return Verdict::failed;
    }
    const auto length = read_quic_integer(p, static_cast<std::uint32_t>(at));
    if (!length || length->value == 0) return Verdict::not_checkable;  // 0: payload that was blanked
    return pass_if(at + length->size + length->value <= p.payload_length());
}

constexpr RuleLayer layer = RuleLayer::quic;

constexpr Rule rules[] = {
    {"quic.header", "the datagram holds both connection identifiers", "RFC 8999 section 5.1",
     "payload replaced by zeros", layer, check_header, blank_payload},
    {"quic.fixed_bit", "the fixed bit of a long header is 1", "RFC 9000 section 17.2", "set", layer,
     check_fixed_bit, repair_fixed_bit},
    {"quic.connection_ids", "connection identifiers have at most 20 bytes", "RFC 9000 section 17.2",
     "payload replaced by zeros", layer, check_connection_ids, blank_payload},
    {"quic.server_token", "an Initial packet of a server has no token", "RFC 9000 section 17.2.2",
     "payload replaced by zeros", layer, check_server_token, blank_payload},
    {"quic.initial_size", "a client's datagram with an Initial packet has 1200 bytes or more",
     "RFC 9000 section 14.1", "payload replaced by zeros", layer, check_initial_size, blank_payload},
    {"quic.length", "token and packet lie within the datagram", "RFC 9000 section 17.2",
     "payload replaced by zeros", layer, check_length, blank_payload},
};

}  // namespace

std::span<const Rule> quic_rules() {
    return rules;
}

}  // namespace tracebench
