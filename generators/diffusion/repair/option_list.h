#pragma once
/// The legal list of TCP options that is nearest to bits which are none.

#include <array>
#include <cstdint>
#include <span>

namespace tracebench::diffusion {

inline constexpr std::size_t kOptionBytes = 40;
using OptionBits = std::span<std::int8_t, 8 * kOptionBytes>;
using OptionBitsView = std::span<const std::int8_t, 8 * kOptionBytes>;

/// Makes the bits a legal list of options and returns its length in words of 4 bytes, for a header whose data
/// offset field says `words` of them (from -5 to 10: the field may be illegal). Altered are as few bits as
/// can be, those of the data offset field included; of several such lists the one that comes first in the
/// order of lengths. Legal: as the rules tcp.option* ask of a segment with or without SYN.
std::uint32_t make_option_list_legal(OptionBits bits, int words, bool syn);

/// The least change that makes a header with options (IPv4's) as long as it says: in words of 4 bytes, by the
/// bits that are present and those of the length field. Fills absent bits with 0.
std::uint32_t make_option_length_legal(OptionBits bits, int words);

}  // namespace tracebench::diffusion
