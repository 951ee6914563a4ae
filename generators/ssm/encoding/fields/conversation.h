#pragma once
/// What both ends of the `fields` codec remember of a flow: enough to say what its next packet should look
/// like.

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "generators/fresh_identifiers.h"
#include "generators/ssm/encoding/fields/record.h"
#include "traffic/rules/flow_state.h"

namespace tracebench::ssm {

/// The last values of something, so that they can be named by recency.
template <typename T, std::size_t N>
class Recent {
  public:
    void push(T value) {
        at_ = (at_ + 1) % N;
        values_[at_] = value;
        if (count_ < N) ++count_;
    }
    int count() const { return static_cast<int>(count_); }
    /// 0 is the last.
    T at(int rank) const { return values_[(at_ + N - static_cast<std::size_t>(rank)) % N]; }
    /// The lowest rank of a value; nothing where it is not there.
    std::optional<int> find(T value) const {
        for (int rank = 0; rank < count(); ++rank)
            if (at(rank) == value) return rank;
        return std::nullopt;
    }
    /// Moves the value to the front, dropping the oldest where it is new.
    void touch(T value) {
        std::size_t rank = 0;
        while (rank < count_ && at(static_cast<int>(rank)) != value) ++rank;
        if (rank == count_) return push(value);
        for (; rank > 0; --rank) place(rank) = at(static_cast<int>(rank) - 1);
        place(0) = value;
    }

  private:
    T& place(std::size_t rank) { return values_[(at_ + N - rank) % N]; }

    std::array<T, N> values_{};
    std::size_t at_ = 0, count_ = 0;
};

/// The clock behind a sender's TCP timestamps (RFC 7323 section 5.4): 1 ms to 1 s a tick in the standard, in
/// practice a few rates; the one nearest to what was seen is taken.
class TimestampClock {
  public:
    bool started() const { return started_; }
    /// What it should show at `time_ns`; never less than it showed last.
    std::uint32_t predict(std::int64_t time_ns) const;
    /// How far from predict() a value may lie to count as noise of the clock and of quantised times.
    std::uint32_t tolerance(std::int64_t time_ns) const;
    void update(std::uint32_t value, std::int64_t time_ns);

  private:
    double rate_hz_ = 1000;
    std::uint32_t first_ = 0, last_ = 0;
    std::int64_t first_ns_ = 0, last_ns_ = 0;
    bool started_ = false;
};

/// Where RTP keeps its timestamp (RFC 3550 section 5.1), and other protocols a counter.
inline constexpr std::size_t word_offset = 4;

/// One direction of a flow.
struct Sender {
    bool seen = false;
    std::uint32_t unanswered = 0;   ///< its peer's packets with payload, SYN or FIN since it last sent
    std::uint32_t last_length = 0;  ///< of its last packet with payload (UDP: of its last)
    std::uint16_t mss = 0;          ///< as it announced; 0: unknown
    Recent<std::uint32_t, code::ring> starts, ends;  ///< of its segments with payload
    Recent<std::uint32_t, code::ring> clock_values;  ///< timestamps sent, without repeats
    Recent<std::uint16_t, code::recent_windows> windows;
    TimestampClock clock;
    std::uint32_t recent_timestamp = 0;  ///< the peer's timestamp to echo (TS.Recent, RFC 7323 section 4.3)
    OptionList options;                  ///< of its last segment that was neither SYN nor RST, without SACK
    bool options_known = false;
    bool last_was_syn = false;
    std::uint16_t ip_id = 0;
    std::uint8_t ttl = 0, tos = 0;
    bool dont_fragment = false, pads = false;
    std::uint32_t flow_label = 0;
    MacAddress src_mac{}, dst_mac{};
    std::vector<std::uint8_t> payload;  ///< first bytes of its last UDP datagram
    std::uint32_t payload_step = 0;     ///< last change of the 32-bit word at word_offset of it
    std::uint32_t icmp_rest = 0;
};

/// What the last packet of a flow was, roughly.
enum class PacketClass : std::uint8_t { syn, acknowledgement, data, full_data, fin, reset };
inline constexpr int packet_classes = 6;
/// Where a TCP connection stands.
enum class Phase : std::uint8_t {
    unknown,
    opening,
    answered,
    open,
    half_closed_forward,
    half_closed_reverse,
    closed,
    reset
};
inline constexpr int phases = 8;
/// Values of Item::state: TCP by phase, by who sent last and what, and by how many segments the sender
/// has not answered; others by count and who sent last.
inline constexpr int datagram_counts = 5, unanswered_counts = 3;
inline constexpr int tcp_states = phases * 2 * packet_classes * unanswered_counts;
inline constexpr int conversation_states = tcp_states + 2 * datagram_counts;

/// How a TCP flow ends: without a FIN, with one side's, with both sides', with a reset.
enum class Ending : std::uint8_t { open, half_closed, closed, reset };
inline constexpr int endings = 4;

/// What is said of a flow ahead.
struct FlowPlan {
    std::uint64_t packets = 0;
    Ending ending = Ending::open;

    bool operator==(const FlowPlan&) const = default;
};

struct Conversation {
    std::uint8_t protocol = 0;
    Endpoint ends[2];       ///< [0] sent the first packet
    int hosts[2] = {0, 0};  ///< in SessionBook
    Sender senders[2];
    Direction last = Direction::forward;
    PacketClass last_class = PacketClass::syn;
    std::uint64_t packets = 0;
    FlowPlan plan;
    std::int64_t last_ns = 0;  ///< time of its last packet
    FlowState rules;           ///< what the protocol rules remember

    std::uint8_t version() const { return ends[0].address.version; }
    bool tcp() const { return protocol == ip_protocol::tcp; }
    /// Whether the model is told what is left before the next packet: where that has passed a power of two,
    /// or where it was elsewhere meanwhile.
    bool tells_left(bool elsewhere) const;
    std::uint64_t left() const { return plan.packets > packets ? plan.packets - packets : 0; }
    /// How it would have ended if nothing more came.
    Ending ending() const;
    /// A value of Item::left.
    int told_left() const;
    const Sender& own(Direction d) const { return senders[static_cast<int>(d)]; }
    const Sender& peer(Direction d) const { return senders[1 - static_cast<int>(d)]; }
    Phase phase() const;
    /// Whether a packet at this time would be of another flow (FlowOptions).
    bool has_ended(std::int64_t time_ns) const;
    /// Whether it would soon be: then nothing more is sent in it.
    bool is_over(std::int64_t time_ns) const;
    /// Whether both sides have sent FINs and acknowledged the other's, or one has reset the connection. (What
    /// was on its way then, and the resets that answer it, real captures have; a model that is made to use up
    /// its flow's packets has nothing but resets to go on with.)
    bool is_closed() const;
    /// Whether this side has sent a FIN that the other has acknowledged.
    bool is_finished(Direction d) const;
    /// The fewest packets after which a connection that is open has ended as planned; 0: it has, or nothing
    /// is planned.
    int packets_to_end() const;
    /// Whether one of these is this side's.
    bool may_end(Direction d) const;
    /// Whether both ends are single hosts, so that either may send.
    bool is_between_hosts() const;
    /// As a packet in direction `d` would find it: a value of Item::state.
    int state(Direction d) const;
    /// Payload of a full segment in this direction with these options.
    std::uint32_t segment_size(Direction d, const OptionList& options) const;
    /// After a packet went by.
    void update(const Record& record, Direction d);
};

}  // namespace tracebench::ssm
