#include "generators/baseline/packet_chain.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace tracebench {
namespace {

constexpr std::size_t max_states = 100'000;
constexpr std::int64_t max_flow_packets = 10'000'000;
constexpr std::int64_t max_count = std::int64_t{1} << 40;
constexpr std::uint64_t length_margin = 4;  // a chain's lengths have a tail that few training flows show

/// Index drawn from (key -> weight) entries.
template <typename Map, typename Weight>
typename Map::const_iterator draw_entry(const Map& entries, std::uint64_t target, const Weight& weight) {
    auto entry = entries.begin();
    while (target >= weight(*entry)) target -= weight(*entry++);
    return entry;
}

}  // namespace

TcpPhase next_phase(TcpPhase before, const ChainPacket& packet) {
    const bool syn = packet.flags & tcp_flag::syn, ack = packet.flags & tcp_flag::ack,
               fin = packet.flags & tcp_flag::fin, rst = packet.flags & tcp_flag::rst;
    if (rst || before == TcpPhase::reset) return TcpPhase::reset;
    if (syn) return ack ? TcpPhase::answered : TcpPhase::opening;
    if (fin) {
        const TcpPhase own =
            packet.direction == Direction::forward ? TcpPhase::closing_forward : TcpPhase::closing_reverse;
        const bool other_closed =
            before == TcpPhase::closed ||
            ((before == TcpPhase::closing_forward || before == TcpPhase::closing_reverse) && before != own);
        return other_closed ? TcpPhase::closed : own;
    }
    // A first packet without SYN is of a connection that was open before the capture began.
    const bool opens = before == TcpPhase::answered || before == TcpPhase::not_tcp;
    return opens ? TcpPhase::open : before;
}

std::uint8_t size_class(std::uint32_t payload) {
    constexpr std::uint32_t above[] = {1, 64, 256, 1024, 1400, 1501};
    return static_cast<std::uint8_t>(std::upper_bound(std::begin(above), std::end(above), payload) -
                                     std::begin(above));
}

std::size_t PacketChain::index_of(const ChainState& state) {
    const auto [entry, is_new] = index_.try_emplace(state, states_.size());
    if (is_new) states_.push_back({state, Histogram(), 0, {}});
    return entry->second;
}

void PacketChain::learn(std::span<const ChainPacket> flow, bool tcp) {
    if (flow.empty()) return;
    ++flows_;
    longest_ = std::max(longest_, std::min<std::uint64_t>(flow.size(), max_flow_packets));
    TcpPhase phase = TcpPhase::not_tcp;
    std::size_t last = 0;
    for (std::size_t i = 0; i < flow.size(); ++i) {
        const ChainPacket& packet = flow[i];
        if (tcp) phase = next_phase(phase, packet);
        const std::size_t index =
            index_of({packet.direction, packet.flags, size_class(packet.payload), phase});
        states_[index].payload.add(packet.payload);
        if (i == 0) {
            ++starts_[index];
        } else {
            const std::int64_t gap =
                std::clamp<std::int64_t>(packet.time_ns - flow[i - 1].time_ns, 0, max_gap_ns - 1);
            states_[last]
                .next.try_emplace(index, gap_precision)
                .first->second.add(static_cast<std::uint64_t>(gap));
        }
        last = index;
    }
    ++states_[last].ends;
}

std::vector<ChainPacket> PacketChain::draw(Random& random, std::size_t max_packets) {
    const std::size_t limit =
        std::clamp<std::uint64_t>(max_packets, 1, length_margin * std::max<std::uint64_t>(1, longest_));
    std::vector<ChainPacket> flow;
    std::size_t index =
        draw_entry(starts_, random.below(flows_), [](const auto& entry) { return entry.second; })->first;
    std::int64_t time_ns = 0;
    while (true) {
        State& state = states_[index];
        flow.push_back({state.state.direction, state.state.flags,
                        static_cast<std::uint32_t>(state.payload.draw(random)), time_ns});
        if (flow.size() >= limit) return flow;
        std::uint64_t total = state.ends;
        for (const auto& [to, gaps] : state.next) total += gaps.total();
        const std::uint64_t target = random.below(total);
        if (target < state.ends) return flow;
        const auto next = draw_entry(state.next, target - state.ends,
                                     [](const auto& entry) { return entry.second.total(); });
        time_ns += static_cast<std::int64_t>(state.next.at(next->first).draw(random));
        time_ns = std::min(time_ns, max_gap_ns);
        index = next->first;
    }
}

