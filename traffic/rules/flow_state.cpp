#include "traffic/rules/flow_state.h"

#include <algorithm>
#include <cstring>

#include "traffic/rules/answers.h"
#include "traffic/rules/tcp_options.h"

namespace tracebench {
namespace {

constexpr int largest_scale = 14;  // RFC 7323 section 2.3

void read_options(const std::uint8_t* bytes, std::uint32_t size, SegmentFields& s) {
    TcpOptions options(bytes, size);
    while (options.next()) {
        const std::uint8_t* const value = options.value();
        switch (options.kind()) {
            case tcp_option::window_scale:
                if (options.length() == 3)
                    s.window_scale = static_cast<std::int8_t>(std::min<int>(value[0], largest_scale));
                break;
            case tcp_option::mss:
                if (options.length() == 4) s.mss = load16(value);
                break;
            case tcp_option::sack_permitted:
                s.sack_permitted = true;
                break;
            case tcp_option::timestamps:
                if (options.length() != 10) break;
                s.timestamps = true;
                s.timestamp = load32(value);
                s.timestamp_echo = load32(value + 4);
                break;
            case tcp_option::sack:
                s.sack_blocks =
                    static_cast<std::uint8_t>(std::min<std::uint32_t>((options.length() - 2) / 8, 4));
                for (std::size_t i = 0; i < s.sack_blocks * 2U; ++i) s.sack[i] = load32(value + 4 * i);
                break;
            case tcp_option::fast_open:
            case tcp_option::experiment_1:
            case tcp_option::experiment_2:
                s.fast_open = true;
                break;
            default:
                break;
        }
    }
    s.options_known = !options.malformed();
}

/// Of the first 64 bytes of payload, or as many as there are (FNV-1a over words of 8 bytes).
void hash_payload(const RulePacket& p, std::uint32_t offset, SegmentFields& s) {
    constexpr std::uint32_t most = 64;
    const std::uint32_t size = std::min(s.payload, most);
    if (size == 0 || !p.captured(offset, size)) return;
    std::uint64_t hash = 0xCBF29CE484222325, any = 0;
    for (std::uint32_t at = 0; at < size; at += 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, p.at(offset + at), std::min<std::size_t>(8, size - at));
        hash = (hash ^ word) * 0x100000001B3;
        any |= word;
        if (at == 0 && word != 0 && size >= 8)
            s.start_hash = static_cast<std::uint32_t>(hash ^ hash >> 32) | 1;
    }
    s.payload_start = static_cast<std::uint8_t>(size);
    s.payload_hash = any == 0 ? 0 : static_cast<std::uint32_t>(hash ^ hash >> 32) | 1;
}

/// Adds [begin, end) to what was seen, and moves `contiguous` over it where it touches.
void note_bytes(TcpSide& side, std::uint32_t begin, std::uint32_t end) {
    if (sequence_distance(begin, side.contiguous) > 0) {
        std::uint8_t i = 0;
        while (i < side.island_count && sequence_distance(side.islands[i].end, begin) < 0) ++i;
        if (i < side.island_count && sequence_distance(side.islands[i].begin, end) <= 0) {
            TcpSide::Range& island = side.islands[i];
            if (sequence_distance(begin, island.begin) < 0) island.begin = begin;
            if (sequence_distance(end, island.end) > 0) island.end = end;
            return;
        }
        if (side.island_count == side.islands.size()) {
            // Out of room: the first gap is given up as filled rather than the memory bounded wrongly.
            side.contiguous = side.islands[0].end;
            std::copy(side.islands.begin() + 1, side.islands.end(), side.islands.begin());
            --side.island_count;
            i = i == 0 ? 0 : static_cast<std::uint8_t>(i - 1);
            if (sequence_distance(begin, side.contiguous) <= 0) {
                note_bytes(side, begin, end);
                return;
            }
        }
        std::copy_backward(side.islands.begin() + i, side.islands.begin() + side.island_count,
                           side.islands.begin() + side.island_count + 1);
        side.islands[i] = {begin, end};
        ++side.island_count;
        return;
    }
    if (sequence_distance(end, side.contiguous) > 0) side.contiguous = end;
    std::uint8_t used = 0;
    while (used < side.island_count && sequence_distance(side.islands[used].begin, side.contiguous) <= 0) {
        if (sequence_distance(side.islands[used].end, side.contiguous) > 0)
            side.contiguous = side.islands[used].end;
        ++used;
    }
    std::copy(side.islands.begin() + used, side.islands.begin() + side.island_count, side.islands.begin());
    side.island_count = static_cast<std::uint8_t>(side.island_count - used);
}

/// The numbers go on from elsewhere: follow them, or everything after would fail.
void restart_sequence(TcpSide& side, const SegmentFields& s) {
    side.next = side.contiguous = side.sent = s.sequence;
    side.acknowledged_unseen = false;
    side.island_count = 0;
}

void note_sequence(TcpSide& side, const SegmentFields& s) {
    const std::uint32_t end = s.next_sequence();
    if (!side.seen) {
        side.seen = true;
        side.next = side.contiguous = side.sent = end;
        side.initial_sequence = s.sequence;
        return;
    }
    if (end != s.sequence) note_bytes(side, s.sequence, end);
    if (sequence_distance(end, side.next) > 0) side.next = end;
    if (sequence_distance(end, side.sent) > 0) side.sent = end;
    if (sequence_distance(side.sent, side.next) >= 0) side.acknowledged_unseen = false;
}

}  // namespace

