#include <algorithm>
#include <bit>
#include <optional>
#include <set>

#include "generators/diffusion/repair/steps.h"
#include "generators/diffusion/repair/tcp_numbers.h"
#include "generators/diffusion/repair/tcp_option_repair.h"

namespace tracebench::diffusion {
namespace {

using namespace tcp_flag;

/// Goes through a flow's segments in order; `state_` is what those already decided make of the conversation,
/// by the rule table's own account.
class NumberRepair {
  public:
    NumberRepair(Draft& draft, const DraftFlow& flow) : draft_(draft), flow_(flow), image_(draft, flow) {}

    void run() {
        for (std::size_t i = 0; i < image_.size(); ++i) {
            const Direction d = image_.direction(i);
            DraftRow& row = draft_.rows[flow_.rows[i]];
            put(row.bits, field::sequence, sequence(i, d));
            put(row.bits, field::acknowledgement, acknowledgement(i, d));
            if ((get(row.bits, field::tcp_flags) & urg) == 0) put(row.bits, field::urgent_pointer, 0);
            move_sack(row.bits, shift_[other(d)]);
            repair_echo(row.bits, image_.segment(i), state_.peer(d), state_.from_start);
            widen_window(i, d);
            const SegmentFields now = segment_of(flow_, row);
            state_.add(now, d);
            boundaries_[index(d)].insert(now.sequence);
            boundaries_[index(d)].insert(now.next_sequence());
            if (now.has(ack)) last_acknowledging_[index(d)] = i;
            last_sent_[index(d)] = i;
        }
    }

  private:
    static constexpr std::size_t first_segments = 8;  ///< in which a SYN's number is found again

    static std::size_t index(Direction d) { return static_cast<std::size_t>(d); }
    static std::size_t other(Direction d) { return 1 - index(d); }

    std::uint32_t sequence(std::size_t i, Direction d) {
        const SegmentFields& s = image_.segment(i);
        const TcpSide &me = state_.own(d), &peer = state_.peer(d);
        const std::uint32_t said = s.sequence + shift_[index(d)];
        if (s.has(syn)) return me.syn ? me.initial_sequence : initial_sequence(i);
        if (!me.seen && !peer.acknowledged) return said;
        const std::uint32_t expected = me.seen ? me.next : peer.acknowledgement;
        const std::int64_t ahead = sequence_distance(said, expected);
        if (ahead == 0) return said;
        if (s.has(rst) && !me.seen) return s.has(ack) && said == 0 ? said : expected;
        const std::int64_t slack = state_.slack(d);
        const bool before_start = me.syn && sequence_distance(said, me.initial_sequence) <= 0;
        const bool after_end = me.fin && sequence_distance(said + s.payload, me.fin_end) > 0;
        const bool legal = ahead <= slack && -ahead <= slack && !before_start && !after_end;
        const bool probe = ahead == -1 && s.payload <= 1;  // keep-alive (RFC 9293 section 3.8.4)
        if (legal && probe) return said;
        if (!is_supported(i, expected - shift_[index(d)])) return nearest_expected(s, said, d);
        const std::uint32_t image_expected = expected - shift_[index(d)];
        const bool gap = ahead > 0 && !s.has(rst) && !image_.is_filled_later(i, image_expected, s.sequence) &&
                         image_.is_acknowledged_later(i, image_expected);
        if (legal && (!gap || lengthen_last(d, static_cast<std::uint32_t>(ahead)))) return said;
        // Others go on from it, so the conversation goes on from elsewhere: it is moved as a whole.
        if (!s.has(rst)) shift_[index(d)] += expected - said;
        return expected;
    }

    /// A number that is said over and over, as without data, is soon said wrong in the same way twice: the
    /// expected one must not have many times the support.
    bool is_supported(std::size_t i, std::uint32_t expected) const {
        const SegmentFields& s = image_.segment(i);
        const std::uint32_t support = image_.sequence_support(i, s.sequence);
        constexpr std::uint32_t many = 8;
        return support > 0 && (s.payload > 0 || many * support >= image_.sequence_support(i, expected));
    }

    /// A SYN is followed by a segment of its sender, and acknowledged, one after it; the peer may say it
    /// better.
    std::uint32_t initial_sequence(std::size_t i) const {
        const std::uint32_t said = image_.segment(i).sequence;
        if (image_.is_an_end(i, said + 1)) return said;
        std::uint32_t best = said, most = 1;  // more than one must agree
        for (std::size_t later = i + 1; later < image_.size() && later < i + first_segments; ++later) {
            const SegmentFields& s = image_.segment(later);
            const bool own = image_.direction(later) == image_.direction(i);
            if (!own && !s.has(ack)) continue;
            const std::uint32_t next = own ? s.sequence : s.acknowledgement;
            const std::uint32_t support = image_.sequence_support(i, next);
            if (support <= most || image_.sequence_support(i, next - 1) > support) continue;
            best = next - 1;
            most = support;
            break;
        }
        return best;
    }

    /// Of a segment whose number is wrong: the next one, or that of the first gap if it may fill it.
    std::uint32_t nearest_expected(const SegmentFields& s, std::uint32_t said, Direction d) const {
        const TcpSide& me = state_.own(d);
        if (!me.seen) return state_.peer(d).acknowledgement;
        const bool fills = s.payload > 0 && me.contiguous != me.next &&
                           std::popcount(said ^ me.contiguous) < std::popcount(said ^ me.next);
        return fills ? me.contiguous : me.next;
    }

