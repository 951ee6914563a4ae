#pragma once
/// Which byte may come next in the options of a TCP header (RFC 9293 section 3.1), so that every option is
/// whole, has a legal length, stands on a segment where it may stand, and agrees with the conversation. The
/// rule table's own checks decide on the finished packet; this is what leads there byte by byte.

#include <array>
#include <cstdint>

#include "generators/ssm/encoding/netssm_bytes.h"
#include "generators/ssm/encoding/netssm_flows.h"

namespace tracebench::ssm {

class OptionGrammar {
  public:
    /// Of `segment` everything but the options is known. `size` is theirs, 0 to 40 bytes.
    void begin(const FlowEnd& end, const SegmentFields& segment, std::uint32_t size);
    /// Requires fewer than `size` bytes accepted. Everything after a byte that was not allowed.
    ByteSet allowed() const;
    void accept(std::uint8_t byte);

  private:
    std::uint32_t left() const { return size_ - at_; }
    bool fits(std::uint32_t length) const { return left() >= length + (timestamps_due_ ? 10 : 0); }
    bool is_new(std::uint8_t kind) const { return (seen_ & (1U << kind)) == 0; }
    ByteSet kinds() const;
    bool legal_length(std::uint8_t kind, std::uint32_t length) const;
    ByteSet value_byte(std::uint32_t offset) const;
    NumberSet sack_edge(std::uint32_t number) const;

    FlowEnd end_;
    SegmentFields segment_;
    NumberSet timestamps_, echoes_;
    bool timestamps_due_ = false, timestamps_legal_ = false, sack_legal_ = false;

    std::array<std::uint8_t, 40> bytes_{};
    std::uint32_t size_ = 0, at_ = 0;
    std::uint32_t start_ = 0;   ///< where the option begins that is being written
    std::uint32_t length_ = 0;  ///< its length; 0 before it is known
    bool inside_ = false;       ///< of an option
    bool ended_ = false;        ///< by End of Option List
    bool lost_ = false;         ///< something was accepted that is no option
    std::uint32_t seen_ = 0;    ///< a bit a kind up to 8
};

}  // namespace tracebench::ssm
