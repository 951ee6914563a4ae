#pragma once
/// What flow-scope rules remember of a flow: constant size, updated packet by packet, so that captures of any
/// length can be checked in one pass and a generator can ask whether its next packet would be legal.

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "traffic/flow_table.h"
#include "traffic/rules/rule_packet.h"

namespace tracebench {

inline Direction opposite(Direction d) {
    return d == Direction::forward ? Direction::reverse : Direction::forward;
}

/// RFC 9293 section 3.4: how far `a` is after `b`, modulo 2^32.
inline std::int32_t sequence_distance(std::uint32_t a, std::uint32_t b) {
    return static_cast<std::int32_t>(a - b);
}

/// A TCP header with the options that rules ask about.
struct SegmentFields {
    std::int64_t time_ns = 0;
    std::uint32_t sequence = 0, acknowledgement = 0;
    std::uint32_t payload = 0;       ///< bytes on the wire
    std::uint8_t payload_start = 0;  ///< bytes of payload that `payload_hash` covers: at most 64
    std::uint32_t payload_hash = 0;  ///< 0 where they were not all captured, or are all zero
    std::uint32_t start_hash = 0;    ///< the same of the first 8 bytes alone; 0 where there are fewer
    std::uint16_t window = 0;        ///< not scaled
    std::uint8_t flags = 0;
    bool options_known = false;  ///< all option bytes were captured and are well formed
    bool sack_permitted = false, timestamps = false, fast_open = false;
    std::int8_t window_scale = -1;  ///< -1: no such option
    std::uint16_t mss = 0;          ///< 0: no such option
    std::uint8_t options_size = 0;  ///< in bytes, padding included
    std::uint32_t timestamp = 0, timestamp_echo = 0;
    std::uint8_t sack_blocks = 0;
    std::array<std::uint32_t, 8> sack{};  ///< left and right edges

    bool has(std::uint8_t flag) const { return (flags & flag) != 0; }
    /// The sequence number after this segment; SYN and FIN count one each.
    std::uint32_t next_sequence() const {
        return sequence + payload + (has(tcp_flag::syn) ? 1 : 0) + (has(tcp_flag::fin) ? 1 : 0);
    }
};
/// Nothing where the TCP header cannot be read or its data offset is illegal.
std::optional<SegmentFields> read_segment(const RulePacket& packet);

/// One direction of a TCP conversation, by what its sender has sent so far.
struct TcpSide {
    bool seen = false, syn = false, fin = false, rst = false;
    bool acknowledged = false;   ///< it has sent an acknowledgement
    bool options_known = false;  ///< the options of its SYN; what follows is meaningless without
    bool offered_sack = false, offered_timestamps = false, offered_ecn = false;  ///< on its SYN
    std::int8_t window_scale = -1;                                               ///< on its SYN
    std::uint16_t mss = 0;                                                       ///< on its SYN; 0: none
    std::uint32_t initial_sequence = 0;
    std::uint32_t next = 0;            ///< after the highest sequence number sent or acknowledged
    std::uint32_t sent = 0;            ///< after the highest that was seen
    std::int64_t unseen_ns = 0;        ///< when `acknowledged_unseen` was set
    bool acknowledged_unseen = false;  ///< the peer has acknowledged what was not seen: `next` is past `sent`
    std::uint32_t contiguous = 0;      ///< everything before it was seen; later bytes are in `islands`
    std::uint32_t fin_end = 0;         ///< after the FIN
    std::uint32_t acknowledgement = 0;  ///< highest sent
    std::uint32_t window_edge = 0;      ///< highest acknowledgement + scaled window ever advertised
    std::uint32_t last_edge = 0;        ///< the same of the last segment with the highest acknowledgement
    bool window_closed = false;         ///< that segment's window was 0
    std::uint32_t largest_window = 0;   ///< scaled; by the largest scale where the scale is unknown
    bool timestamped = false;
    bool clock_ran_far = false;  ///< its timestamps span so much that older ones cannot be told from newer
    std::uint32_t first_timestamp = 0, last_timestamp = 0;
    std::int64_t last_timestamp_ns = 0;  ///< when the last was seen

    struct Range {
        std::uint32_t begin, end;
    };
    std::array<Range, 8> islands{};  ///< seen bytes past a gap, ascending; more than these are forgotten
    std::uint8_t island_count = 0;

