#include "traffic/rules/dns_addresses.h"

#include <algorithm>

namespace tracebench {
namespace {

/// Offset after the name at `at`; 0 where it runs out of the message. A pointer ends a name.
std::size_t skip_name(std::span<const std::uint8_t> message, std::size_t at) {
    while (at < message.size()) {
        const std::size_t label = message[at];
        if (label == 0) return at + 1;
        if (label >= 0xC0) return at + 2;
        if (label > 63) return 0;
        at += 1 + label;
    }
    return 0;
}

}  // namespace

std::vector<std::span<const std::uint8_t>> dns_addresses(const RulePacket& p) {
    constexpr std::size_t header = 12, question_end = 4, record_fields = 10, most = 64;
    constexpr std::uint16_t a = 1, aaaa = 28, internet = 1, flush = 0x8000;  // RFC 6762 section 10.2
    std::vector<std::span<const std::uint8_t>> addresses;
    if (p.state(RuleLayer::dns) != LayerState::readable || p.transport_layer != RuleLayer::udp)
        return addresses;
    const std::uint32_t end = std::min(p.end, p.headers.captured);
    const std::span message(p.at(p.payload), end - p.payload);
    if (message.size() < header || (message[2] & 0x80) == 0) return addresses;
    std::size_t at = header;
    for (std::size_t questions = std::min<std::size_t>(load16(&message[4]), most); questions > 0;
         --questions) {
        at = skip_name(message, at);
        if (at == 0) return addresses;
        at += question_end;
    }
    for (std::size_t answers = std::min<std::size_t>(load16(&message[6]), most); answers > 0; --answers) {
        at = skip_name(message, at);
        if (at == 0 || at + record_fields > message.size()) return addresses;
        const std::uint16_t type = load16(&message[at]), size = load16(&message[at + 8]);
        const bool is_internet = (load16(&message[at + 2]) & ~flush) == internet;
        at += record_fields;
        if (size > message.size() - at) return addresses;
        if (is_internet && ((type == a && size == 4) || (type == aaaa && size == 16)))
            addresses.push_back(message.subspan(at, size));
        at += size;
    }
    return addresses;
}

}  // namespace tracebench
