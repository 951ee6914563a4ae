#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "generators/diffusion/repair/steps.h"

namespace tracebench::diffusion {
namespace {

using namespace tcp_flag;

/// What SYNs look like here: of those that the image has, the one whose options are the most frequent.
class TypicalSyns {
  public:
    explicit TypicalSyns(const Draft& draft) {
        std::map<std::pair<std::size_t, std::vector<std::int8_t>>, std::uint32_t> counts;
        std::array<std::uint32_t, 2> most{};
        for (const DraftRow& row : draft.rows) {
            const DraftFlow& flow = draft.flows[row.flow];
            const std::uint32_t flags = get(row.bits, field::tcp_flags);
            if (flow.protocol != ip_protocol::tcp || !row.has_transport || (flags & syn) == 0) continue;
            const std::size_t kind = (flags & ack) != 0;
            const auto options = row.bits.begin() + field::tcp_options;
            const std::uint32_t count = ++counts[{kind, {options, options + tcp_option_columns}}];
            if (count <= most[kind]) continue;
            most[kind] = count;
            typical_[kind] = row.bits;
        }
    }
    /// Makes a SYN (or a SYN-ACK) of a segment that was none: data offset, window and options; no payload.
    void apply(const DraftFlow& flow, DraftRow& row, std::uint8_t flags) const {
        const std::optional<NprintRow>& bits = typical_[(flags & ack) != 0];
        if (!bits) return;
        put(row.bits, field::data_offset, get(*bits, field::data_offset));
        put(row.bits, field::window, get(*bits, field::window));
        std::copy_n(bits->begin() + field::tcp_options, tcp_option_columns,
                    row.bits.begin() + field::tcp_options);
        set_length(flow, row, header_bytes(flow, row));
    }

  private:
    static constexpr std::size_t tcp_option_columns = field::udp - field::tcp_options;
    std::array<std::optional<NprintRow>, 2> typical_;  ///< SYN, SYN-ACK; none: the image has none
};

class FlagRepair {
  public:
    FlagRepair(Draft& draft, DraftFlow& flow, const TypicalSyns& syns)
        : draft_(draft), flow_(flow), syns_(syns) {}

    void run() {
        open();
        for (std::size_t i = 0; i < size(); ++i) {
            std::uint8_t now = flags(i);
            const bool opens = i < kept_syn_.size() && kept_syn_[i];
            if ((now & syn) != 0 && !opens) now = static_cast<std::uint8_t>(now & ~syn);
            if ((now & (syn | rst)) != 0) now = static_cast<std::uint8_t>(now & ~fin);
            if ((now & syn) != 0) now = static_cast<std::uint8_t>(now & ~rst);
            if ((now & rst) != 0 && sends_later(i)) now = static_cast<std::uint8_t>(now & ~rst);
            if ((now & fin) != 0 && sends_new_later(i)) {
                now = static_cast<std::uint8_t>(now & ~fin);
                early_fin_[static_cast<std::size_t>(row(i).direction)] = true;
            }
            if ((now & (ack | syn | rst)) == 0) now |= ack;
            set_flags(i, now);
        }
        end();
    }

  private:
    std::size_t size() const { return flow_.rows.size(); }
    DraftRow& row(std::size_t i) { return draft_.rows[flow_.rows[i]]; }
    std::uint8_t flags(std::size_t i) {
        return static_cast<std::uint8_t>(get(row(i).bits, field::tcp_flags));
    }
    void set_flags(std::size_t i, std::uint8_t value) { put(row(i).bits, field::tcp_flags, value); }
    std::uint32_t sequence(std::size_t i) { return get(row(i).bits, field::sequence); }
    bool is_forward(std::size_t i) { return row(i).direction == Direction::forward; }
    bool is(std::size_t i, std::uint8_t wanted) { return (flags(i) & (syn | ack | rst)) == wanted; }

    /// The other way round, ends and all.
    void turn(std::size_t i) {
        DraftRow& r = row(i);
        r.direction = is_forward(i) ? Direction::reverse : Direction::forward;
        for (const auto& [a, b] : {std::pair{field::source, field::destination},
                                   std::pair{field::tcp_source, field::tcp_destination}}) {
            if (flow_.ipv6 && a.first == field::source.first) continue;
            std::swap_ranges(r.bits.begin() + a.first, r.bits.begin() + a.first + a.width,
                             r.bits.begin() + b.first);
        }
    }

