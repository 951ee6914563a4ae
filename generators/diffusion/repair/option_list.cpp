#include "generators/diffusion/repair/option_list.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <vector>

#include "traffic/rules/tcp_options.h"

namespace tracebench::diffusion {
namespace {

constexpr std::uint32_t unreachable = std::numeric_limits<std::uint32_t>::max() / 2;
constexpr std::size_t words_at_most = kOptionBytes / 4;

/// Bits that differ between what the length field says and what it is to say.
std::uint32_t length_cost(int words, std::size_t wanted) {
    constexpr int fixed_words = 5;
    return static_cast<std::uint32_t>(std::popcount(static_cast<unsigned>(words + fixed_words) ^
                                                    static_cast<unsigned>(wanted + fixed_words)));
}

/// Bits to alter, by byte.
class ByteCosts {
  public:
    explicit ByteCosts(OptionBitsView bits) {
        for (std::size_t i = 0; i < kOptionBytes; ++i)
            for (std::size_t bit = 0; bit < 8; ++bit) {
                const std::int8_t value = bits[8 * i + bit];
                const auto mask = static_cast<std::uint8_t>(0x80 >> bit);
                if (value < 0) absent_[i] = static_cast<std::uint8_t>(absent_[i] | mask);
                if (value > 0) ones_[i] = static_cast<std::uint8_t>(ones_[i] | mask);
            }
    }
    std::uint8_t value(std::size_t i) const { return ones_[i]; }
    bool is_exactly(std::size_t i, std::uint8_t value) const { return absent_[i] == 0 && ones_[i] == value; }
    /// To make byte i this value.
    std::uint32_t as(std::size_t i, std::uint8_t value) const {
        return static_cast<std::uint32_t>(
            std::popcount(static_cast<unsigned>((ones_[i] ^ value) | absent_[i])));
    }
    /// To make bytes [from, to) present, whatever they say.
    std::uint32_t present(std::size_t from, std::size_t to) const {
        std::uint32_t cost = 0;
        for (std::size_t i = from; i < to; ++i)
            cost += static_cast<std::uint32_t>(std::popcount(unsigned{absent_[i]}));
        return cost;
    }
    std::uint32_t zero(std::size_t from, std::size_t to) const {
        std::uint32_t cost = 0;
        for (std::size_t i = from; i < to; ++i) cost += as(i, 0);
        return cost;
    }
    /// To make all bytes from `from` on absent.
    std::uint32_t absent_from(std::size_t from) const {
        std::uint32_t cost = 0;
        for (std::size_t i = from; i < kOptionBytes; ++i)
            cost += 8 - static_cast<std::uint32_t>(std::popcount(unsigned{absent_[i]}));
        return cost;
    }

  private:
    std::array<std::uint8_t, kOptionBytes> ones_{}, absent_{};
};

/// An option that may stand at some place, and what it costs there.
struct Candidate {
    std::uint8_t kind = 0, length = 0;  ///< length in bytes; 1: no length byte
    std::uint32_t cost = 0;
};

/// Options that may not occur twice.
std::uint32_t set_of(std::uint8_t kind) {
    switch (kind) {
        case tcp_option::mss:
            return option_set::mss;
        case tcp_option::window_scale:
            return option_set::window_scale;
        case tcp_option::sack_permitted:
            return option_set::sack_permitted;
        case tcp_option::sack:
            return option_set::sack;
        case tcp_option::timestamps:
            return option_set::timestamps;
        default:
            return 0;
    }
}
constexpr std::size_t sets = option_set::count;

class LegalLists {
  public:
    LegalLists(OptionBits bits, bool syn, const OptionDemand& demand)
        : bits_(bits), costs_(bits), syn_(syn), demand_(demand) {
        at(0, 0).cost = 0;
        for (std::size_t place = 0; place < kOptionBytes; ++place)
            for (std::size_t set = 0; set < sets; ++set)
                if (at(place, set).cost < unreachable) step(place, set);
    }

    OptionChoice make(int words) {
        End best;
        for (std::size_t length = 0; length <= words_at_most; ++length) {
            const std::size_t bytes = 4 * length;
            const std::uint32_t outside = costs_.absent_from(bytes) + length_cost(words, length);
            // A list may end before the header does, with zeros after it.
            for (std::size_t end = 0; end <= bytes; ++end) {
                const std::uint32_t rest = outside + costs_.zero(end, bytes);
                for (std::size_t set = 0; set < sets; ++set)
                    if (const std::uint32_t cost = at(end, set).cost + rest;
                        cost < best.cost && (set & demand_.required) == demand_.required)
                        best = {cost, length, end, set};
            }
        }
        write(best.end, best.set, 4 * best.words);
        return {static_cast<std::uint32_t>(best.words), best.cost, static_cast<std::uint32_t>(best.set)};
    }

  private:
    struct State {
        std::uint32_t cost = unreachable;
        std::uint8_t from_place = 0, from_set = 0, kind = 0, length = 0;
    };
    struct End {
        std::uint32_t cost = unreachable;
        std::size_t words = 0, end = 0,
                    set = 0;  ///< length; where the list ends; what is in it
    };
    State& at(std::size_t place, std::size_t set) { return reached_[place * sets + set]; }

