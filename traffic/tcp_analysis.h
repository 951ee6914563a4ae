#pragma once
/// Watches one TCP connection and counts what went wrong on its path, by the rules of Wireshark 4.0's
/// sequence analysis (Wireshark User's Guide section 7.5, "TCP Analysis"), so that counts can be compared.
/// Those rules need no list of segments: the state is a few numbers a direction.

#include <cstdint>
#include <optional>

#include "traffic/headers.h"

namespace tracebench {

/// What a TCP header says, as far as this analysis needs it.
struct TcpSegment {
    std::int64_t time_ns = 0;
    std::uint32_t sequence = 0, acknowledgement = 0;
    std::uint32_t length = 0;  ///< payload bytes on the wire
    std::uint16_t window = 0;  ///< as it stands in the header, not scaled
    std::uint8_t flags = 0;
    bool length_known = true;  ///< false for a fragment, and where the header is longer than its datagram
};

/// Requires h.has_tcp(). `frame_length` is the frame's length on the wire.
TcpSegment tcp_segment(const Headers& h, std::int64_t time_ns, std::uint32_t frame_length);

class TcpAnalysis {
  public:
    /// `direction` is 0 or 1.
    void add(unsigned direction, const TcpSegment& segment);

    /// Whether this segment begins another connection between the same endpoints: a SYN whose initial
    /// sequence number differs from the one in use. A SYN that repeats it is a retransmission, even after
    /// the connection was refused.
    bool restarted_by(unsigned direction, const TcpSegment& segment) const;

    /// SYN, a SYN-ACK that acknowledges it, and an acknowledgement of that were seen.
    bool handshake() const { return handshake_ == Handshake::done; }
    /// FIN both ways, or RST.
    bool closed() const { return reset_ || (sides_[0].fin && sides_[1].fin); }
    std::uint32_t retransmissions() const { return retransmissions_; }  ///< fast and spurious ones included
    std::uint32_t out_of_order() const { return out_of_order_; }
    /// Segments without payload that repeat the acknowledgement and the window before, but not the answers to
    /// keep-alives.
    std::uint32_t duplicate_acks() const { return duplicate_acks_; }
    std::uint32_t zero_windows() const {
        return zero_windows_;
    }  ///< that close the window; without SYN, FIN, RST
    std::uint32_t keep_alives() const { return keep_alives_; }
    /// From the last SYN to the first acknowledgement of the opener; nothing without a handshake.
    std::optional<double> rtt_ms() const;

  private:
    enum class Handshake : std::uint8_t { none, syn, syn_ack, done };
    enum class Special : std::uint8_t { none, keep_alive, zero_window_probe };

    /// What was seen from one endpoint. As in Wireshark a `next` of 0 means that nothing was.
    struct Side {
        std::int64_t next_time_ns = 0;  ///< when `next` last advanced
        std::int64_t last_time_ns = 0;
        std::uint32_t initial = 0;         ///< initial sequence number, or a guess where the SYN was not seen
        std::uint32_t next = 0;            ///< after the highest byte sent
        std::uint32_t contiguous = 0;      ///< after the highest byte sent without a hole before it
        std::uint32_t acknowledged = 0;    ///< by the last segment from here
        std::uint32_t duplicate_acks = 0;  ///< or `unseen`: its last acknowledgement covers bytes never seen
        std::uint32_t window = UINT32_MAX;
        Special last = Special::none;  ///< what the last segment from here was
        bool initial_known = false, fin = false;
    };

    static constexpr std::uint32_t unseen = UINT32_MAX;

    void track_state(unsigned direction, const TcpSegment& s);
    void count_duplicates(const Side& from, const Side& to, const TcpSegment& s);
    static void learn_initial_numbers(Side& from, Side& to, const TcpSegment& s);
    Special classify(Side& from, const Side& to, const TcpSegment& s);
    static void advance(Side& from, const TcpSegment& s, Special special);

    Side sides_[2];
    std::int64_t syn_time_ns_ = 0, rtt_ns_ = 0;
    std::uint32_t syn_sequence_ = 0, syn_ack_sequence_ = 0;
    std::uint32_t retransmissions_ = 0, out_of_order_ = 0, duplicate_acks_ = 0;
    std::uint32_t zero_windows_ = 0, keep_alives_ = 0;
    Handshake handshake_ = Handshake::none;
    std::uint8_t opener_ = 0;
    bool syn_seen_ = false, reset_ = false;
};

}  // namespace tracebench
