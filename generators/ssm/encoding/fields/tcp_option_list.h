#pragma once
/// TCP options taken apart: which there are, in which order, and what they say.

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace tracebench::ssm {

/// The options of a header in order, as values of Item::option (code::nop, code::timestamps, ...).
struct OptionList {
    std::array<std::uint8_t, 40> codes{};
    std::uint8_t count = 0;
    std::string others{};  ///< kind and value of each option without a code of its own, one after another

    void add(int code);
    bool has(int code) const;
    int sack_blocks() const;  ///< 0: none
    /// Without options of this code.
    OptionList without(int code) const;
    /// Bytes on the wire, without padding.
    int size() const;

    bool operator==(const OptionList&) const = default;
};

/// What the options with a meaning say.
struct OptionValues {
    std::uint16_t mss = 0;
    std::uint8_t window_scale = 0;
    std::uint32_t timestamp = 0, echo = 0;
    std::array<std::uint32_t, 8> edges{};  ///< of the SACK blocks

    bool operator==(const OptionValues&) const = default;
};

struct ParsedOptions {
    OptionList list;
    OptionValues values;
};
/// Nothing where the bytes are not well formed, or repeat an option that has a code.
std::optional<ParsedOptions> parse_options(std::span<const std::uint8_t> bytes);
/// As they stand in a header; padded to 32 bits with no-operations.
std::vector<std::uint8_t> write_options(const OptionList& list, const OptionValues& values);

}  // namespace tracebench::ssm
