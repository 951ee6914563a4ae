#pragma once
/// A Markov chain over the packets of a flow: direction, flags and size class, with the times between.

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "generators/checked_json.h"
#include "generators/histogram.h"
#include "traffic/flow_table.h"

namespace tracebench {

/// One packet of a flow as the chain sees it.
struct ChainPacket {
    Direction direction = Direction::forward;
    std::uint16_t flags = 0;    ///< TCP: the flags byte; ICMP: type * 256 + code; UDP: 0
    std::uint32_t payload = 0;  ///< bytes on the wire
    std::int64_t time_ns = 0;   ///< since the flow's first packet
};

/// Where a TCP connection stands after a packet; not_tcp throughout for other protocols.
enum class TcpPhase : std::uint8_t {
    not_tcp,
    opening,
    answered,
    open,
    closing_forward,
    closing_reverse,
    closed,
    reset
};
TcpPhase next_phase(TcpPhase before, const ChainPacket& packet);

/// 0: no payload; then below 64, 256, 1024, 1400, up to 1500, more.
std::uint8_t size_class(std::uint32_t payload);

/// What the chain remembers of the packet just sent, and nothing else.
struct ChainState {
    Direction direction = Direction::forward;
    std::uint16_t flags = 0;
    std::uint8_t size = 0;
    TcpPhase phase = TcpPhase::not_tcp;  ///< after the packet

    auto operator<=>(const ChainState&) const = default;
};

class PacketChain {
  public:
    /// `tcp` decides whether flags are TCP flags. An empty flow counts for nothing.
    void learn(std::span<const ChainPacket> flow, bool tcp);
    bool empty() const { return flows_ == 0; }
    std::uint64_t flows() const { return flows_; }
    /// A flow of at least one packet, cut at `max_packets` or at four times the longest flow learned.
    /// Requires !empty().
    std::vector<ChainPacket> draw(Random& random, std::size_t max_packets);

    /// Negative log-likelihood of a flow, in nats: of its first state, of the payload size in each state, of
    /// each next state (or the end) and of the class of time until then, as the chain draws them. In each of
    /// these distributions, counted n times, a value that was counted c times has probability c / (n + 1);
    /// the rest is for all that was never counted, evenly. Requires !empty() and a flow that is not.
    double loss(std::span<const ChainPacket> flow, bool tcp) const;

    /// Share of the flows (or of the packets in a state) that go on with `to`; for tests and curiosity.
    double start_probability(const ChainState& to) const;
    double probability(const ChainState& from, const ChainState& to) const;
    double end_probability(const ChainState& from) const;
    std::size_t states() const { return states_.size(); }

    nlohmann::json to_json() const;
    /// Throws InputError.
    static PacketChain from_json(const CheckedJson& json);

  private:
    static constexpr int gap_precision = 5;
    static constexpr std::int64_t max_gap_ns = std::int64_t{1} << 50;

    struct State {
        ChainState state;
        Histogram payload;                      // bytes, exact
        std::uint64_t ends = 0;                 // flows that ended here
        std::map<std::size_t, Histogram> next;  // index -> times until then (ns)
    };

    std::size_t index_of(const ChainState& state);
    const State* find(const ChainState& state) const;

    std::vector<State> states_;  // in order of first appearance
    std::map<ChainState, std::size_t> index_;
    std::map<std::size_t, std::uint64_t> starts_;
    std::uint64_t flows_ = 0, longest_ = 0;
};

}  // namespace tracebench
