#include <optional>

#include "generators/diffusion/repair/option_list.h"
#include "generators/diffusion/repair/steps.h"

namespace tracebench::diffusion {
namespace {

using namespace tcp_flag;

constexpr int fixed_words = 5;  // of both headers, without options

OptionBits options_at(NprintRow& bits, std::size_t first) {
    return OptionBits(bits.data() + first, 8 * kOptionBytes);
}

void make_ipv4_options_legal(DraftRow& row) {
    put(row.bits, field::version, 4);
    const int words = static_cast<int>(get(row.bits, field::header_words)) - fixed_words;
    const std::uint32_t options = make_option_length_legal(options_at(row.bits, field::ip_options), words);
    put(row.bits, field::header_words, fixed_words + options);
}

OptionChoice choose(NprintRow& bits, const OptionDemand& demand) {
    const int words = static_cast<int>(get(bits, field::data_offset)) - fixed_words;
    const bool is_syn = get(bits, field::syn_flag) != 0;
    const OptionChoice choice =
        make_option_list_legal(options_at(bits, field::tcp_options), words, is_syn, demand);
    put(bits, field::data_offset, fixed_words + choice.words);
    return choice;
}
OptionChoice try_choice(const NprintRow& bits, const OptionDemand& demand) {
    NprintRow copy = bits;
    return choose(copy, demand);
}

/// The options of one conversation: what a SYN-ACK and later segments have depends on what the SYNs had.
class Conversation {
  public:
    Conversation(Draft& draft, const DraftFlow& flow) : draft_(draft), flow_(flow) {}

    void run() {
        for (const std::uint32_t r : flow_.rows) find_syns(draft_.rows[r]);
        if (syn_ != nullptr && answer_ != nullptr) agree();
        for (const std::uint32_t r : flow_.rows) {
            DraftRow& row = draft_.rows[r];
            choose(row.bits, demand_of(row));
        }
    }

  private:
    static std::uint8_t flags(const DraftRow& row) {
        return static_cast<std::uint8_t>(get(row.bits, field::tcp_flags));
    }

    void find_syns(const DraftRow& row) {
        if ((flags(row) & syn) == 0) return;
        const DraftRow*& first = (flags(row) & ack) == 0 ? syn_ : answer_;
        if (first == nullptr) first = &row;
    }

    void agree() {
        agree_on_timestamps();
        for (const std::uint32_t option : {option_set::window_scale, option_set::sack_permitted})
            agree_on(option);
        const bool initiator_permits =
                       (try_choice(syn_->bits, of_syn_).set & option_set::sack_permitted) != 0,
                   answer_permits =
                       (try_choice(answer_->bits, of_answer_).set & option_set::sack_permitted) != 0;
        if (!initiator_permits) later_[static_cast<int>(answer_->direction)].forbidden |= option_set::sack;
        if (!answer_permits) later_[static_cast<int>(syn_->direction)].forbidden |= option_set::sack;
    }

    /// On all segments or on none: as most of those after the SYNs have it.
    void agree_on_timestamps() {
        std::size_t with = 0, later = 0;
        for (const std::uint32_t r : flow_.rows) {
            const DraftRow& row = draft_.rows[r];
            if ((flags(row) & (syn | rst)) != 0) continue;
            ++later;
            with += (try_choice(row.bits, {}).set & option_set::timestamps) != 0;
        }
        const bool agreed =
            later > 0 ? 2 * with > later : (try_choice(answer_->bits, {}).set & option_set::timestamps) != 0;
        if (agreed) {
            of_syn_.required |= option_set::timestamps;
            of_answer_.required |= option_set::timestamps;
        } else {
            of_answer_.forbidden |= option_set::timestamps;
        }
        for (OptionDemand& demand : later_)
            (agreed ? demand.required : demand.forbidden) |= option_set::timestamps;
    }

    /// A SYN-ACK has an option only if the SYN had it: either both have it or the answer has not.
    void agree_on(std::uint32_t option) {
        const OptionChoice offer = try_choice(syn_->bits, of_syn_),
                           answer = try_choice(answer_->bits, of_answer_);
        if ((answer.set & option) == 0 || (offer.set & option) != 0) return;
        OptionDemand with = of_syn_, without = of_answer_;
        with.required |= option;
        without.forbidden |= option;
        const std::uint32_t to_offer = try_choice(syn_->bits, with).cost - offer.cost,
                            to_drop = try_choice(answer_->bits, without).cost - answer.cost;
        if (to_offer <= to_drop) {
            of_syn_ = with;
        } else {
            of_answer_ = without;
        }
    }

    OptionDemand demand_of(const DraftRow& row) const {
        if (syn_ == nullptr || answer_ == nullptr || (flags(row) & rst) != 0) return {};
        if ((flags(row) & syn) != 0) return (flags(row) & ack) == 0 ? of_syn_ : of_answer_;
        return later_[static_cast<int>(row.direction)];
    }

    Draft& draft_;
    const DraftFlow& flow_;
    const DraftRow *syn_ = nullptr, *answer_ = nullptr;
    OptionDemand of_syn_, of_answer_, later_[2];  ///< the latter by direction
};

}  // namespace

void make_options_legal(Draft& draft) {
    for (DraftRow& row : draft.rows)
        if (!draft.flow_of(row).ipv6) make_ipv4_options_legal(row);
    for (const DraftFlow& flow : draft.flows)
        if (flow.protocol == ip_protocol::tcp) Conversation(draft, flow).run();
}

}  // namespace tracebench::diffusion
