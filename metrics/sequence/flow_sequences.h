#pragma once
/// Flows as what a program on the path sees of them one packet after the other: direction and size.

#include <cstdint>
#include <span>
#include <vector>

#include "datasets/samples.h"

namespace tracebench {

/// One flow's packets. Of sizes the first max_packets are kept.
struct FlowSequence {
    static constexpr std::size_t max_packets = 100;

    std::uint32_t session = 0;
    std::vector<float> sizes;  ///< frame length over 1500, at most 1; negative in reverse: -1..1
    /// Trigrams of (direction, payload size class) codes, see trigram_codes.
    std::vector<std::uint16_t> trigrams;
};

/// Codes are below this: three symbols of ten classes, a start and an end.
inline constexpr std::size_t trigram_codes = 12 * 12 * 12;

/// At most `most` flows, drawn at random where there are more, in order of sessions and first packets. A flow
/// of n packets has n trigrams: start and end count as symbols, so (start, a, b), (a, b, c), (b, c, end); one
/// packet gives (start, a, end).
std::vector<FlowSequence> flow_sequences(const Samples& samples, std::size_t most, std::uint64_t seed);

/// At most `count` of them, drawn at random without replacement and in their order.
std::vector<FlowSequence> thinned(const std::vector<FlowSequence>& flows, std::size_t count,
                                  std::uint64_t seed);

/// How far every flow is from its nearest one of each other session: all that set distances and their
/// resampling need.
class NearestFlows {
  public:
    static constexpr std::size_t band = 10;  ///< of dtw_distance(), in packets

    /// Sessions of `left` are numbered first, then those of `right`. With an empty `right`, all of `left` is
    /// compared with all of it that is of another session; else `left` with `right`.
    NearestFlows(std::span<const FlowSequence> left, std::size_t left_sessions,
                 std::span<const FlowSequence> right, std::size_t right_sessions);

    /// Half of the mean over flows of the left of the DTW distance to the nearest flow of the right, and half
    /// of the reverse, with sessions weighted; a session must not have weight on both sides. 0..2. NaN where
    /// a side has no flow.
    double distance(std::span<const double> left, std::span<const double> right) const;

  private:
    double one_way(std::span<const double> from, std::span<const double> to) const;

    std::size_t sessions_ = 0;
    std::vector<std::uint32_t> session_;  ///< one a flow
    std::vector<float> nearest_;          ///< flow by flow, one a session; infinity: not compared
};

}  // namespace tracebench
