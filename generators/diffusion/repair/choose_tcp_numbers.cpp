#include <algorithm>
#include <bit>
#include <optional>
#include <set>
#include <vector>

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
    NumberRepair(Draft& draft, const DraftFlow& flow)
        : draft_(draft), flow_(flow), image_(draft, flow), anchored_(image_.size()) {}

    void run() {
        for (std::size_t i = 0; i < image_.size(); ++i) {
            const Direction d = image_.direction(i);
            DraftRow& row = draft_.rows[flow_.rows[i]];
            put(row.bits, field::sequence, sequence(i, d));
            end_with_fin(row, state_.own(d));
            put(row.bits, field::acknowledgement, acknowledgement(i, d));
            if ((get(row.bits, field::tcp_flags) & urg) == 0) put(row.bits, field::urgent_pointer, 0);
            move_sack(row.bits, shift_[other(d)]);
            repair_echo(row.bits, image_.segment(i), state_.peer(d), state_.from_start);
            widen_window(i, d);
            decided_.push_back(segment_of(flow_, row));
            state_.add(decided_[i], d);
            note_boundaries(i);
            if (decided_[i].has(ack)) last_acknowledging_[index(d)] = i;
        }
    }

  private:
    static constexpr std::size_t first_segments = 8;  ///< in which a SYN's number is found again

    static std::size_t index(Direction d) { return static_cast<std::size_t>(d); }
    static std::size_t other(Direction d) { return 1 - index(d); }

    const ImageRow& image_row(std::size_t i) const {
        return draft_.image.rows[draft_.rows[flow_.rows[i]].image_row];
    }

    std::uint32_t sequence(std::size_t i, Direction d) {
        const SegmentFields& s = image_.segment(i);
        const TcpSide &me = state_.own(d), &peer = state_.peer(d);
        const std::uint32_t said = s.sequence + shift_[index(d)];
        if (s.has(syn)) return me.syn ? me.initial_sequence : initial_sequence(i);
        if (!me.seen && !peer.acknowledged) return said;
        const std::uint32_t expected = me.seen ? me.next : peer.acknowledgement;
        if (image_row(i).sequence_follows && me.seen) {
            shift_[index(d)] += expected - said;
            return expected;
        }
        const std::int64_t ahead = sequence_distance(said, expected);
        if (ahead == 0) {
            anchored_[i] = image_.is_an_end(i, s.sequence);
            return said;
        }
        if (s.has(rst) && !me.seen) return s.has(ack) && said == 0 ? said : expected;
        const std::int64_t slack = state_.slack(d);
        const bool before_start = me.syn && sequence_distance(said, me.initial_sequence) <= 0;
        const bool after_end = me.fin && sequence_distance(said + s.payload, me.fin_end) > 0;
        const bool legal = ahead <= slack && -ahead <= slack && !before_start && !after_end;
        const bool probe = ahead == -1 && s.payload <= 1;  // keep-alive (RFC 9293 section 3.8.4)
        if (legal && probe) return said;
        const std::uint32_t image_expected = expected - shift_[index(d)];
        if (!is_supported(i, image_expected, ahead)) return nearest_expected(s, said, d);
        anchored_[i] = true;
        const bool gap = ahead > 0 && !s.has(rst) && !image_.is_filled_later(i, image_expected, s.sequence) &&
                         image_.is_acknowledged_later(i, image_expected);
        const bool overlap = ahead < 0 && !s.has(rst) && !image_.is_an_end(i, image_expected);
        if (legal && (gap || overlap) && mend_length(i, static_cast<std::int32_t>(ahead))) return said;
        if (legal && !gap) return said;
        // Others go on from it, so the conversation goes on from elsewhere: it is moved as a whole.
        if (!s.has(rst)) shift_[index(d)] += expected - said;
        return expected;
    }

    /// What goes on after its sender's FIN is an acknowledgement that says to be longer than it is.
    void end_with_fin(DraftRow& row, const TcpSide& me) const {
        const SegmentFields s = segment_of(flow_, row);
        if (me.fin && s.payload > 0 && !s.has(rst) && sequence_distance(s.next_sequence(), me.fin_end) > 0)
            set_length(flow_, row, header_bytes(flow_, row));
    }

    /// Whether others begin or end where the segment begins, or where it ends; both where it is far ahead.
    /// Without data a number is said over and over, and soon wrong in the same way twice: the expected one
    /// must then not have many times the support.
    bool is_supported(std::size_t i, std::uint32_t expected, std::int64_t ahead) const {
        const SegmentFields& s = image_.segment(i);
        const std::uint32_t support = image_.sequence_support(i, s.sequence);
        constexpr std::uint32_t many = 8;
        if (s.payload == 0) return support > 0 && many * support >= image_.sequence_support(i, expected);
        constexpr std::int64_t far = 4096;
        const bool begin = support > 0, end = image_.is_an_end(i, s.next_sequence());
        return ahead > far ? begin && end : begin || end;
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

    /// Where segment i begins `distance` bytes from where its sender's last one ends, one of the last ones
    /// may have a wrong length: that with the fewest bits to alter gets the right one, and those after it
    /// whose numbers only followed from it move along. False where none can be so long, or, shortened,
    /// differs in more than two bits.
    bool mend_length(std::size_t i, std::int32_t distance) {
        constexpr std::size_t last_segments = 16;
        std::optional<std::size_t> best;
        int least = distance < 0 ? 3 : 17;
        std::size_t seen = 0;
        for (std::size_t j = i; j-- > 0 && seen < last_segments;) {
            if (image_.direction(j) != image_.direction(i)) continue;
            ++seen;
            const DraftRow& row = draft_.rows[flow_.rows[j]];
            const std::uint32_t length = length_of(flow_, row),
                                wanted = length + static_cast<std::uint32_t>(distance);
            const std::uint32_t fixed = flow_.ipv6 ? 40 : 0;
            const int cost = std::popcount(length ^ wanted);
            const bool possible = wanted >= header_bytes(flow_, row) && wanted <= 65535 &&
                                  wanted + fixed <= draft_.settings.largest_packet &&
                                  !decided_[j].has(syn | rst);
            if (possible && cost < least) {
                least = cost;
                best = j;
            }
            if (anchored_[j] || decided_[j].has(syn)) break;
        }
        const TcpSide& peer = state_.peer(image_.direction(i));
        const std::uint32_t begin =
            state_.own(image_.direction(i)).next + static_cast<std::uint32_t>(distance);
        if (!best || (peer.acknowledged && sequence_distance(peer.acknowledgement, begin) > 0)) return false;
        for (std::size_t j = *best; j < i; ++j) {
            if (image_.direction(j) != image_.direction(i)) continue;
            DraftRow& row = draft_.rows[flow_.rows[j]];
            if (j == *best) {
                set_length(flow_, row, length_of(flow_, row) + static_cast<std::uint32_t>(distance));
            } else {
                put(row.bits, field::sequence, decided_[j].sequence + static_cast<std::uint32_t>(distance));
            }
            decided_[j] = segment_of(flow_, row);
            note_boundaries(j);
        }
        state_ = FlowState{};
        for (std::size_t j = 0; j < i; ++j) state_.add(decided_[j], image_.direction(j));
        return true;
    }

    void note_boundaries(std::size_t i) {
        std::set<std::uint32_t>& boundaries = boundaries_[index(image_.direction(i))];
        boundaries.insert(decided_[i].sequence);
        boundaries.insert(decided_[i].next_sequence());
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
        if (image_row(i).acknowledges_all) return peer.contiguous;
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
        decided_[last_acknowledging_[other(d)]].window = static_cast<std::uint16_t>(window);
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
    std::vector<SegmentFields> decided_;  ///< those before the current one
    std::vector<bool> anchored_;          ///< segments whose number others agree with
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
