#include <algorithm>
#include <optional>

#include "generators/diffusion/repair/steps.h"

namespace tracebench::diffusion {
namespace {

using namespace tcp_flag;

class FlagRepair {
  public:
    FlagRepair(Draft& draft, DraftFlow& flow) : draft_(draft), flow_(flow) {}

    void run() {
        open();
        for (std::size_t i = 0; i < size(); ++i) {
            std::uint8_t now = flags(i);
            const bool opens = i < kept_syn_.size() && kept_syn_[i];
            if ((now & syn) != 0 && !opens) now = static_cast<std::uint8_t>(now & ~syn);
            if ((now & (syn | rst)) != 0) now = static_cast<std::uint8_t>(now & ~fin);
            if ((now & syn) != 0) now = static_cast<std::uint8_t>(now & ~rst);
            if ((now & rst) != 0 && sends_later(i)) now = static_cast<std::uint8_t>(now & ~rst);
            if ((now & fin) != 0 && sends_new_later(i)) now = static_cast<std::uint8_t>(now & ~fin);
            if ((now & (ack | syn | rst)) == 0) now |= ack;
            set_flags(i, now);
        }
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
    std::vector<bool> kept_syn_;  ///< segments that may be SYNs
};

}  // namespace

void choose_tcp_flags(Draft& draft) {
    for (DraftFlow& flow : draft.flows)
        if (flow.protocol == ip_protocol::tcp && !flow.rows.empty()) FlagRepair(draft, flow).run();
}

}  // namespace tracebench::diffusion