    /// Adds bytes that are missing to the sender's last segment, where it may be so long.
    bool lengthen_last(Direction d, std::uint32_t bytes) {
        const auto last = last_sent_[index(d)];
        if (!last) return false;
        DraftRow& row = draft_.rows[flow_.rows[*last]];
        const std::uint32_t fixed = flow_.ipv6 ? 40 : 0, length = length_of(flow_, row) + bytes;
        if (length + fixed > draft_.settings.largest_packet || get(row.bits, field::syn_flag) != 0 ||
            segment_of(flow_, row).next_sequence() != state_.own(d).next)
            return false;
        set_length(flow_, row, length);
        state_.add(segment_of(flow_, row), d);
        boundaries_[index(d)].insert(segment_of(flow_, row).next_sequence());
        return true;
    }

    std::uint32_t acknowledgement(std::size_t i, Direction d) {
        const SegmentFields& s = image_.segment(i);
        const TcpSide &me = state_.own(d), &peer = state_.peer(d);
        const std::uint32_t said = s.acknowledgement + shift_[other(d)];
        if (!s.has(ack)) return s.has(syn) ? 0 : said;
        if (s.has(syn)) {
            const bool covers_data = state_.fast_open && sequence_distance(said, peer.initial_sequence) > 0 &&
                                     sequence_distance(said, peer.next) <= 0;
            return peer.syn && !covers_data ? peer.initial_sequence + 1 : said;
        }
        if (!peer.seen) return said_before_peer(said, me, d);
        const bool missing = !state_.from_start && !me.acknowledged && state_.plausible_acknowledgement(s, d);
        if (missing) return said;
        const std::int64_t ahead = sequence_distance(said, peer.contiguous);
        const std::int64_t back = me.acknowledged ? sequence_distance(me.acknowledgement, said) : 0;
        const std::int64_t window = std::max(me.largest_window, 65535U);
        const bool late = s.payload == 0 && back <= window;
        const bool answers_syn = !peer.syn || sequence_distance(said, peer.initial_sequence) > 0;
        const bool legal = ahead <= 0 && (back <= 0 || late) && answers_syn;
        if (legal && image_.acknowledgement_is_supported(i)) return said;
        return nearest_boundary(said, d);
    }

    /// Of a conversation of which the other side is not seen (yet).
    std::uint32_t said_before_peer(std::uint32_t said, const TcpSide& me, Direction d) const {
        if (!me.acknowledged) return said;
        const std::int64_t ahead = sequence_distance(said, me.acknowledgement);
        return ahead >= 0 && ahead <= std::int64_t{state_.slack(d)} ? said : me.acknowledgement;
    }

    /// Of the numbers that may be acknowledged the one with the least bits to alter, of several the latest.
    std::uint32_t nearest_boundary(std::uint32_t said, Direction d) const {
        const TcpSide &me = state_.own(d), &peer = state_.peer(d);
        std::uint32_t best = peer.contiguous;
        for (const std::uint32_t number : boundaries_[other(d)]) {
            const bool received = sequence_distance(number, peer.contiguous) <= 0;
            const bool not_before = me.acknowledged ? sequence_distance(number, me.acknowledgement) >= 0
                                                    : !peer.syn || number != peer.initial_sequence;
            if (!received || !not_before) continue;
            const int cost = std::popcount(number ^ said), best_cost = std::popcount(best ^ said);
            if (cost < best_cost || (cost == best_cost && sequence_distance(number, best) > 0)) best = number;
        }
        return best;
    }

    /// Data beyond the window that the peer has advertised: its last segment advertises what is needed.
    void widen_window(std::size_t i, Direction d) {
        DraftRow& row = draft_.rows[flow_.rows[i]];
        const SegmentFields now = segment_of(flow_, row);
        TcpSide& peer = state_.side[other(d)];
        if (now.payload == 0 || now.has(syn | rst) || !state_.negotiated() || !peer.acknowledged) return;
        const std::uint32_t end = now.sequence + now.payload;
        if (sequence_distance(end, peer.window_edge) <= 1) return;
        DraftRow& answer = draft_.rows[flow_.rows[last_acknowledging_[other(d)]]];
        const bool scaled = state_.own(d).window_scale >= 0 && peer.window_scale >= 0;
        const int scale = scaled && get(answer.bits, field::syn_flag) == 0 ? peer.window_scale : 0;
        const std::uint32_t needed = end - get(answer.bits, field::acknowledgement);
        const std::uint32_t window = (needed + (1U << scale) - 1) >> scale;
        if (window > 65535) return;  // the rule table cuts the payload
        put(answer.bits, field::window, window);
        peer.window_edge = end;
        peer.largest_window = std::max(peer.largest_window, window << scale);
    }

    Draft& draft_;
    const DraftFlow& flow_;
    NumberWitnesses image_;
    FlowState state_;
    std::uint32_t shift_[2] = {0, 0};        ///< what is added to the image's sequence numbers, by sender
    std::set<std::uint32_t> boundaries_[2];  ///< where segments begin and end, as decided
    std::size_t last_acknowledging_[2] = {0, 0};
    std::optional<std::size_t> last_sent_[2];
};

}  // namespace

void choose_tcp_numbers(Draft& draft) {
    for (const DraftFlow& flow : draft.flows) {
        if (flow.protocol != ip_protocol::tcp || flow.rows.empty()) continue;
        order_timestamps(draft, flow);
        NumberRepair(draft, flow).run();
    }
}

}  // namespace tracebench::diffusion