    /// Of the last segments with data, so that what is sent again can be compared.
    struct Sent {
        std::uint32_t sequence = 0, hash = 0, start_hash = 0;
        std::uint8_t size = 0;
    };
    std::array<Sent, 16> recent{};
    std::uint8_t recent_at = 0;  ///< where the next one goes
};

/// One direction of a UDP conversation, as a source of RTP (RFC 3550 appendix A.1).
struct RtpSource {
    std::uint32_t source = 0;
    std::uint16_t sequence = 0;     ///< of its last packet
    std::uint8_t payload_type = 0;  ///< of its last packet
    std::uint8_t in_order = 0;      ///< packets that followed on each other, up to `proven`

    /// This many say that it is RTP; chance does not.
    static constexpr std::uint8_t proven = 4;
};
/// The SSRC of what may be an RTP packet: UDP to and from ports above 1023, version 2, the fixed header of 12
/// bytes captured. Nothing otherwise.
std::optional<std::uint32_t> possible_rtp_source(const RulePacket& packet);
/// Whether a readable UDP datagram may matter to a rule about its flow; of others no state need be kept.
bool may_have_flow_rules(const RulePacket& packet);

/// What each side has asked, so that answers can be told to be answers: identifier and sequence number of
/// ICMP echo requests, requests of DNS, NTP and QUIC as answers.h reads them.
struct RequestState {
    static constexpr std::uint32_t kept = 16;
    std::array<std::uint64_t, kept> requests[2]{};  ///< by direction, the oldest overwritten
    std::uint32_t count[2] = {0, 0};                ///< ever made, repetitions at once left out

    void add(std::uint64_t request, Direction direction) {
        const int i = static_cast<int>(direction);
        if (count[i] > 0 && last(direction) == request) return;
        requests[i][count[i]++ % kept] = request;
    }
    /// Those of this direction that are remembered, in no order.
    std::span<const std::uint64_t> of(Direction direction) const {
        const int i = static_cast<int>(direction);
        return std::span(requests[i]).first(std::min(count[i], kept));
    }
    bool forgot(Direction direction) const { return count[static_cast<int>(direction)] > kept; }
    std::uint64_t last(Direction direction) const {
        const int i = static_cast<int>(direction);
        return requests[i][(count[i] - 1) % kept];
    }
};

struct FlowState {
    std::uint64_t packets = 0;
    bool from_start = false;   ///< the first packet was a SYN without ACK
    bool established = false;  ///< SYN, SYN-ACK and an acknowledgement of the initiator were seen
    bool fast_open = false;    ///< a SYN carried data or a Fast Open option
    Direction initiator = Direction::forward;
    /// Set by repair, which knows the whole flow: silence of the peer so far is then no excuse.
    bool both_directions = false;
    TcpSide side[2];
    RequestState asked;
    RtpSource rtp[2];

    const TcpSide& own(Direction d) const { return side[static_cast<int>(d)]; }
    const TcpSide& peer(Direction d) const { return side[1 - static_cast<int>(d)]; }
    /// Both SYNs were seen with their options, which are thus known to be agreed on or not.
    bool negotiated() const { return from_start && side[0].options_known && side[1].options_known; }
    /// How far a sender's sequence numbers may lie from what is known: the peer's largest window.
    std::uint32_t slack(Direction d) const;
    /// The shift of the window in a segment of this side; the largest where the SYNs were not both seen.
    int scale(const SegmentFields& segment, Direction d) const;
    /// Whether the acknowledgement lies within a window of what the peer has sent; true where nothing tells.
    bool plausible_acknowledgement(const SegmentFields& segment, Direction d) const;

    /// Numbers far outside the window leave the state of the other side alone, so that one bad segment fails
    /// once.
    void add(const SegmentFields& segment, Direction direction);
    /// An ICMP or ICMPv6 message; only echo requests matter.
    void add_icmp(const RulePacket& packet, Direction direction);
    /// A datagram of UDP.
    void add_datagram(const RulePacket& packet, Direction direction);

  private:
    void add_rtp(const RulePacket& packet, Direction direction);
    void add_acknowledgement(const SegmentFields& segment, Direction d);
};

}  // namespace tracebench
