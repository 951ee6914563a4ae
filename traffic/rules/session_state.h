#pragma once
/// What session-scope rules remember of a capture: updated packet by packet, bounded whatever its length.
/// What had to be forgotten is known to be, so that no packet is blamed for it.

#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_set>
#include <vector>

#include "traffic/rules/fragments.h"
#include "traffic/rules/rule_packet.h"

namespace tracebench {

/// Hashes of what was seen; past `limit` the oldest go.
class SeenSet {
  public:
    explicit SeenSet(std::size_t limit) : limit_(limit) {}
    bool contains(std::uint64_t value) const { return values_.count(value) > 0; }
    bool forgot() const { return forgot_; }
    void add(std::uint64_t value);

  private:
    std::size_t limit_;
    bool forgot_ = false;
    std::unordered_set<std::uint64_t> values_;
    std::deque<std::uint64_t> order_;
};

class SessionState {
  public:
    /// `begins_flow`: it is the first packet of its flow (FlowTable::Placed::first).
    void add(const RulePacket& packet, bool begins_flow);

    /// Of NeighbourQuestion (neighbour_questions.h).
    SeenSet askers{most}, questions{most};
    /// Of ConversationHash (quotes.h), one a flow.
    SeenSet hosts{most}, conversations{most};
    OpenDatagrams datagrams;

    /// Whether a DNS answer has named the packet's destination.
    bool is_resolved(const RulePacket& packet) const;
    /// An Ethernet and an IP source; nothing where the link is not Ethernet or the packet not IP.
    struct Station {
        std::uint64_t address = 0;  ///< hash of the IP source
        std::uint64_t ethernet = 0;
    };
    static std::optional<Station> station_of(const RulePacket& packet);
    /// The Ethernet source of the last packet from this IP source; nothing where there was none, or another
    /// IP source has taken its place.
    std::optional<std::uint64_t> last_ethernet(std::uint64_t address) const;

  private:
    static constexpr std::size_t most = 1U << 16, most_stations = 1U << 12;

    SeenSet resolved_{most};
    /// Each at the place that the hash of its IP source gives: asked of every packet, so without searching.
    std::vector<Station> stations_ = std::vector<Station>(most_stations);
};

}  // namespace tracebench
