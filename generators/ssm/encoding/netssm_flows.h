#pragma once
/// The live TCP conversations of a trace that is being decoded under constraints: what the flow rules
/// remember of each, found by the addresses and ports as they stand in a packet. At most a fixed number is
/// kept; past it the one idle longest is forgotten.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "traffic/rules/flow_state.h"

namespace tracebench::ssm {

/// Source address, destination address, source port, destination port as in a packet: 12 bytes (IPv4) or 36.
using TupleBytes = std::string;

/// The last few different sequence numbers of some kind.
class RecentNumbers {
  public:
    void add(std::uint32_t number) {
        const auto known = numbers();
        if (std::find(known.begin(), known.end(), number) == known.end())
            ring_[added_++ % ring_.size()] = number;
    }
    std::span<const std::uint32_t> numbers() const {
        return std::span(ring_).first(std::min(added_, ring_.size()));
    }

  private:
    std::array<std::uint32_t, 48> ring_{};
    std::size_t added_ = 0;
};

/// What flow rules need not know of a sender, but who asks which numbers are likely does.
struct SentSegments {
    RecentNumbers begins;       ///< where segments with data or FIN began: they may be sent again
    RecentNumbers missing;      ///< where those may begin that gaps were left for
    std::uint32_t largest = 0;  ///< payload
};

struct LiveFlow {
    FlowState state;
    std::int64_t last_ns = 0;          ///< time of its last packet
    TupleBytes forward;                ///< of packets in its first packet's direction
    TupleBytes reverse;                ///< and of those against it
    std::array<SentSegments, 2> sent;  ///< by direction
};

/// One sender of a conversation.
struct FlowEnd {
    const LiveFlow* flow = nullptr;
    Direction direction = Direction::forward;

    const FlowState& state() const { return flow->state; }
    const TcpSide& own() const { return flow->state.own(direction); }
    const TcpSide& peer() const { return flow->state.peer(direction); }
    const SentSegments& sent() const { return flow->sent[static_cast<std::size_t>(direction)]; }
    bool initiator() const { return flow->state.initiator == direction; }
};

/// The beginning of a conversation: no packet yet.
FlowEnd new_flow();

/// Requires a readable TCP header.
TupleBytes tuple_of(const RulePacket& packet);

class LiveFlows {
  public:
    explicit LiveFlows(std::size_t limit = 4096) : limit_(limit) {}

    /// Forgets conversations that a flow table would end for their silence (FlowOptions::tcp_idle_s). Times
    /// do not go back.
    void expire(std::int64_t now_ns);
    std::optional<FlowEnd> find(std::string_view tuple) const;
    /// A segment was sent at the time of the last expire(); begins a conversation where there is none.
    void add(std::string_view tuple, const SegmentFields& segment);
    /// What RTP rules remember of a UDP conversation, which begins here if need be. All are forgotten where
    /// there are too many. Valid until the next call.
    struct Datagrams {
        FlowState& state;
        Direction direction;
    };
    Datagrams datagrams(std::string_view tuple);
    /// Least recently used first.
    const std::list<LiveFlow>& flows() const { return flows_; }

  private:
    struct Place {
        std::list<LiveFlow>::iterator flow;
        Direction direction;
    };
    void forget_oldest();

    std::size_t limit_;
    std::int64_t now_ns_ = 0;
    std::list<LiveFlow> flows_;
    std::map<TupleBytes, FlowState, std::less<>> datagrams_;  ///< by the lesser of both directions
    std::map<TupleBytes, Place, std::less<>> places_;         ///< both directions of each
};

}  // namespace tracebench::ssm
