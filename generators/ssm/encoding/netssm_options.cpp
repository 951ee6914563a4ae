#include "generators/ssm/encoding/netssm_options.h"

#include <algorithm>

#include "generators/ssm/encoding/netssm_segment.h"
#include "traffic/bytes.h"
#include "traffic/rules/tcp_options.h"

namespace tracebench::ssm {
namespace {

namespace option = tcp_option;

constexpr std::uint32_t timestamps_length = 10, sack_block = 8;

/// Not before the sender's last, and no further than a clock of 1 kHz gets before the conversation would be
/// over for its silence (RFC 7323 section 5.4).
NumberSet next_timestamps(const TcpSide& me) {
    if (!me.timestamped) return NumberSet::any();
    constexpr std::uint32_t ticks_per_second = 1000;
    const auto most = static_cast<std::uint32_t>(FlowOptions{}.tcp_idle_s) * ticks_per_second;
    // Comparisons with the first are meaningful over half of the numbers only.
    const std::uint32_t room = me.first_timestamp + INT32_MAX - me.last_timestamp;
    NumberSet set;
    set.add_range(me.last_timestamp, me.last_timestamp + std::min(most, room));
    return set;
}

NumberSet echoed_timestamps(const FlowEnd& end, bool ack) {
    NumberSet set;
    const TcpSide& peer = end.peer();
    if (ack && peer.timestamped) {
        set.add_range(peer.first_timestamp, peer.last_timestamp);
    } else {
        set.add(0);
    }
    return set;
}

}  // namespace

void OptionGrammar::begin(const FlowEnd& end, const SegmentFields& segment, std::uint32_t size) {
    *this = OptionGrammar{};
    end_ = end;
    segment_ = segment;
    size_ = size;
    const FlowState& state = end.state();
    const bool syn = segment.has(tcp_flag::syn), ack = segment.has(tcp_flag::ack);
    const bool agreed = timestamps_agreed(state);
    timestamps_due_ = agreed && !syn && !segment.has(tcp_flag::rst);
    timestamps_legal_ = syn ? !ack || end.peer().offered_timestamps : agreed || !state.negotiated();
    timestamps_ = next_timestamps(end.own());
    echoes_ = echoed_timestamps(end, ack);
    const bool permitted = end.peer().offered_sack || !state.negotiated();
    sack_legal_ = !syn && ack && permitted && end.peer().seen && !sack_edge(0).empty();
}

ByteSet OptionGrammar::allowed() const {
    if (lost_) return all_bytes();
    if (ended_) return one_byte(option::end);
    if (!inside_) return kinds();
    if (at_ > start_ + 1) return value_byte(at_ - start_);
    ByteSet lengths;
    for (std::uint32_t length = 2; length <= 40; ++length)
        if (legal_length(bytes_[start_], length)) lengths.set(length);
    return lengths;
}

ByteSet OptionGrammar::kinds() const {
    ByteSet kinds;
    if (fits(1)) kinds.set(option::nop);
    if (!timestamps_due_) kinds.set(option::end);
    for (std::size_t kind = 2; kind < 256; ++kind)
        for (std::uint32_t length = 2; length <= left() && !kinds[kind]; ++length)
            if (legal_length(static_cast<std::uint8_t>(kind), length)) kinds.set(kind);
    return kinds;
}

bool OptionGrammar::legal_length(std::uint8_t kind, std::uint32_t length) const {
    if (kind == option::timestamps)
        return length == timestamps_length && left() + (at_ - start_) * inside_ >= length &&
               timestamps_legal_ && is_new(kind);
    // The kind byte of the option that is being written is behind us.
    if (!fits(length - inside_)) return false;
    const bool syn = segment_.has(tcp_flag::syn);
    const bool answer = syn && segment_.has(tcp_flag::ack);
    switch (kind) {
        case option::mss:
            return length == 4 && syn && is_new(kind);
        case option::window_scale:
            return length == 3 && syn && is_new(kind) && (!answer || end_.peer().window_scale >= 0);
        case option::sack_permitted:
            return length == 2 && syn && is_new(kind) && (!answer || end_.peer().offered_sack);
        case option::sack: {
            if (!sack_legal_ || !is_new(kind) || length < 10 || length > 34 || length % sack_block != 2)
                return false;
            return length == 10 || !sack_edge(2).empty();
        }
        case option::md5:
            return length == 18;
        case option::user_timeout:
            return length == 4;
        case option::authentication:
        case option::experiment_1:
        case option::experiment_2:
            return length >= 4;
        case option::multipath:
            return length >= 3;
        case option::fast_open:
            return syn && (length == 2 || (length >= 6 && length <= 18 && length % 2 == 0));
        default:
            return false;
    }
}

/// A left edge (even) or right edge (odd) of a block: in what the peer has sent, above the acknowledgement
/// but for a first block, which may report what was received twice (RFC 2883 section 4).
NumberSet OptionGrammar::sack_edge(std::uint32_t number) const {
    const TcpSide& me = end_.own();
    const TcpSide& peer = end_.peer();
    std::uint32_t lowest = segment_.acknowledgement;
    if (number % 2 == 1) {
        lowest = load32(&bytes_[start_ + 2 + 4 * (number - 1)]) + 1;
    } else if (number == 0) {
        const std::uint32_t window = std::max(me.largest_window, 65535U);
        const bool whole = end_.state().from_start && lowest - (peer.initial_sequence + 1) < window;
        lowest = whole ? peer.initial_sequence + 1 : lowest - window;
    }
    const std::uint32_t highest = number % 2 == 1 ? peer.next : peer.next - 1;
    NumberSet set;
    if (sequence_distance(highest, lowest) >= 0) set.add_range(lowest, highest);
    return set;
}

ByteSet OptionGrammar::value_byte(std::uint32_t offset) const {
    const std::uint8_t kind = bytes_[start_];
    const std::uint32_t value = offset - 2;  // bytes of the value before this one
    const auto number = [&](const NumberSet& set) {
        return set.next_byte(std::span(bytes_).subspan(at_ - value % 4, value % 4));
    };
    ByteSet bytes = all_bytes();
    switch (kind) {
        case option::mss:
            if (value == 1 && bytes_[at_ - 1] == 0) bytes.reset(0);
            return bytes;
        case option::window_scale: {
            constexpr std::size_t largest = 14;  // RFC 7323 section 2.3
            for (std::size_t scale = largest + 1; scale < bytes.size(); ++scale) bytes.reset(scale);
            return bytes;
        }
        case option::timestamps:
            return number(value < 4 ? timestamps_ : echoes_);
        case option::sack:
            return number(sack_edge(value / 4));
        default:
            return bytes;
    }
}

void OptionGrammar::accept(std::uint8_t byte) {
    if (at_ >= size_) return;
    bytes_[at_++] = byte;
    if (lost_ || ended_) return;
    if (!inside_) {
        ended_ = byte == option::end;
        if (byte == option::end || byte == option::nop) return;
        inside_ = true;
        start_ = at_ - 1;
        length_ = 0;
        return;
    }
    const std::uint8_t kind = bytes_[start_];
    if (at_ - start_ == 2) {
        length_ = byte;
        lost_ = length_ < 2 || length_ > size_ - start_;
        if (lost_) return;
        if (kind <= option::timestamps) seen_ |= 1U << kind;
        if (kind == option::timestamps) timestamps_due_ = false;
    }
    inside_ = at_ - start_ < length_;
}

}  // namespace tracebench::ssm
