#pragma once
/// The legal list of TCP options that is nearest to bits which are none.

#include <array>
#include <cstdint>
#include <span>

namespace tracebench::diffusion {

inline constexpr std::size_t kOptionBytes = 40;
using OptionBits = std::span<std::int8_t, 8 * kOptionBytes>;
using OptionBitsView = std::span<const std::int8_t, 8 * kOptionBytes>;

/// Options that a list has, as bits.
namespace option_set {
inline constexpr std::uint32_t mss = 1, window_scale = 2, sack_permitted = 4, sack = 8, timestamps = 16;
inline constexpr std::size_t count = 32;  ///< of sets
}  // namespace option_set

/// What a conversation asks of a segment's options, as sets.
struct OptionDemand {
    std::uint32_t required = 0, forbidden = 0;
};

struct OptionChoice {
    std::uint32_t words = 0;  ///< length of the list in words of 4 bytes
    std::uint32_t cost = 0;   ///< bits altered, those of the data offset field included
    std::uint32_t set = 0;    ///< options in the list
};

/// Makes the bits a legal list of options, for a header whose data offset field says `words` of them (from -5
/// to 10: the field may be illegal). Altered are as few bits as can be; of several such lists the first in
/// the order of lengths. Legal: as the rules tcp.option* ask of a segment with or without SYN. Demands that a
/// segment cannot meet (maximum segment size without SYN) must not be made.
OptionChoice make_option_list_legal(OptionBits bits, int words, bool syn, const OptionDemand& demand = {});

/// The least change that makes a header with options (IPv4's) as long as it says: in words of 4 bytes, by the
/// bits that are present and those of the length field. Fills absent bits with 0.
std::uint32_t make_option_length_legal(OptionBits bits, int words);

}  // namespace tracebench::diffusion