    void step(std::size_t place, std::size_t set) {
        const auto offer = [&](std::uint8_t kind, std::uint8_t length, std::uint32_t cost) {
            const std::uint32_t mask = set_of(kind);
            if (place + length > kOptionBytes || ((set | demand_.forbidden) & mask) != 0) return;
            State& next = at(place + length, set | mask);
            const std::uint32_t total = at(place, set).cost + cost;
            if (total >= next.cost) return;
            next = {total, static_cast<std::uint8_t>(place), static_cast<std::uint8_t>(set), kind, length};
        };
        /// Kind and length byte, contents as they are.
        const auto option = [&](std::uint8_t kind, std::uint8_t length, std::uint32_t contents = 0) {
            if (place + length > kOptionBytes) return;
            offer(kind, length,
                  costs_.as(place, kind) + costs_.as(place + 1, length) +
                      costs_.present(place + 2, place + length) + contents);
        };
        offer(tcp_option::nop, 1, costs_.as(place, tcp_option::nop));
        if (syn_) {
            const bool no_size =
                place + 4 <= kOptionBytes && costs_.value(place + 2) == 0 && costs_.value(place + 3) == 0;
            option(tcp_option::mss, 4, no_size ? 1 : 0);
            if (place + 3 <= kOptionBytes) option(tcp_option::window_scale, 3, scale_cost(place + 2));
            option(tcp_option::sack_permitted, 2);
        } else {
            for (std::uint8_t blocks = 1; blocks <= 4; ++blocks)
                option(tcp_option::sack, static_cast<std::uint8_t>(2 + 8 * blocks));
        }
        option(tcp_option::timestamps, 10);
        if (other_option_is_here(place)) option(costs_.value(place), costs_.value(place + 1));
    }

    /// A window scale above 14 loses its high bits, and one of the low ones where that leaves 15.
    static std::uint8_t legal_scale(std::uint8_t scale) {
        const auto low = static_cast<std::uint8_t>(scale & 0x0F);
        return low == 15 ? 14 : low;
    }
    std::uint32_t scale_cost(std::size_t place) const {
        return static_cast<std::uint32_t>(
            std::popcount(unsigned{costs_.value(place)} ^ unsigned{legal_scale(costs_.value(place))}));
    }

    /// Any other kind stays where it is whole and legal; nothing is made into one.
    bool other_option_is_here(std::size_t place) const {
        if (place + 2 > kOptionBytes) return false;
        const std::uint8_t kind = costs_.value(place), length = costs_.value(place + 1);
        if (!costs_.is_exactly(place, kind) || !costs_.is_exactly(place + 1, length)) return false;
        switch (kind) {
            case tcp_option::md5:
                return length == 18;
            case tcp_option::user_timeout:
                return length == 4;
            case tcp_option::multipath:
                return length >= 3;
            case tcp_option::fast_open:
                return length == 2 || (length >= 6 && length <= 18 && length % 2 == 0);
            case tcp_option::authentication:
            case tcp_option::experiment_1:
            case tcp_option::experiment_2:
                return length >= 4;
            default:
                return kind > tcp_option::timestamps && length >= 2;
        }
    }

    void set_byte(std::size_t place, std::uint8_t value) {
        for (std::size_t bit = 0; bit < 8; ++bit)
            bits_[8 * place + bit] = static_cast<std::int8_t>(value >> (7 - bit) & 1);
    }
    void write(std::size_t end, std::size_t set, std::size_t bytes) {
        for (std::size_t place = end; place < bytes; ++place) set_byte(place, 0);
        std::fill(bits_.begin() + static_cast<std::ptrdiff_t>(8 * bytes), bits_.end(), std::int8_t{-1});
        while (end > 0) {
            const State state = at(end, set);
            end = state.from_place;
            set = state.from_set;
            write_option(end, state.kind, state.length);
        }
    }
    void write_option(std::size_t place, std::uint8_t kind, std::uint8_t length) {
        set_byte(place, kind);
        if (kind == tcp_option::nop) return;
        set_byte(place + 1, length);
        for (std::size_t i = place + 2; i < place + length; ++i) set_byte(i, costs_.value(i));
        const bool no_size =
            kind == tcp_option::mss && costs_.value(place + 2) == 0 && costs_.value(place + 3) == 0;
        if (no_size) set_byte(place + 2, 4);  // one bit more: 1024 bytes
        if (kind == tcp_option::window_scale) set_byte(place + 2, legal_scale(costs_.value(place + 2)));
    }

    OptionBits bits_;
    ByteCosts costs_;
    bool syn_;
    OptionDemand demand_;
    std::array<State, (kOptionBytes + 1) * sets> reached_;
};

}  // namespace

OptionChoice make_option_list_legal(OptionBits bits, int words, bool syn, const OptionDemand& demand) {
    return LegalLists(bits, syn, demand).make(words);
}

std::uint32_t make_option_length_legal(OptionBits bits, int words) {
    const ByteCosts costs(bits);
    std::uint32_t best = unreachable;
    std::size_t best_words = 0;
    for (std::size_t length = 0; length <= words_at_most; ++length) {
        const std::uint32_t cost =
            costs.present(0, 4 * length) + costs.absent_from(4 * length) + length_cost(words, length);
        if (cost >= best) continue;
        best = cost;
        best_words = length;
    }
    for (std::size_t i = 0; i < bits.size(); ++i) {
        if (i >= 32 * best_words) {
            bits[i] = -1;
        } else if (bits[i] < 0) {
            bits[i] = 0;
        }
    }
    return static_cast<std::uint32_t>(best_words);
}

}  // namespace tracebench::diffusion