const PacketChain::State* PacketChain::find(const ChainState& state) const {
    const auto found = index_.find(state);
    return found == index_.end() ? nullptr : &states_[found->second];
}

double PacketChain::start_probability(const ChainState& to) const {
    const auto found = index_.find(to);
    const auto start = found == index_.end() ? starts_.end() : starts_.find(found->second);
    return start == starts_.end() ? 0 : static_cast<double>(start->second) / static_cast<double>(flows_);
}

double PacketChain::probability(const ChainState& from, const ChainState& to) const {
    const State* const state = find(from);
    const auto target = index_.find(to);
    if (state == nullptr || target == index_.end() || !state->next.contains(target->second)) return 0;
    return static_cast<double>(state->next.at(target->second).total()) /
           static_cast<double>(state->payload.total());
}

double PacketChain::end_probability(const ChainState& from) const {
    const State* const state = find(from);
    return state == nullptr ? 0
                            : static_cast<double>(state->ends) / static_cast<double>(state->payload.total());
}

nlohmann::json PacketChain::to_json() const {
    nlohmann::json states = nlohmann::json::array(), starts = nlohmann::json::array();
    for (const State& state : states_) {
        nlohmann::json next = nlohmann::json::array();
        for (const auto& [to, gaps] : state.next) next.push_back({{"to", to}, {"gap_ns", gaps.to_json()}});
        states.push_back({{"direction", static_cast<int>(state.state.direction)},
                          {"flags", state.state.flags},
                          {"phase", static_cast<int>(state.state.phase)},
                          {"payload", state.payload.to_json()},
                          {"ends", state.ends},
                          {"next", std::move(next)}});
    }
    for (const auto& [index, count] : starts_) starts.push_back({index, count});
    return {{"flows", flows_},
            {"longest", longest_},
            {"starts", std::move(starts)},
            {"states", std::move(states)}};
}

PacketChain PacketChain::from_json(const CheckedJson& json) {
    PacketChain chain;
    const auto states = json.at("states").items(max_states);
    const auto last = static_cast<std::int64_t>(states.size()) - 1;
    for (const CheckedJson& entry : states) {
        State state;
        state.state.direction = static_cast<Direction>(entry.at("direction").integer(0, 1));
        state.state.flags = static_cast<std::uint16_t>(entry.at("flags").integer(0, 0xFFFF));
        state.state.phase =
            static_cast<TcpPhase>(entry.at("phase").integer(0, static_cast<int>(TcpPhase::reset)));
        state.payload = Histogram::from_json(entry.at("payload"), 65535);
        if (state.payload.empty()) entry.fail("has no payload size");
        state.state.size = size_class(static_cast<std::uint32_t>(state.payload.counts().begin()->first));
        state.ends = static_cast<std::uint64_t>(entry.at("ends").integer(0, max_count));
        for (const CheckedJson& next : entry.at("next").items(max_states)) {
            Histogram gaps = Histogram::from_json(next.at("gap_ns"), max_gap_ns, gap_precision);
            if (gaps.empty()) next.fail("has no times");
            state.next.insert_or_assign(static_cast<std::size_t>(next.at("to").integer(0, last)),
                                        std::move(gaps));
        }
        if (state.ends == 0 && state.next.empty()) entry.fail("leads nowhere");
        chain.index_.emplace(state.state, chain.states_.size());
        chain.states_.push_back(std::move(state));
    }
    for (const CheckedJson& entry : json.at("starts").items(max_states)) {
        const auto pair = entry.items(2);
        if (pair.size() != 2) entry.fail("is not a pair of a state and its count");
        const auto count = static_cast<std::uint64_t>(pair[1].integer(1, max_count));
        chain.starts_[static_cast<std::size_t>(pair[0].integer(0, last))] += count;
        chain.flows_ += count;
    }
    if (chain.empty()) json.fail("has no start");
    chain.longest_ = static_cast<std::uint64_t>(json.at("longest").integer(1, max_flow_packets));
    return chain;
}

}  // namespace tracebench
