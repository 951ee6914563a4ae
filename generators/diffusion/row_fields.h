#pragma once
/// The columns of nPrint's fields as numbers: reading and writing them in rows of bits.

#include <cstdint>
#include <span>

#include "traffic/nprint.h"

namespace tracebench::diffusion {

/// Columns [first, first + width), at most 32.
struct Field {
    std::uint16_t first, width;
};

/// As nprint_fields() has them; options are not numbers and have their first column only.
namespace field {
inline constexpr Field version{0, 4}, header_words{4, 4}, tos{8, 8}, total_length{16, 16}, ip_id{32, 16},
    reserved_bit{48, 1}, dont_fragment{49, 1}, more_fragments{50, 1}, fragment_offset{51, 13}, ttl{64, 8},
    protocol{72, 8}, ip_checksum{80, 16}, source{96, 32}, destination{128, 32};
inline constexpr std::uint16_t ip_options = 160, tcp = 480, tcp_options = 640, udp = 960, icmp = 1024;
inline constexpr Field tcp_source{480, 16}, tcp_destination{496, 16}, sequence{512, 32},
    acknowledgement{544, 32}, data_offset{576, 4}, tcp_flags{584, 8}, ack_flag{587, 1}, syn_flag{590, 1},
    window{592, 16}, tcp_checksum{608, 16}, urgent_pointer{624, 16},
    first_option{640, 32};  ///< the first four bytes of TCP's options
inline constexpr Field udp_source{960, 16}, udp_destination{976, 16}, udp_length{992, 16},
    udp_checksum{1008, 16};
inline constexpr Field icmp_type{1024, 8}, icmp_code{1032, 8}, icmp_checksum{1040, 16}, icmp_rest{1056, 32};
}  // namespace field

using BitsView = std::span<const std::int8_t, kNprintColumns>;
using Bits = std::span<std::int8_t, kNprintColumns>;

/// Absent bits count as 0.
inline std::uint32_t get(BitsView row, Field f) {
    std::uint32_t value = 0;
    for (std::size_t i = f.first; i < std::size_t{f.first} + f.width; ++i)
        value = value << 1 | (row[i] > 0 ? 1U : 0U);
    return value;
}
/// Makes absent bits present.
inline void put(Bits row, Field f, std::uint32_t value) {
    for (std::size_t i = 0; i < f.width; ++i)
        row[f.first + i] = static_cast<std::int8_t>(value >> (f.width - 1 - i) & 1);
}
/// Leaves absent bits absent.
inline void put_where_present(Bits row, Field f, std::uint32_t value) {
    for (std::size_t i = 0; i < f.width; ++i)
        if (row[f.first + i] >= 0)
            row[f.first + i] = static_cast<std::int8_t>(value >> (f.width - 1 - i) & 1);
}
inline std::uint32_t count_present(BitsView row, std::size_t first, std::size_t width) {
    std::uint32_t count = 0;
    for (std::size_t i = first; i < first + width; ++i) count += row[i] >= 0;
    return count;
}
inline bool is_present(BitsView row, Field f) {
    return count_present(row, f.first, f.width) > 0;
}

}  // namespace tracebench::diffusion