std::optional<SegmentFields> read_segment(const RulePacket& p) {
    if (p.state(RuleLayer::tcp) != LayerState::readable || p.headers.more_fragments) return std::nullopt;
    const std::uint8_t* const tcp = p.segment();
    const std::uint32_t header = (tcp[12] >> 4) * 4U;
    if (header < 20 || header > p.segment_length()) return std::nullopt;
    SegmentFields s;
    s.time_ns = p.packet.time_ns;
    s.sequence = load32(tcp + 4);
    s.acknowledgement = load32(tcp + 8);
    s.flags = tcp[13];
    s.window = load16(tcp + 14);
    s.payload = p.segment_length() - header;
    s.options_size = static_cast<std::uint8_t>(header - 20);
    if (p.captured(p.transport, header)) read_options(tcp + 20, header - 20, s);
    hash_payload(p, p.transport + header, s);
    return s;
}

std::uint32_t FlowState::slack(Direction d) const {
    constexpr std::uint32_t unscaled = 65535;
    const TcpSide& other = peer(d);
    // Of a conversation seen from one side only, nothing tells the window: 16 MiB is a large one.
    return other.acknowledged ? std::max(other.largest_window, unscaled) : 1U << 24;
}

int FlowState::scale(const SegmentFields& s, Direction d) const {
    if (s.has(tcp_flag::syn)) return 0;
    if (!negotiated()) return largest_scale;  // as far as is known
    return peer(d).window_scale >= 0 ? std::max<int>(own(d).window_scale, 0) : 0;
}

bool FlowState::plausible_acknowledgement(const SegmentFields& s, Direction d) const {
    const TcpSide& other = peer(d);
    if (!other.seen) return true;
    const std::int64_t ahead = sequence_distance(s.acknowledgement, other.next);
    const std::uint32_t window = std::max(own(d).largest_window, std::uint32_t{s.window} << scale(s, d));
    const std::int64_t limit = std::max(window, 65535U);
    return ahead <= limit && -ahead <= limit;
}

void FlowState::add_acknowledgement(const SegmentFields& s, Direction d) {
    TcpSide& me = side[static_cast<int>(d)];
    TcpSide& other = side[1 - static_cast<int>(d)];
    if (!plausible_acknowledgement(s, d)) return;
    if (other.seen && sequence_distance(s.acknowledgement, other.contiguous) > 0) {
        // The peer's bytes up to here exist, though the capture missed them.
        note_bytes(other, other.contiguous, s.acknowledgement);
        if (sequence_distance(s.acknowledgement, other.next) > 0) {
            other.next = s.acknowledgement;
            other.acknowledged_unseen = true;
            other.unseen_ns = s.time_ns;
        }
    }
    const std::uint32_t window = std::uint32_t{s.window} << scale(s, d);
    const std::uint32_t edge = s.acknowledgement + window;
    if (!me.acknowledged || sequence_distance(edge, me.window_edge) > 0) me.window_edge = edge;
    if (!me.acknowledged || sequence_distance(s.acknowledgement, me.acknowledgement) >= 0) {
        me.last_edge = edge;
        me.window_closed = s.window == 0;
    }
    if (!me.acknowledged || sequence_distance(s.acknowledgement, me.acknowledgement) > 0)
        me.acknowledgement = s.acknowledgement;
    me.largest_window = std::max(me.largest_window, window);
    me.acknowledged = true;
}

