#include "traffic/rules/answers.h"

#include <cctype>

#include "traffic/rules/application.h"
#include "traffic/rules/quic_header.h"

namespace tracebench {
namespace {

constexpr std::uint64_t offset_basis = 0xCBF29CE484222325, prime = 0x100000001B3;  // FNV-1a

std::uint64_t add_byte(std::uint64_t hash, std::uint8_t byte) {
    return (hash ^ byte) * prime;
}

// --- DNS

constexpr std::uint16_t dns_port = 53;
constexpr std::uint32_t dns_header = 12;
constexpr int identifier_shift = 48;

/// 48 bits of the only question's name, type and class, without regard to case; 0 where it is not known.
std::uint64_t question_of(const RulePacket& p) {
    const std::uint8_t* const message = payload(p);
    if (load16(message + 4) != 1) return 0;
    constexpr std::uint32_t longest = 255;
    std::uint64_t hash = offset_basis;
    std::uint32_t at = dns_header;
    while (true) {
        if (at - dns_header >= longest || !payload_captured(p, at, 1)) return 0;
        const std::uint32_t label = message[at];
        if (label > 63 || at + 1 + label > p.payload_length() || !payload_captured(p, at, label + 1))
            return 0;
        hash = add_byte(hash, static_cast<std::uint8_t>(label));
        for (std::uint32_t i = 1; i <= label; ++i)
            hash = add_byte(hash, static_cast<std::uint8_t>(std::tolower(message[at + i])));
        at += 1 + label;
        if (label == 0) break;
    }
    if (at + 4 > p.payload_length() || !payload_captured(p, at, 4)) return 0;
    for (std::uint32_t i = 0; i < 4; ++i) hash = add_byte(hash, message[at + i]);
    return (hash >> 16) | 1;
}
std::uint64_t dns_number(const RulePacket& p) {
    return std::uint64_t{load16(payload(p))} << identifier_shift | question_of(p);
}
bool is_dns_response(const RulePacket& p) {
    return (payload(p)[2] & 0x80) != 0;
}

// --- NTP

constexpr std::uint32_t ntp_size = 48, origin_at = 24, transmitted_at = 40;
constexpr unsigned client_mode = 3, server_mode = 4;

std::optional<std::uint64_t> ntp_time(const RulePacket& p, unsigned mode, std::uint32_t at) {
    const bool whole = p.payload_length() >= ntp_size && payload_captured(p, 0, ntp_size);
    if (!whole || (payload(p)[0] & 7U) != mode) return std::nullopt;
    return std::uint64_t{load32(payload(p) + at)} << 32 | load32(payload(p) + at + 4);
}

// --- QUIC

std::optional<std::uint64_t> connection_id(const RulePacket& p, bool source) {
    const QuicHeader header(p);
    if (header.cut || header.rest == 0 || !payload_captured(p, 0, header.rest)) return std::nullopt;
    const std::uint32_t size = source ? header.source_size : header.destination_size;
    const std::uint8_t* const id = payload(p) + (source ? header.rest - size : 6);
    std::uint64_t hash = offset_basis;
    for (std::uint32_t i = 0; i < size; ++i) hash = add_byte(hash, id[i]);
    return hash;
}

bool can_be_read(const RulePacket& p) {
    return p.transport_layer == RuleLayer::udp && p.application_state == LayerState::readable;
}

}  // namespace

std::optional<std::uint64_t> request_of(const RulePacket& p) {
    if (!can_be_read(p)) return std::nullopt;
    switch (p.application_layer) {
        case RuleLayer::dns:
            if (!goes_to(p, dns_port) || is_dns_response(p)) return std::nullopt;
            return dns_number(p);
        case RuleLayer::ntp:
            return ntp_time(p, client_mode, transmitted_at);
        case RuleLayer::quic:
            return goes_to_server(p) ? connection_id(p, true) : std::nullopt;
        default:
            return std::nullopt;
    }
}

std::optional<std::uint64_t> answer_of(const RulePacket& p) {
    if (!can_be_read(p)) return std::nullopt;
    switch (p.application_layer) {
        case RuleLayer::dns:
            if (!comes_from(p, dns_port) || !is_dns_response(p)) return std::nullopt;
            return dns_number(p);
        case RuleLayer::ntp:
            return ntp_time(p, server_mode, origin_at);
        case RuleLayer::quic:
            return comes_from_server(p) ? connection_id(p, false) : std::nullopt;
        default:
            return std::nullopt;
    }
}

bool fits(RuleLayer application, std::uint64_t answer, std::uint64_t request) {
    if (application != RuleLayer::dns) return answer == request;
    if ((answer ^ request) >> identifier_shift != 0) return false;
    constexpr std::uint64_t question = (std::uint64_t{1} << identifier_shift) - 1;
    return (answer & question) == 0 || (request & question) == 0 || answer == request;
}

}  // namespace tracebench
