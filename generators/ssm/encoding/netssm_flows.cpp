#include "generators/ssm/encoding/netssm_flows.h"

namespace tracebench::ssm {
namespace {

std::string_view text(const std::uint8_t* bytes, std::size_t size) {
    return {reinterpret_cast<const char*>(bytes), size};
}

constexpr std::uint32_t most_missing = 16;  ///< segments of one gap

/// Before the segment is added to the flow's state.
void remember(LiveFlow& flow, const SegmentFields& segment, Direction direction) {
    const TcpSide& me = flow.state.own(direction);
    SentSegments& sent = flow.sent[static_cast<std::size_t>(direction)];
    if (segment.has(tcp_flag::rst)) return;
    if (me.seen && sent.largest > 0 && !segment.has(tcp_flag::syn))
        for (std::uint32_t i = 0, at = me.next;
             i < most_missing && sequence_distance(segment.sequence, at) > 0; ++i, at += sent.largest)
            sent.missing.add(at);
    if (segment.payload > 0 || segment.has(tcp_flag::fin)) sent.begins.add(segment.sequence);
    sent.largest = std::max(sent.largest, segment.payload);
}

TupleBytes reversed(std::string_view tuple) {
    const std::size_t address = (tuple.size() - 4) / 2;
    TupleBytes result(tuple.substr(address, address));
    result += tuple.substr(0, address);
    result += tuple.substr(2 * address + 2, 2);
    result += tuple.substr(2 * address, 2);
    return result;
}

}  // namespace

FlowEnd new_flow() {
    static const LiveFlow empty;
    return {&empty, Direction::forward};
}

TupleBytes tuple_of(const RulePacket& packet) {
    const bool v4 = packet.network_layer == RuleLayer::ipv4;
    TupleBytes tuple(v4 ? text(packet.net() + 12, 8) : text(packet.net() + 8, 32));
    tuple += text(packet.segment(), 4);
    return tuple;
}

void LiveFlows::expire(std::int64_t now_ns) {
    static const auto idle_ns = static_cast<std::int64_t>(FlowOptions{}.tcp_idle_s * 1e9);
    now_ns_ = now_ns;
    while (!flows_.empty() && now_ns - flows_.front().last_ns > idle_ns) forget_oldest();
}

void LiveFlows::forget_oldest() {
    places_.erase(flows_.front().forward);
    places_.erase(flows_.front().reverse);
    flows_.pop_front();
}

std::optional<FlowEnd> LiveFlows::find(std::string_view tuple) const {
    const auto found = places_.find(tuple);
    if (found == places_.end()) return std::nullopt;
    return FlowEnd{&*found->second.flow, found->second.direction};
}

void LiveFlows::add(std::string_view tuple, const SegmentFields& segment) {
    auto found = places_.find(tuple);
    if (found == places_.end()) {
        if (flows_.size() >= limit_) forget_oldest();
        const auto flow = flows_.emplace(flows_.end());
        flow->forward = tuple;
        flow->reverse = reversed(tuple);
        found = places_.emplace(TupleBytes(tuple), Place{flow, Direction::forward}).first;
        // A host that talks to itself from and to one port has one direction only.
        places_.emplace(flow->reverse, Place{flow, Direction::reverse});
    }
    const Place place = found->second;
    flows_.splice(flows_.end(), flows_, place.flow);
    place.flow->last_ns = now_ns_;
    remember(*place.flow, segment, place.direction);
    place.flow->state.add(segment, place.direction);
}

LiveFlows::Datagrams LiveFlows::datagrams(std::string_view tuple) {
    const TupleBytes back = reversed(tuple);
    const bool forward = tuple <= back;
    if (datagrams_.size() >= limit_) datagrams_.clear();
    FlowState& state = datagrams_[forward ? TupleBytes(tuple) : back];
    return {state, forward ? Direction::forward : Direction::reverse};
}

}  // namespace tracebench::ssm
