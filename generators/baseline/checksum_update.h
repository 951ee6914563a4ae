#pragma once
/// Changes inside a packet that keep right checksums right (and wrong ones wrong) without the payload,
/// which may have been cut off: RFC 1624.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace tracebench {

/// Where a checksum stands and which other checksums cover it (that of an ICMP error covers those of the
/// packet it quotes).
struct ChecksumField {
    std::size_t offset = 0;
    bool zero_means_none = false;  ///< UDP over IPv4 (RFC 768)
    std::vector<const ChecksumField*> covered_by;
};

/// Overwrites `bytes[offset...]` with `value` and corrects the checksums that cover it. Both the offset
/// (counted from where each checksum begins) and the length are even. Requires that all of it, and each
/// checksum, lies within `bytes`.
void replace_bytes(std::span<std::uint8_t> bytes, std::size_t offset, std::span<const std::uint8_t> value,
                   std::span<const ChecksumField* const> covered_by);

}  // namespace tracebench
