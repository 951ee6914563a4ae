/// TLS handshake records that hold a ClientHello or ServerHello. RFC 5246 and RFC 8446, sections 4.1 and 5.1.
///
/// A hello may be longer than its record or its segment: rules ask only for what the first segment holds.

#include "traffic/rules/application.h"
#include "traffic/rules/rule_groups.h"

namespace tracebench {
namespace {

// Offsets in the segment: record header, handshake header, version and random number, session identifier.
constexpr std::uint32_t record_size = 5, hello_at = 9, session_at = 43;

bool is_client(const RulePacket& p) {
    return payload(p)[5] == 1;
}
/// Of the hello, without its header of 4 bytes.
std::uint32_t hello_length(const RulePacket& p) {
    return static_cast<std::uint32_t>(payload(p)[6]) << 16 | load16(payload(p) + 7);
}

Verdict check_record_version(const RulePacket& p) {
    return pass_if(payload(p)[2] <= 3);
}
void repair_record_version(const RulePacket& p, MutablePacket& packet) {
    payload(p, packet)[2] = 1;
}

Verdict check_record_length(const RulePacket& p) {
    constexpr std::uint32_t largest = 1U << 14;
    const std::uint32_t length = load16(payload(p) + 3);
    return pass_if(length > 0 && length <= largest);
}

Verdict check_direction(const RulePacket& p) {
    return pass_if(is_client(p) ? !comes_from_server(p) : !goes_to_server(p));
}

/// With no session identifier, the shortest lists, and no extensions.
Verdict check_hello_length(const RulePacket& p) {
    if (!payload_captured(p, hello_at, 0)) return Verdict::not_checkable;
    return pass_if(hello_length(p) >= (is_client(p) ? 41U : 38U));
}

Verdict check_hello_version(const RulePacket& p) {
    if (!payload_captured(p, hello_at, 2)) return Verdict::not_checkable;
    return pass_if(payload(p)[hello_at] == 3 && payload(p)[hello_at + 1] <= 3);
}
void repair_hello_version(const RulePacket& p, MutablePacket& packet) {
    store16(payload(p, packet) + hello_at, 0x0303);
}

Verdict check_session(const RulePacket& p) {
    if (!payload_captured(p, session_at, 1)) return Verdict::not_checkable;
    return pass_if(payload(p)[session_at] <= 32);
}

std::uint32_t after_session(const RulePacket& p) {
    return session_at + 1 + payload(p)[session_at];
}

Verdict check_cipher_suites(const RulePacket& p) {
    if (!is_client(p)) return Verdict::not_applicable;
    if (!payload_captured(p, session_at, 1)) return Verdict::not_checkable;
    const std::uint32_t at = after_session(p);
    if (!payload_captured(p, at, 2)) return Verdict::not_checkable;
    const std::uint32_t size = load16(payload(p) + at);
    return pass_if(size >= 2 && size % 2 == 0 && at + 2 + size <= hello_at + hello_length(p));
}

/// The null method is always offered, and nothing else is in TLS 1.3.
Verdict check_compression(const RulePacket& p) {
    if (!payload_captured(p, session_at, 1)) return Verdict::not_checkable;
    std::uint32_t at = after_session(p);
    if (!is_client(p)) {
        if (!payload_captured(p, at, 3)) return Verdict::not_checkable;
        return pass_if(payload(p)[at + 2] <= 1);  // null, or DEFLATE (RFC 3749)
    }
    if (!payload_captured(p, at, 2)) return Verdict::not_checkable;
    at += 2U + load16(payload(p) + at);
    if (!payload_captured(p, at, 1)) return Verdict::not_checkable;
    const std::uint32_t size = payload(p)[at];
    if (!payload_captured(p, at + 1, size)) return Verdict::not_checkable;
    for (std::uint32_t i = 0; i < size; ++i)
        if (payload(p)[at + 1 + i] == 0) return Verdict::passed;
    return Verdict::failed;
}

constexpr RuleLayer layer = RuleLayer::tls;
constexpr std::string_view blanked = "payload replaced by zeros";

constexpr Rule rules[] = {
    {"tls.record_version", "the version of a hello's record is 3.0 to 3.3", "RFC 8446 section 5.1",
     "set to 3.1", layer, check_record_version, repair_record_version},
    {"tls.record_length", "a handshake record has 1 to 16384 bytes", "RFC 8446 section 5.1", blanked, layer,
     check_record_length, blank_payload},
    {"tls.direction", "ClientHello goes to the server, ServerHello comes from it", "RFC 8446 section 4.1",
     blanked, layer, check_direction, blank_payload},
    {"tls.hello_length", "a hello holds all parts that it must have", "RFC 8446 sections 4.1.2 and 4.1.3",
     blanked, layer, check_hello_length, blank_payload},
    {"tls.hello_version", "the version of a hello is 3.0 to 3.3", "RFC 8446 section 4.1.2", "set to 3.3",
     layer, check_hello_version, repair_hello_version},
    {"tls.session_id", "a session identifier has at most 32 bytes", "RFC 8446 section 4.1.2", blanked, layer,
     check_session, blank_payload},
    {"tls.cipher_suites", "one cipher suite or more is offered, two bytes each, within the hello",
     "RFC 8446 section 4.1.2", blanked, layer, check_cipher_suites, blank_payload},
    {"tls.compression", "the null compression method is offered, an assigned one is chosen",
     "RFC 5246 section 7.4.1.2; RFC 8446 section 4.1.2", blanked, layer, check_compression, blank_payload},
};

}  // namespace

std::span<const Rule> tls_rules() {
    return rules;
}

}  // namespace tracebench
