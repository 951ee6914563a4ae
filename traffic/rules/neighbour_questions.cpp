#include "traffic/rules/neighbour_questions.h"

#include <algorithm>

#include "traffic/link_layer.h"
#include "traffic/rules/fact_hash.h"

namespace tracebench {
namespace {

enum Kind : std::uint64_t { arp, neighbour_discovery, dhcp };

NeighbourQuestion make(Kind kind, const std::uint8_t* asker, std::size_t asker_size,
                       const std::uint8_t* about, std::size_t about_size) {
    FactHash hash;
    hash.number(kind).bytes(asker, asker_size);
    const std::uint64_t who = hash.value();
    return {who, hash.bytes(about, about_size).value()};
}

struct ArpMessage {
    std::uint16_t operation = 0;
    const std::uint8_t *sender = nullptr, *target = nullptr;  ///< IPv4 addresses

    /// Announcements and probes of one's own address, which nobody needs to answer.
    bool is_about_itself() const { return std::equal(sender, sender + 4, target); }
};
std::optional<ArpMessage> read_arp(const RulePacket& p) {
    constexpr std::uint32_t size = 28;
    if (p.state(RuleLayer::arp) != LayerState::readable || !p.captured(p.network, size)) return std::nullopt;
    const std::uint8_t* const bytes = p.net();
    const bool usual =
        load16(bytes) == 1 && load16(bytes + 2) == ether_type::ipv4 && bytes[4] == 6 && bytes[5] == 4;
    if (!usual) return std::nullopt;
    return ArpMessage{load16(bytes + 6), bytes + 14, bytes + 24};
}

bool is_discovery(const RulePacket& p, std::uint8_t type) {
    return p.state(RuleLayer::icmpv6) == LayerState::readable && p.segment()[0] == type &&
           p.captured(p.transport, 24);
}

/// The client is known by the 16 bytes of its hardware address, what it asks by the transaction's identifier.
/// An address of zeros is none: it was blanked, or the client has given an identifier instead (RFC 4390).
std::optional<NeighbourQuestion> read_dhcp(const RulePacket& p, std::uint8_t operation) {
    constexpr std::uint32_t needed = 44;
    if (p.state(RuleLayer::dhcp) != LayerState::readable || p.payload_length() < needed ||
        !p.captured(p.payload, needed))
        return std::nullopt;
    const std::uint8_t* const message = p.at(p.payload);
    const std::uint8_t* const client = message + 28;
    const bool unknown = std::all_of(client, client + 16, [](std::uint8_t byte) { return byte == 0; });
    if (message[0] != operation || unknown) return std::nullopt;
    return make(dhcp, client, 16, message + 4, 4);
}

}  // namespace

std::optional<NeighbourQuestion> neighbour_question(const RulePacket& p) {
    constexpr std::uint16_t request = 1;
    constexpr std::uint8_t solicitation = 135;
    if (const auto message = read_arp(p)) {
        if (message->operation != request || message->is_about_itself()) return std::nullopt;
        return make(arp, message->sender, 4, message->target, 4);
    }
    if (is_discovery(p, solicitation)) return make(neighbour_discovery, p.net() + 8, 16, p.segment() + 8, 16);
    return read_dhcp(p, 1);
}

std::optional<NeighbourQuestion> neighbour_answer(const RulePacket& p) {
    constexpr std::uint16_t reply = 2;
    constexpr std::uint8_t advertisement = 136, solicited = 0x40;
    if (const auto message = read_arp(p)) {
        const bool to_all = load32(message->target) == 0xFFFFFFFF;
        if (message->operation != reply || message->is_about_itself() || to_all) return std::nullopt;
        return make(arp, message->target, 4, message->sender, 4);
    }
    if (is_discovery(p, advertisement)) {
        if ((p.segment()[4] & solicited) == 0) return std::nullopt;
        return make(neighbour_discovery, p.net() + 24, 16, p.segment() + 8, 16);
    }
    return read_dhcp(p, 2);
}

}  // namespace tracebench
