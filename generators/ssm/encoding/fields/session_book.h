#pragma once
/// What both ends of the `fields` codec remember of a session: its flows and hosts by recency, and what
/// packets of each kind usually look like in it. Bounded: the flow or host unused for longest makes room.

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "generators/ssm/encoding/fields/conversation.h"

namespace tracebench::ssm {

inline constexpr std::size_t most_flows = 4096, most_hosts = 4096, most_services = 256;

struct Host {
    IpAddress address;
    std::uint16_t last_port = 0;  ///< of its end of the last flow that it opened or was sought for
    std::uint16_t ip_id = 0;      ///< last sent
    bool ip_id_known = false;
    std::uint8_t ttl = 0;  ///< last sent; 0: it has sent nothing
};

/// What the last packet of its kind looked like: protocol, IP version, direction, SYN or not.
struct Habit {
    bool known = false;
    std::uint8_t ttl = 64, tos = 0;
    bool dont_fragment = true, pads = false, labelled = false;
    std::uint16_t window = 64240;
    OptionList options;
    std::uint16_t mss = 0;
    std::uint8_t window_scale = 0;
};

class SessionBook {
  public:
    SessionBook();

    std::int64_t now_ns = 0;  ///< time of the last packet; 0 before the first: see started
    bool started = false;
    /// Flows have a place (0 .. most_flows - 1) that stays theirs while they live.
    Conversation& flow(int place) { return flows_[static_cast<std::size_t>(place)]; }
    const Conversation& flow(int place) const { return flows_[static_cast<std::size_t>(place)]; }
    int flow_count() const { return static_cast<int>(recent_flows_.size()); }
    int flow_at(int rank) const { return recent_flows_[static_cast<std::size_t>(rank)]; }
    int flow_rank(int place) const;
    /// Of the flow that began last; 0 where none has.
    int last_version() const { return last_version_; }
    /// A place for a flow that begins; it is the most recent then. Keeps `conversation`.
    int open(Conversation conversation);
    /// The place of the flow that open() would forget for it: one with the same ends and protocol, or the one
    /// unused for longest where there is no room; -1: none.
    int replaced_by(const Conversation& conversation) const;
    /// Whether a live flow has these ends and protocol, and would go on with a packet at now_ns.
    bool is_live(std::uint8_t protocol, const Endpoint& a, const Endpoint& b) const;
    /// How often the place was given to another flow: to notice that a flow was dropped.
    std::uint64_t generation(int place) const { return generations_[static_cast<std::size_t>(place)]; }

    const Host& host(int index) const { return hosts_[static_cast<std::size_t>(index)]; }
    int host_count() const { return static_cast<int>(recent_hosts_.size()); }
    int host_at(int rank) const { return recent_hosts_[static_cast<std::size_t>(rank)]; }
    /// Its rank by recency; nothing for an address not met (or forgotten).
    std::optional<int> host_rank(const IpAddress& address) const;
    /// Index of the host, which is met now if it was not before, and the most recent then.
    int meet(const IpAddress& address);
    void note_port(int host, std::uint16_t port) { hosts_[static_cast<std::size_t>(host)].last_port = port; }

    const Habit& habit(const Conversation& flow, Direction d, bool syn) const;
    /// First payload bytes of the last datagram of this service and direction; empty where there was none.
    const std::vector<std::uint8_t>& usual_payload(const Conversation& flow, Direction d) const;

    /// After a packet of a live flow: the flow is the most recent then.
    void update(int place, const Record& record, Direction d);

  private:
    struct LiveKey {
        std::uint8_t protocol;
        Endpoint a, b;
        auto operator<=>(const LiveKey&) const = default;
    };
    static LiveKey key_of(std::uint8_t protocol, const Endpoint& a, const Endpoint& b);
    static std::size_t habit_index(const Conversation& flow, Direction d, bool syn);

    std::vector<Conversation> flows_;
    int last_version_ = 0;
    std::vector<std::uint64_t> generations_;
    std::vector<int> recent_flows_, recent_hosts_;  ///< most recent first
    std::map<LiveKey, int> live_;
    std::vector<Host> hosts_;
    std::map<IpAddress, int> host_index_;
    std::array<Habit, 3 * 2 * 2 * 2> habits_;
    std::map<std::uint32_t, std::vector<std::uint8_t>> payloads_;  ///< by service port * 2 + direction
};

/// The port that names a flow's service: the known or lower one.
std::uint16_t service_port(const Conversation& flow);

}  // namespace tracebench::ssm
