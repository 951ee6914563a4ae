#include "traffic/tcp_analysis.h"

#include "traffic/bytes.h"

namespace tracebench {
namespace {

/// RFC 9293 section 3.4: comparison modulo 2^32.
bool before(std::uint32_t a, std::uint32_t b) { return static_cast<std::int32_t>(a - b) < 0; }

}  // namespace

TcpSegment tcp_segment(std::int64_t time_ns, const Headers& h) {
    const std::uint8_t* const tcp = h.tcp();
    return {time_ns, load32(tcp + 4), load32(tcp + 8), h.payload_length(), load16(tcp + 14), tcp[13]};
}

bool TcpAnalysis::restarted_by(unsigned direction, const TcpSegment& segment) const {
    const bool pure_syn = (segment.flags & (tcp_flag::syn | tcp_flag::ack)) == tcp_flag::syn;
    const Side& own = sides_[direction];
    return pure_syn && own.base_known && own.base_sequence != segment.sequence;
}

void TcpAnalysis::track_handshake(unsigned direction, const TcpSegment& s) {
    const bool syn = (s.flags & tcp_flag::syn) != 0, ack = (s.flags & tcp_flag::ack) != 0;
    if (s.flags & tcp_flag::rst) reset_ = true;
    if (s.flags & tcp_flag::fin) sides_[direction].fin = true;
    if (syn && !ack && handshake_ <= Handshake::syn) {
        handshake_ = Handshake::syn;
        opener_ = static_cast<std::uint8_t>(direction);
        syn_time_ = s.time_ns;
    } else if (syn && ack && direction != opener_ && handshake_ == Handshake::syn) {
        handshake_ = Handshake::syn_ack;
        syn_ack_sequence_ = s.sequence;
    } else if (!syn && ack && direction == opener_ && handshake_ == Handshake::syn_ack &&
               s.acknowledgement == syn_ack_sequence_ + 1) {
        handshake_ = Handshake::done;
        rtt_ns_ = s.time_ns - syn_time_;
    }
}

void TcpAnalysis::add(unsigned direction, const TcpSegment& s) {
    Side& own = sides_[direction];
    track_handshake(direction, s);
    const bool syn_or_fin = (s.flags & (tcp_flag::syn | tcp_flag::fin)) != 0;
    if (!own.base_known) {
        own.base_known = true;
        own.base_sequence = (s.flags & tcp_flag::syn) ? s.sequence : s.sequence - 1;
    }
    const std::uint32_t end = s.sequence + s.length + (syn_or_fin ? 1 : 0);
    if ((s.length > 0 || syn_or_fin) && own.next_sequence != 0 && before(s.sequence, own.next_sequence))
        ++retransmissions_;
    if (own.next_sequence == 0 || before(own.next_sequence, end)) own.next_sequence = end;
}

std::optional<double> TcpAnalysis::rtt_ms() const {
    if (!handshake()) return std::nullopt;
    return static_cast<double>(rtt_ns_) * 1e-6;
}

}  // namespace tracebench