void FlowState::add(const SegmentFields& s, Direction d) {
    TcpSide& me = side[static_cast<int>(d)];
    TcpSide& other = side[1 - static_cast<int>(d)];
    const bool syn = s.has(tcp_flag::syn), ack = s.has(tcp_flag::ack), rst = s.has(tcp_flag::rst);
    if (packets++ == 0) {
        from_start = syn && !ack;
        initiator = d;
    }
    if (rst) {
        // A reset need not carry the sender's sequence number (RFC 9293 section 3.10.7.1).
        me.rst = true;
        return;
    }
    // Some middleboxes answer a SYN twice, with different numbers: the first answer is the one that counts.
    if (syn && me.syn && s.sequence != me.initial_sequence) return;
    if (syn && !me.syn) {
        me = TcpSide{};
        me.syn = true;
        me.initial_sequence = s.sequence;
        me.window_scale = s.window_scale;
        me.mss = s.mss;
        me.options_known = s.options_known;
        me.offered_sack = s.sack_permitted;
        me.offered_timestamps = s.timestamps;
        me.offered_ecn = s.has(tcp_flag::ece);
        if (s.payload > 0 || s.fast_open) fast_open = true;
    }
    const std::int64_t ahead = sequence_distance(s.sequence, me.next);
    if (me.seen && (ahead > slack(d) || -ahead > std::int64_t{slack(d)} + s.payload)) restart_sequence(me, s);
    const bool first = !me.seen;
    note_sequence(me, s);
    // What the peer has acknowledged before exists, though the capture began after it.
    const std::int32_t acknowledged = sequence_distance(other.acknowledgement, me.next);
    if (first && other.acknowledged && acknowledged > 0 && std::uint32_t(acknowledged) <= slack(d))
        me.next = me.contiguous = other.acknowledgement;
    if (s.payload_hash != 0) {
        me.recent[me.recent_at] = {s.sequence, s.payload_hash, s.start_hash, s.payload_start};
        me.recent_at = static_cast<std::uint8_t>((me.recent_at + 1U) % me.recent.size());
    }
    if (s.has(tcp_flag::fin) && !me.fin) {
        me.fin = true;
        me.fin_end = s.next_sequence();
    }
    if (ack) add_acknowledgement(s, d);
    if (s.timestamps) {
        if (!me.timestamped) me.first_timestamp = s.timestamp;
        if (!me.timestamped || sequence_distance(s.timestamp, me.last_timestamp) >= 0) {
            me.last_timestamp = s.timestamp;
            me.last_timestamp_ns = s.time_ns;
            // One of a microsecond a tick comes round within 72 minutes.
            constexpr std::int32_t comparable = std::int32_t{1} << 30;
            me.clock_ran_far |= sequence_distance(me.last_timestamp, me.first_timestamp) > comparable;
        }
        me.timestamped = true;
    }
    if (!syn && ack && d == initiator && from_start && other.syn) established = true;
}

std::optional<std::uint32_t> possible_rtp_source(const RulePacket& p) {
    constexpr std::uint16_t last_system_port = 1023;
    constexpr std::uint32_t udp_header = 8, rtp_header = 12;
    if (p.state(RuleLayer::udp) != LayerState::readable || p.headers.is_fragment()) return std::nullopt;
    const std::uint8_t* const udp = p.segment();
    if (load16(udp) <= last_system_port || load16(udp + 2) <= last_system_port) return std::nullopt;
    if (p.segment_length() < udp_header + rtp_header || !p.captured(p.transport, udp_header + rtp_header))
        return std::nullopt;
    if (udp[udp_header] >> 6 != 2) return std::nullopt;
    return load32(udp + udp_header + 8);
}

void FlowState::add_rtp(const RulePacket& p, Direction d) {
    const std::uint8_t* const header = p.segment() + 8;
    RtpSource& known = rtp[static_cast<int>(d)];
    const std::uint32_t source = load32(header + 8);
    const std::uint16_t sequence = load16(header + 2);
    if (known.in_order > 0 && known.source == source) {
        const auto ahead = static_cast<std::uint16_t>(sequence - known.sequence);
        if (ahead == 1 && known.in_order < RtpSource::proven) ++known.in_order;
        if (ahead != 1 && known.in_order < RtpSource::proven) known.in_order = 1;
        constexpr std::uint16_t half = 0x8000;
        if (ahead >= half) return;  // a late packet
    } else {
        // RTCP shares the port (RFC 5761), and so may other sources: they do not disprove a proven one.
        if (known.in_order == RtpSource::proven) return;
        known.in_order = 1;
    }
    known.source = source;
    known.sequence = sequence;
    known.payload_type = header[1] & 0x7F;
}

bool may_have_flow_rules(const RulePacket& p) {
    return possible_rtp_source(p) || request_of(p) || answer_of(p);
}

void FlowState::add_datagram(const RulePacket& p, Direction d) {
    ++packets;
    if (possible_rtp_source(p)) add_rtp(p, d);
    if (const auto request = request_of(p)) asked.add(*request, d);
}

void FlowState::add_icmp(const RulePacket& p, Direction d) {
    const bool v6 = p.transport_layer == RuleLayer::icmpv6;
    ++packets;
    if (p.transport_state != LayerState::readable || p.segment()[0] != (v6 ? 128 : 8)) return;
    asked.add(load32(p.segment() + 4), d);
}

}  // namespace tracebench
