#pragma once
/// Flows as an attacker on privacy would compare them: as sequences, as points, by their first bytes, and
/// sessions by whom they name.

#include <cstdint>
#include <string>
#include <vector>

#include "datasets/samples.h"
#include "metrics/privacy/identifiers.h"
#include "metrics/privacy/minhash.h"

namespace tracebench {

/// Flows of at least this many packets are compared as sequences: shorter ones coincide by nature.
inline constexpr std::size_t min_copy_packets = 5;
/// Sequences are compared up to here, which bounds what one endless flow can cost.
inline constexpr std::size_t max_sequence_packets = 4096;

struct FlowRecord {
    std::uint32_t session = 0;  ///< which sample it is of
    std::size_t packets = 0;
    /// (direction, frame length, TCP flags) of every packet, in 31 bits.
    std::vector<std::uint32_t> sequence;
    MinHash signature{};
    /// Values of flow_fields() without ports, counts and times by their logarithm; NaN where
    /// one is not defined.
    std::vector<double> features;
    /// Hashes of all runs of payload_window bytes among the first payload_bytes captured of either
    /// direction, in order; 0 between the directions and for runs of filler (fewer than four different
    /// bytes).
    std::vector<std::uint64_t> payload_windows;

    bool is_sequence() const { return packets >= min_copy_packets; }
};

inline constexpr std::size_t payload_window = 16, payload_bytes = 256;

/// Flows of a side that are kept, about 5 kB each; of more, as many at random.
inline constexpr std::size_t max_view_flows = 20'000;

struct PrivacyView {
    std::vector<FlowRecord> flows;         ///< session after session
    std::vector<Identifiers> identifiers;  ///< one a sample
    std::vector<std::string> labels;       ///< one a sample

    std::size_t sessions() const { return labels.size(); }
};

PrivacyView view_privacy(const Samples& samples);

}  // namespace tracebench
