#pragma once
/// Sequence and acknowledgement numbers as an image has them, and which of them agree with each other.

#include <array>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "generators/diffusion/repair/draft.h"
#include "traffic/rules/flow_state.h"

namespace tracebench::diffusion {

/// A segment as it stands in the draft; one that says to be shorter than its headers is as long as they are.
SegmentFields segment_of(const DraftFlow& flow, const DraftRow& row);

/// A number that is wrong agrees with no other: where segments of a sender begin and end, and what its peer
/// acknowledges, are the same numbers over and over.
class NumberWitnesses {
  public:
    /// Of all segments of a flow, before any number is changed.
    NumberWitnesses(const Draft& draft, const DraftFlow& flow);

    /// How many others agree with a number of the sender of segment i: its segments but this one that begin
    /// or end there, and its peer's that acknowledge it.
    std::uint32_t sequence_support(std::size_t i, std::uint32_t number) const;
    /// Whether the peer has a segment that begins or ends at segment i's acknowledgement number, or its
    /// sender has acknowledged it in another segment too.
    bool acknowledgement_is_supported(std::size_t i) const;
    /// Whether a segment of the sender of segment i begins at `number`, or its peer acknowledges it.
    bool is_an_end(std::size_t i, std::uint32_t number) const;
    /// Whether a later segment of the same sender begins in [begin, end), as sent again or out of order.
    bool is_filled_later(std::size_t i, std::uint32_t begin, std::uint32_t end) const;
    /// Whether the peer of the sender of segment i later acknowledges more than `number`.
    bool is_acknowledged_later(std::size_t i, std::uint32_t number) const;

    const SegmentFields& segment(std::size_t i) const { return segments_[i]; }
    Direction direction(std::size_t i) const { return directions_[i]; }
    std::size_t size() const { return segments_.size(); }

  private:
    using Counts = std::unordered_map<std::uint32_t, std::uint32_t>;  // looked up only
    static std::uint32_t count(const Counts& counts, std::uint32_t number) {
        const auto found = counts.find(number);
        return found == counts.end() ? 0 : found->second;
    }
    std::size_t side(std::size_t i) const { return static_cast<std::size_t>(directions_[i]); }

    std::vector<SegmentFields> segments_;
    std::vector<Direction> directions_;
    std::array<Counts, 2> begins_, ends_,
        acknowledged_;  ///< by sender of the segment; the latter by who acknowledges
};

}  // namespace tracebench::diffusion