    void keep_syn(std::size_t i, std::uint8_t wanted) {
        if ((flags(i) & syn) == 0) syns_.apply(flow_, row(i), wanted);
        if (!is(i, wanted)) set_flags(i, wanted);
        kept_syn_[i] = true;
    }
    /// A segment from `from` on, of those that go the way asked for.
    std::optional<std::size_t> first_from(std::size_t from, Direction direction) {
        for (std::size_t i = from; i < size(); ++i)
            if (row(i).direction == direction) return i;
        return std::nullopt;
    }
    /// SYNs from `i` on that are sent again, with the number of segment `first`; returns the first that is
    /// none.
    std::size_t skip_repeated(std::size_t i, std::size_t first) {
        const std::uint8_t wanted = is_forward(first) ? syn : syn | ack;
        while (i < size() && row(i).direction == row(first).direction && is(i, wanted) &&
               sequence(i) == sequence(first))
            kept_syn_[i++] = true;
        return i;
    }

    void open() {
        kept_syn_.assign(size(), false);
        const bool begins = is(0, syn);
        if (!begins && !draft_.settings.handshake) {
            kept_syn_[0] = is(0, syn | ack);  // the capture may have begun between SYN and SYN-ACK
            return;
        }
        keep_syn(0, syn);
        std::size_t i = skip_repeated(1, 0);
        const auto answer = first_from(i, Direction::reverse);
        if (!answer || (flags(*answer) & rst) != 0) return;
        for (; i < *answer; ++i) {
            constexpr std::size_t soon = 2;
            if (*answer - i > soon || !is(*answer, syn | ack)) {
                turn(i);
                break;
            }
            keep_syn(i, syn);
            put(row(i).bits, field::sequence, sequence(0));
        }
        keep_syn(i, syn | ack);
        const std::size_t answered = i;
        i = skip_repeated(i + 1, answered);
        if (i == size()) return;
        if (!begins && !is_forward(i) && first_from(i, Direction::forward)) turn(i);
        const auto third = first_from(i, Direction::forward);
        if (!third) return;
        if (is(*third, syn) && sequence(*third) == sequence(0)) {
            kept_syn_[*third] = true;
        } else {
            set_flags(*third, static_cast<std::uint8_t>(flags(*third) | ack));
        }
    }

    /// Who sends a FIN too early sends it with its last segment.
    void end() {
        for (const Direction direction : {Direction::forward, Direction::reverse}) {
            if (!early_fin_[static_cast<std::size_t>(direction)]) continue;
            std::size_t last = size();
            while (last > 0 && row(last - 1).direction != direction) --last;
            if (last == 0 || (flags(last - 1) & (syn | rst)) != 0) continue;
            set_flags(last - 1, static_cast<std::uint8_t>(flags(last - 1) | fin | ack));
        }
    }

    /// Whether the sender of segment i sends data later.
    bool sends_later(std::size_t i) {
        for (std::size_t later = i + 1; later < size(); ++later)
            if (row(later).direction == row(i).direction && payload_of(flow_, row(later)) > 0) return true;
        return false;
    }
    /// Whether it sends data later that are not, by their numbers, among those it has sent until then.
    bool sends_new_later(std::size_t i) {
        for (std::size_t later = i + 1; later < size(); ++later)
            if (row(later).direction == row(i).direction && payload_of(flow_, row(later)) > 0 &&
                !was_sent(sequence(later), i))
                return true;
        return false;
    }
    bool was_sent(std::uint32_t number, std::size_t until) {
        for (std::size_t i = 0; i <= until; ++i)
            if (row(i).direction == row(until).direction && number - sequence(i) < payload_of(flow_, row(i)))
                return true;
        return false;
    }

    Draft& draft_;
    DraftFlow& flow_;
    const TypicalSyns& syns_;
    std::vector<bool> kept_syn_;       ///< segments that may be SYNs
    std::array<bool, 2> early_fin_{};  ///< by direction
};

}  // namespace

void choose_tcp_flags(Draft& draft) {
    const TypicalSyns syns(draft);
    for (DraftFlow& flow : draft.flows)
        if (flow.protocol == ip_protocol::tcp && !flow.rows.empty()) FlagRepair(draft, flow, syns).run();
}

}  // namespace tracebench::diffusion
