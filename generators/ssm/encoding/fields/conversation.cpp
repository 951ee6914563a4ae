#include "generators/ssm/encoding/fields/conversation.h"

#include <algorithm>
#include <cmath>

#include "generators/ssm/encoding/fields/extent.h"
#include "traffic/bytes.h"
#include "traffic/rules/rule_packet.h"

namespace tracebench::ssm {
namespace {

constexpr std::uint16_t usual_mss4 = 1460, usual_mss6 = 1440;

PacketClass class_of(const Record& record, std::uint32_t full) {
    if (record.has(tcp_flag::rst)) return PacketClass::reset;
    if (record.has(tcp_flag::syn)) return PacketClass::syn;
    if (record.has(tcp_flag::fin)) return PacketClass::fin;
    if (record.fields.payload_length == 0) return PacketClass::acknowledgement;
    return record.tcp() && record.fields.payload_length < full ? PacketClass::data : PacketClass::full_data;
}

int fins_sent(const FlowState& rules) {
    return (rules.side[0].fin ? 1 : 0) + (rules.side[1].fin ? 1 : 0);
}

}  // namespace

std::uint32_t TimestampClock::predict(std::int64_t time_ns) const {
    const double ticks = static_cast<double>(time_ns - last_ns_) * 1e-9 * rate_hz_;
    return last_ + static_cast<std::uint32_t>(static_cast<std::int64_t>(std::clamp(ticks, 0.0, 4e9)));
}

std::uint32_t TimestampClock::tolerance(std::int64_t time_ns) const {
    return 2 + (predict(time_ns) - last_) / 8;
}

void TimestampClock::update(std::uint32_t value, std::int64_t time_ns) {
    if (!started_) {
        started_ = true;
        first_ = last_ = value;
        first_ns_ = last_ns_ = time_ns;
        return;
    }
    if (sequence_distance(value, last_) <= 0) return;
    last_ = value;
    last_ns_ = time_ns;
    const double seconds = static_cast<double>(time_ns - first_ns_) * 1e-9;
    if (seconds < 0.25) return;
    const double seen = static_cast<double>(value - first_) / seconds;
    constexpr double rates[] = {1, 10, 100, 250, 1000, 1e6};
    rate_hz_ = *std::min_element(std::begin(rates), std::end(rates), [&](double a, double b) {
        return std::abs(std::log(seen / a)) < std::abs(std::log(seen / b));
    });
}

Phase Conversation::phase() const {
    const TcpSide &forward = rules.side[0], &reverse = rules.side[1];
    if (forward.rst || reverse.rst) return Phase::reset;
    if (forward.fin && reverse.fin) return Phase::closed;
    if (forward.fin) return Phase::half_closed_forward;
    if (reverse.fin) return Phase::half_closed_reverse;
    if (!rules.from_start) return Phase::unknown;
    if (rules.established) return Phase::open;
    return forward.syn && reverse.syn ? Phase::answered : Phase::opening;
}

Ending Conversation::ending() const {
    if (rules.side[0].rst || rules.side[1].rst) return Ending::reset;
    const int fins = fins_sent(rules);
    return fins == 2 ? Ending::closed : fins == 1 ? Ending::half_closed : Ending::open;
}

int Conversation::told_left() const {
    return left_octave(left()) * endings + static_cast<int>(plan.ending);
}

bool Conversation::has_ended(std::int64_t time_ns) const {
    const double idle_s = static_cast<double>(time_ns - last_ns) * 1e-9;
    return packets > 0 && idle_s > (tcp() ? FlowOptions{}.tcp_idle_s : FlowOptions{}.udp_idle_s);
}

bool Conversation::is_over(std::int64_t time_ns) const {
    return has_ended(time_ns + (time_ns - last_ns) / 100);
}

bool Conversation::is_finished(Direction d) const {
    const TcpSide &me = rules.own(d), &peer = rules.peer(d);
    return me.fin && peer.acknowledged && sequence_distance(peer.acknowledgement, me.fin_end) >= 0;
}

bool Conversation::is_closed() const {
    return tcp() && (ending() == Ending::reset ||
                     (is_finished(Direction::forward) && is_finished(Direction::reverse)));
}

int Conversation::packets_to_end() const {
    if (!tcp() || is_closed()) return 0;
    const int fins = fins_sent(rules);
    switch (plan.ending) {
        case Ending::open:
            return 0;
        case Ending::half_closed:
            return fins == 0 ? 1 : 0;
        case Ending::closed:  // FIN, FIN with acknowledgement, acknowledgement
            if (fins < 2) return 3 - fins;
            return (is_finished(Direction::forward) ? 0 : 1) + (is_finished(Direction::reverse) ? 0 : 1);
        case Ending::reset:
            return 1;
    }
    return 0;
}

bool Conversation::may_end(Direction d) const {
    if (plan.ending != Ending::closed) return true;
    const TcpSide &me = rules.own(d), &peer = rules.peer(d);
    return !me.fin || (peer.fin && !is_finished(opposite(d)));
}

bool Conversation::is_between_hosts() const {
    return address_kind(ends[0].address) != AddressKind::fixed &&
           address_kind(ends[1].address) != AddressKind::fixed;
}

bool Conversation::tells_left(bool elsewhere) const {
    return elsewhere || left_octave(left()) != left_octave(left() + 1);
}

int Conversation::state(Direction d) const {
    const int same = last == d ? 1 : 0;
    if (tcp())
        return ((static_cast<int>(phase()) * 2 + same) * packet_classes + static_cast<int>(last_class)) *
                   unanswered_counts +
               static_cast<int>(std::min<std::uint32_t>(own(d).unanswered, unanswered_counts - 1));
    const int count = packets <= 1 ? 0 : packets == 2 ? 1 : packets <= 4 ? 2 : packets <= 16 ? 3 : 4;
    return tcp_states + same * datagram_counts + count;
}

std::uint32_t Conversation::segment_size(Direction d, const OptionList& options) const {
    const std::uint16_t announced = peer(d).mss;
    const int mss = announced != 0 ? announced : version() == 4 ? usual_mss4 : usual_mss6;
    return static_cast<std::uint32_t>(std::max(1, mss - (options.size() + 3) / 4 * 4));
}

void Conversation::update(const Record& record, Direction d) {
    const PacketFields& f = record.fields;
    Sender& me = senders[static_cast<int>(d)];
    last_class = class_of(record, record.tcp() ? segment_size(d, record.options) : 1);
    last = d;
    ++packets;
    me.unanswered = 0;
    if (f.payload_length > 0 || (record.tcp() && (record.has(tcp_flag::syn) || record.has(tcp_flag::fin))))
        ++senders[1 - static_cast<int>(d)].unanswered;
    if (record.tcp()) {
        const bool syn = record.has(tcp_flag::syn), rst = record.has(tcp_flag::rst);
        if (syn && record.options.has(code::mss_option)) me.mss = record.option_values.mss;
        if (f.payload_length > 0) {
            if (me.starts.count() == 0 || me.starts.at(0) != f.sequence) me.starts.push(f.sequence);
            me.last_length = f.payload_length;
        }
        const std::uint32_t end = f.sequence + f.payload_length + (syn || record.has(tcp_flag::fin) ? 1 : 0);
        if (end != f.sequence && !rst && (me.ends.count() == 0 || me.ends.at(0) != end)) me.ends.push(end);
        if (!rst) me.windows.touch(f.window);
        if (record.options.has(code::timestamps)) {
            const OptionValues& values = record.option_values;
            const bool first = me.clock_values.count() == 0;
            me.clock.update(values.timestamp, record.time_ns);
            if (first || me.clock_values.at(0) != values.timestamp) me.clock_values.push(values.timestamp);
            // The receiver echoes the oldest segment that it has not acknowledged, not the latest.
            const TcpSide& receiver = rules.peer(d);
            std::uint32_t& recent = senders[1 - static_cast<int>(d)].recent_timestamp;
            const bool next =
                (!receiver.acknowledged || sequence_distance(f.sequence, receiver.acknowledgement) <= 0) &&
                sequence_distance(values.timestamp, recent) >= 0;
            if (first || next) recent = values.timestamp;
        }
        if (!syn && !rst && record.options.sack_blocks() == 0) {
            me.options = record.options;
            me.options_known = true;
        }
        me.last_was_syn = syn;
    } else {
        me.last_length = f.payload_length;
        me.icmp_rest = f.icmp_rest;
        if (record.udp()) {
            if (me.payload.size() >= word_offset + 4 && f.payload.size() >= word_offset + 4) {
                const std::uint32_t step = load32(&f.payload[word_offset]) - load32(&me.payload[word_offset]);
                if (step != 0) me.payload_step = step;
            }
            me.payload = f.payload;
        }
    }
    std::vector<std::uint8_t> start = build_headers(record);
    if (record.udp()) start.insert(start.end(), f.payload.begin(), f.payload.end());
    const RulePacket seen =
        read_rule_packet({record.time_ns, record.wire_bytes(), link_type::ethernet, 0, start});
    if (const auto segment = read_segment(seen)) {
        rules.add(*segment, d);
    } else if (record.udp()) {
        if (may_have_flow_rules(seen)) rules.add_datagram(seen, d);
    } else {
        rules.add_icmp(seen, d);
    }
    last_ns = record.time_ns;
    me.ip_id = f.ip_id;
    me.ttl = f.ttl;
    me.tos = f.tos;
    me.dont_fragment = f.dont_fragment;
    me.flow_label = f.flow_label;
    me.src_mac = f.src_mac;
    me.dst_mac = f.dst_mac;
    if (const std::uint32_t bare = record.wire_bytes() - record.trailer; bare < 60)
        me.pads = record.trailer == 60 - bare;
    me.seen = true;
}

}  // namespace tracebench::ssm
