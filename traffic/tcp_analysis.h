#pragma once
/// Watches one TCP connection and counts what went wrong, by the rules of Wireshark 4.0's sequence analysis
/// (Wireshark User's Guide section 7.5), so that counts can be compared.

#include <cstdint>
#include <optional>
#include <vector>

#include "traffic/headers.h"

namespace tracebench {

/// What a TCP header says, as far as this analysis needs it.
struct TcpSegment {
    std::int64_t time_ns = 0;
    std::uint32_t sequence = 0, acknowledgement = 0;
    std::uint32_t length = 0;  ///< payload bytes on the wire
    std::uint16_t window = 0;  ///< as it stands in the header, not scaled
    std::uint8_t flags = 0;
};
/// Requires h.has_tcp().
TcpSegment tcp_segment(std::int64_t time_ns, const Headers& h);

class TcpAnalysis {
  public:
    /// `direction` is 0 or 1.
    void add(unsigned direction, const TcpSegment& segment);
    /// Whether this SYN begins another connection between the same endpoints: its initial sequence number
    /// differs from the one in use.
    bool restarted_by(unsigned direction, const TcpSegment& segment) const;

    bool handshake() const { return handshake_ == Handshake::done; }
    bool closed() const { return reset_ || (sides_[0].fin && sides_[1].fin); }
    std::uint64_t retransmissions() const { return retransmissions_; }
    std::uint64_t out_of_order() const { return out_of_order_; }
    /// From the last SYN to the acknowledgement of the SYN-ACK.
    std::optional<double> rtt_ms() const;

  private:
    enum class Handshake : std::uint8_t { none, syn, syn_ack, done };

    struct Unacknowledged {
        std::uint32_t begin, end;
    };
    struct Side {
        std::uint32_t base_sequence = 0;
        std::uint32_t next_sequence = 0;  ///< highest seen; 0: nothing yet
        std::uint32_t last_acknowledgement = 0;
        std::uint32_t duplicate_acknowledgements = 0;
        std::int64_t next_sequence_time = 0, last_acknowledgement_time = 0;
        std::uint16_t window = 0;
        bool base_known = false, window_known = false, fin = false, last_was_keep_alive = false;
        std::vector<Unacknowledged> unacknowledged;
    };

    void track_handshake(unsigned direction, const TcpSegment& segment);

    Side sides_[2];
    std::uint64_t retransmissions_ = 0, out_of_order_ = 0;
    std::int64_t syn_time_ = 0, rtt_ns_ = 0;
    std::uint32_t syn_ack_sequence_ = 0;
    Handshake handshake_ = Handshake::none;
    std::uint8_t opener_ = 0;
    bool reset_ = false;
};

}  // namespace tracebench
