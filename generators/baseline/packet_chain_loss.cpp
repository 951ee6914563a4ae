// PacketChain: how well it predicts a flow.

#include <algorithm>
#include <cmath>

#include "generators/baseline/packet_chain.h"
#include "generators/baseline/surprise.h"

namespace tracebench {
namespace {

// How many different values there are of what was never seen.
constexpr double possible_states = 2.0 * 65536 * 7 * 8;  // direction, flags, size class, phase
constexpr double possible_payloads = 65536;
constexpr double possible_gaps = 50 * 32;  // octaves up to the longest gap, by the histogram's precision

}  // namespace

double PacketChain::loss(std::span<const ChainPacket> flow, bool tcp) const {
    double nats = 0;
    TcpPhase phase = TcpPhase::not_tcp;
    const State* last = nullptr;
    for (std::size_t i = 0; i < flow.size(); ++i) {
        const ChainPacket& packet = flow[i];
        if (tcp) phase = next_phase(phase, packet);
        const auto index = index_.find({packet.direction, packet.flags, size_class(packet.payload), phase});
        const State* const state = index == index_.end() ? nullptr : &states_[index->second];
        if (i == 0) {
            const auto start = state == nullptr ? starts_.end() : starts_.find(index->second);
            nats += surprise(start == starts_.end() ? 0 : start->second, flows_, possible_states);
        } else if (last == nullptr) {
            // After a state that was never seen all possible_states are alike, and so are all times.
            nats += std::log(possible_states + 1) + std::log(possible_gaps);
        } else {
            const auto next = state == nullptr ? last->next.end() : last->next.find(index->second);
            const bool known = next != last->next.end();
            nats += surprise(known ? next->second.total() : 0, last->payload.total(), possible_states);
            const std::int64_t gap =
                std::clamp<std::int64_t>(packet.time_ns - flow[i - 1].time_ns, 0, max_gap_ns - 1);
            nats += known ? surprise(next->second.count(static_cast<std::uint64_t>(gap)),
                                     next->second.total(), possible_gaps)
                          : std::log(possible_gaps);
        }
        nats += state != nullptr ? surprise(state->payload.count(packet.payload), state->payload.total(),
                                            possible_payloads)
                                 : std::log(possible_payloads);
        last = state;
    }
    return nats +
           (last == nullptr ? std::log(possible_states + 1) : surprise(last->ends, last->payload.total(), 1));
}

}  // namespace tracebench
