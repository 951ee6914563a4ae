#include "generators/baseline/checksum_update.h"

#include "traffic/bytes.h"

namespace tracebench {
namespace {

/// RFC 1624 equation 3: HC' = ~(~HC + ~m + m').
std::uint16_t updated(std::uint16_t checksum, std::uint16_t before, std::uint16_t after) {
    std::uint32_t sum = static_cast<std::uint32_t>(static_cast<std::uint16_t>(~checksum)) +
                        static_cast<std::uint16_t>(~before) + after;
    sum = (sum & 0xFFFF) + (sum >> 16);
    sum = (sum & 0xFFFF) + (sum >> 16);
    return static_cast<std::uint16_t>(~sum);
}

void replace_word(std::span<std::uint8_t> bytes, std::size_t offset, std::uint16_t after,
                  std::span<const ChecksumField* const> covered_by) {
    const std::uint16_t before = load16(&bytes[offset]);
    if (before == after) return;
    store16(&bytes[offset], after);
    for (const ChecksumField* field : covered_by) {
        const std::uint16_t checksum = load16(&bytes[field->offset]);
        if (checksum == 0 && field->zero_means_none) continue;
        std::uint16_t fresh = updated(checksum, before, after);
        if (fresh == 0 && field->zero_means_none) fresh = 0xFFFF;
        replace_word(bytes, field->offset, fresh, field->covered_by);
    }
}

}  // namespace

void replace_bytes(std::span<std::uint8_t> bytes, std::size_t offset, std::span<const std::uint8_t> value,
                   std::span<const ChecksumField* const> covered_by) {
    for (std::size_t i = 0; i + 2 <= value.size(); i += 2)
        replace_word(bytes, offset + i, load16(&value[i]), covered_by);
}

}  // namespace tracebench
