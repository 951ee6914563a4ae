#include "traffic/nprint_counter.h"

#include <bit>
#include <cstring>

#include "traffic/nprint_parts.h"

namespace tracebench {
namespace {

static_assert(std::endian::native == std::endian::little, "words are read as they stand in memory");

/// Where each header begins in a row, in bytes.
constexpr std::array<std::size_t, 5> first_byte = {0, kNprintIpv4Bytes, kNprintIpv4Bytes + kNprintTcpBytes,
                                                   kNprintIpv4Bytes + kNprintTcpBytes + kNprintUdpBytes,
                                                   kNprintColumns / 8};

/// The column that bit `bit` of a word is: bytes in order, within a byte the highest bit first.
std::size_t column_of(std::size_t word, std::size_t bit) {
    return word * 64 + bit / 8 * 8 + (7 - bit % 8);
}

}  // namespace

bool NprintBitCounter::add(const PacketView& packet, const Headers& headers) {
    const NprintParts parts = nprint_parts(packet, headers);
    if (!parts.has_row) return false;
    ++rows_;
    std::array<std::uint8_t, bytes> row{};
    const std::array<std::span<const std::uint8_t>, 4> all = {parts.ipv4, parts.tcp, parts.udp, parts.icmp};
    for (std::size_t i = 0; i < all.size(); ++i) {
        ++lengths_[i][all[i].size()];
        if (!all[i].empty()) std::memcpy(row.data() + first_byte[i], all[i].data(), all[i].size());
    }
    for (std::size_t w = 0; w < words; ++w) {
        std::uint64_t carry = 0;
        std::memcpy(&carry, row.data() + 8 * w, 8);
        for (std::size_t p = 0; carry != 0; ++p) {
            const std::uint64_t both = planes_[w][p] & carry;
            planes_[w][p] ^= carry;
            carry = both;
        }
    }
    if (++pending_ == (1U << planes) - 1) add_up();
    return true;
}

void NprintBitCounter::add_up() {
    for (std::size_t w = 0; w < words; ++w) {
        for (std::size_t p = 0; p < planes; ++p)
            for (std::uint64_t plane = planes_[w][p]; plane != 0; plane &= plane - 1)
                ones_[column_of(w, static_cast<std::size_t>(std::countr_zero(plane)))] += 1U << p;
        planes_[w].fill(0);
    }
    pending_ = 0;
}

const NprintBitCounter::Counts& NprintBitCounter::ones() {
    add_up();
    return ones_;
}

NprintBitCounter::Counts NprintBitCounter::present() const {
    Counts result{};
    for (std::size_t i = 0; i < lengths_.size(); ++i) {
        std::uint32_t longer = 0;
        for (std::size_t byte = first_byte[i + 1] - first_byte[i]; byte-- > 0;) {
            longer += lengths_[i][byte + 1];
            for (std::size_t bit = 0; bit < 8; ++bit) result[(first_byte[i] + byte) * 8 + bit] = longer;
        }
    }
    return result;
}

}  // namespace tracebench
