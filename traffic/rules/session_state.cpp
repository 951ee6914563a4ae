#include "traffic/rules/session_state.h"

#include "traffic/rules/dns_addresses.h"
#include "traffic/rules/fact_hash.h"
#include "traffic/rules/neighbour_questions.h"
#include "traffic/rules/quotes.h"

namespace tracebench {
namespace {

bool has_ip(const RulePacket& p) {
    return p.network_state == LayerState::readable && p.network_layer != RuleLayer::arp;
}
std::uint64_t hash_of(const std::uint8_t* address, std::size_t size) {
    return FactHash().bytes(address, size).value();
}
std::uint64_t source_hash(const RulePacket& p) {
    return p.network_layer == RuleLayer::ipv4 ? hash_of(p.net() + 12, 4) : hash_of(p.net() + 8, 16);
}
std::uint64_t destination_hash(const RulePacket& p) {
    return p.network_layer == RuleLayer::ipv4 ? hash_of(p.net() + 16, 4) : hash_of(p.net() + 24, 16);
}

}  // namespace

void SeenSet::add(std::uint64_t value) {
    if (!values_.insert(value).second) return;
    order_.push_back(value);
    if (order_.size() <= limit_) return;
    values_.erase(order_.front());
    order_.pop_front();
    forgot_ = true;
}

void SessionState::add(const RulePacket& p, bool begins_flow) {
    if (const auto asked = neighbour_question(p)) {
        askers.add(asked->asker);
        questions.add(asked->question);
    }
    if (const auto fragment = read_fragment(p)) datagrams.add(*fragment);
    for (const std::span<const std::uint8_t> address : dns_addresses(p))
        resolved_.add(hash_of(address.data(), address.size()));
    if (begins_flow) {
        if (const auto conversation = conversation_of(p)) {
            hosts.add(conversation->hosts);
            conversations.add(conversation->ports);
        }
    }
    if (const auto station = station_of(p)) stations_[station->address % most_stations] = *station;
}

bool SessionState::is_resolved(const RulePacket& p) const {
    return has_ip(p) && resolved_.contains(destination_hash(p));
}

std::optional<SessionState::Station> SessionState::station_of(const RulePacket& p) {
    if (p.packet.link != link_type::ethernet || !has_ip(p) || !p.captured(0, 12)) return std::nullopt;
    return Station{source_hash(p), std::uint64_t{load16(p.at(6))} << 32 | load32(p.at(8))};
}

std::optional<std::uint64_t> SessionState::last_ethernet(std::uint64_t address) const {
    const Station& known = stations_[address % most_stations];
    return known.address == address ? std::optional(known.ethernet) : std::nullopt;
}

}  // namespace tracebench
