#include "traffic/tcp_analysis.h"

#include <algorithm>

#include "traffic/bytes.h"

namespace tracebench {
namespace {

/// RFC 9293 section 3.4: comparison modulo 2^32.
bool before(std::uint32_t a, std::uint32_t b) {
    return static_cast<std::int32_t>(a - b) < 0;
}

bool has(const TcpSegment& s, unsigned flags) {
    return (s.flags & flags) != 0;
}
bool is_pure_syn(const TcpSegment& s) {
    return (s.flags & (tcp_flag::syn | tcp_flag::ack)) == tcp_flag::syn;
}
/// SYN and FIN count as one byte of sequence space each; nobody sends both.
std::uint32_t sequence_length(const TcpSegment& s) {
    return s.length + (has(s, tcp_flag::syn | tcp_flag::fin) ? 1 : 0);
}
/// Whether `later` is less than `limit` after `earlier`. A clock that went back says no.
bool within(std::int64_t earlier, std::int64_t later, std::int64_t limit) {
    return later >= earlier && later - earlier < limit;
}

constexpr std::int64_t fast_retransmission_ns = 20'000'000;
constexpr std::int64_t reordering_ns = 3'000'000;  // where no round-trip time is known

}  // namespace

TcpSegment tcp_segment(const Headers& h, std::int64_t time_ns, std::uint32_t frame_length) {
    const std::uint8_t* const tcp = h.tcp();
    const std::uint32_t end = std::min(h.ip_end, std::max(frame_length, h.captured));
    const std::uint32_t payload = h.transport_offset + (tcp[12] >> 4) * 4U;
    TcpSegment s;
    s.time_ns = time_ns;
    s.sequence = load32(tcp + 4);
    s.acknowledgement = load32(tcp + 8);
    s.window = load16(tcp + 14);
    s.flags = tcp[13];
    s.length_known = payload <= end && !h.is_fragment();
    s.length = s.length_known ? end - payload : 0;
    return s;
}

bool TcpAnalysis::restarted_by(unsigned direction, const TcpSegment& segment) const {
    const Side& from = sides_[direction];
    return is_pure_syn(segment) && from.initial_known && from.initial != segment.sequence;
}

void TcpAnalysis::add(unsigned direction, const TcpSegment& s) {
    Side& from = sides_[direction];
    Side& to = sides_[1 - direction];
    // A reset may have carried any sequence number; the repeated SYN tells where its sender stands.
    if (is_pure_syn(s) && from.initial_known && from.initial == s.sequence) from.next = from.contiguous;
    if (s.length_known) {
        learn_initial_numbers(from, to, s);
        const Special special = classify(from, to, s);
        if (s.acknowledgement != from.acknowledged) from.duplicate_acks = 0;
        // An acknowledgement of what was never seen: bytes were lost before the capture point.
        if (to.contiguous != 0 && has(s, tcp_flag::ack) && before(to.contiguous, s.acknowledgement)) {
            if (before(to.contiguous, to.next)) {
                to.contiguous = to.next;
            } else {
                to.duplicate_acks = unseen;
            }
        }
        if (sequence_length(s) > 0 && special != Special::keep_alive) count_duplicates(from, to, s);
        advance(from, s, special);
    }
    track_state(direction, s);
}

void TcpAnalysis::learn_initial_numbers(Side& from, Side& to, const TcpSegment& s) {
    const bool syn_ack = has(s, tcp_flag::syn) && has(s, tcp_flag::ack);
    if (!from.initial_known || syn_ack) from.initial = has(s, tcp_flag::syn) ? s.sequence : s.sequence - 1;
    from.initial_known = true;
    if (!to.initial_known && has(s, tcp_flag::ack)) {
        to.initial = s.acknowledgement - 1;
        to.initial_known = true;
    }
}

/// Recognises keep-alives, zero-window probes and duplicate acknowledgements, and counts the first and last.
TcpAnalysis::Special TcpAnalysis::classify(Side& from, const Side& to, const TcpSegment& s) {
    if (s.length == 1 && s.sequence == from.next && to.window == 0) return Special::zero_window_probe;
    const bool ordinary = !has(s, tcp_flag::syn | tcp_flag::fin | tcp_flag::rst);
    if (!ordinary) return Special::none;
    const Special special =
        s.length <= 1 && s.sequence == from.next - 1 ? Special::keep_alive : Special::none;
    keep_alives_ += special == Special::keep_alive;
    zero_windows_ += s.window == 0;
    const bool repeats = s.length == 0 && s.window == from.window && s.sequence == from.next &&
                         s.acknowledgement == from.acknowledged;
    const bool answers_keep_alive = to.last == Special::keep_alive;
    if (repeats && s.window != 0 && !answers_keep_alive) {
        from.duplicate_acks = from.duplicate_acks == unseen ? 1 : from.duplicate_acks + 1;
        ++duplicate_acks_;
    }
    return special;
}

/// Retransmission or reordering, for a segment that occupies sequence space.
void TcpAnalysis::count_duplicates(const Side& from, const Side& to, const TcpSegment& s) {
    // Nothing new where it begins before what was sent; one byte before may have been a probe of a
    // closed window, after which the sender goes on from there.
    bool repeats = from.next != 0 && before(s.sequence, from.next);
    if (s.length > 1 && s.sequence == from.next - 1) repeats = false;

    const bool acknowledged_before =
        s.length > 0 && to.acknowledged != 0 && !before(to.acknowledged, s.sequence + s.length);
    if (acknowledged_before) {  // spurious retransmission
        ++retransmissions_;
        return;
    }
    if (!repeats) return;
    // Fast retransmission; Wireshark takes `unseen` for many duplicates.
    const bool asked_for = to.duplicate_acks >= 2 && to.acknowledged == s.sequence &&
                           within(to.last_time_ns, s.time_ns, fast_retransmission_ns);
    const bool late = within(from.next_time_ns, s.time_ns, rtt_ns_ != 0 ? rtt_ns_ : reordering_ns) &&
                      from.next != s.sequence + sequence_length(s);
    ++(late && !asked_for ? out_of_order_ : retransmissions_);
}

void TcpAnalysis::advance(Side& from, const TcpSegment& s, Special special) {
    const std::uint32_t end = s.sequence + sequence_length(s);
    if (special != Special::zero_window_probe) {
        if (from.next == 0 || before(from.next, end)) {
            from.next = end;
            from.next_time_ns = s.time_ns;
        }
        if (from.contiguous == 0 || s.sequence == from.contiguous) from.contiguous = from.next;
    }
    from.window = s.window;
    from.acknowledged = s.acknowledgement;
    from.last_time_ns = s.time_ns;
    from.last = special;
}

void TcpAnalysis::track_state(unsigned direction, const TcpSegment& s) {
    const bool syn = has(s, tcp_flag::syn), ack = has(s, tcp_flag::ack);
    if (has(s, tcp_flag::rst)) reset_ = true;
    if (has(s, tcp_flag::fin)) sides_[direction].fin = true;
    if (syn && !ack) syn_seen_ = true, syn_time_ns_ = s.time_ns;
    if (!syn && ack && syn_seen_ && rtt_ns_ == 0) rtt_ns_ = s.time_ns - syn_time_ns_;

    const bool from_opener = direction == opener_;
    if (syn && !ack && handshake_ <= Handshake::syn) {
        handshake_ = Handshake::syn;
        opener_ = static_cast<std::uint8_t>(direction);
        syn_sequence_ = s.sequence;
    } else if (syn && ack && !from_opener && handshake_ == Handshake::syn &&
               before(syn_sequence_, s.acknowledgement)) {
        handshake_ = Handshake::syn_ack;
        syn_ack_sequence_ = s.sequence;
    } else if (!syn && ack && from_opener && handshake_ == Handshake::syn_ack &&
               before(syn_ack_sequence_, s.acknowledgement)) {
        handshake_ = Handshake::done;
    }
}

std::optional<double> TcpAnalysis::rtt_ms() const {
    if (!handshake()) return std::nullopt;
    return static_cast<double>(rtt_ns_) * 1e-6;
}

}  // namespace tracebench
