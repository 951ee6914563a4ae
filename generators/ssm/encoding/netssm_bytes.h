#pragma once
/// Sets of bytes, and of 32-bit numbers that are written byte by byte: what constrained decoding of NetSSM's
/// packets allows next.

#include <bitset>
#include <cstdint>
#include <span>
#include <vector>

namespace tracebench::ssm {

using ByteSet = std::bitset<256>;

inline ByteSet all_bytes() {
    return ByteSet().set();
}
inline ByteSet one_byte(std::uint8_t byte) {
    return ByteSet().set(byte);
}
/// Requires a set that is not empty.
inline std::uint8_t lowest_byte(const ByteSet& bytes) {
    std::size_t byte = 0;
    while (!bytes[byte]) ++byte;
    return static_cast<std::uint8_t>(byte);
}

/// Ranges of 32-bit numbers; arithmetic is modulo 2^32, as for TCP's numbers (RFC 9293 section 3.4).
class NumberSet {
  public:
    /// Every number.
    static NumberSet any() {
        NumberSet set;
        set.add_range(0, UINT32_MAX);
        return set;
    }

    void add(std::uint32_t number) { ranges_.push_back({number, 0}); }
    /// first, first + 1, ... last, which may wrap around.
    void add_range(std::uint32_t first, std::uint32_t last) { ranges_.push_back({first, last - first}); }
    bool empty() const { return ranges_.empty(); }
    bool contains(std::uint32_t number) const {
        for (const Range& range : ranges_)
            if (number - range.first <= range.span) return true;
        return false;
    }
    /// Which byte may follow `prefix`, the leading 0 to 3 bytes of a number of the set (big endian); none
    /// where no number begins so.
    ByteSet next_byte(std::span<const std::uint8_t> prefix) const {
        std::uint32_t known = 0;
        for (const std::uint8_t byte : prefix) known = known << 8 | byte;
        const unsigned shift = 24 - 8 * static_cast<unsigned>(prefix.size());
        const std::uint32_t free = (std::uint32_t{1} << shift) - 1;
        ByteSet bytes;
        for (std::uint32_t byte = 0; byte < 256; ++byte) {
            const std::uint32_t lowest = (known << 8 | byte) << shift;
            for (const Range& range : ranges_)
                if (lowest - range.first <= range.span || range.first - lowest <= free) bytes.set(byte);
        }
        return bytes;
    }

  private:
    struct Range {
        std::uint32_t first, span;
    };
    std::vector<Range> ranges_;
};

}  // namespace tracebench::ssm
