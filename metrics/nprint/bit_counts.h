#pragma once
/// How often every nPrint bit is 1, 0 or absent, session by session: all that distances between bits and
/// their resampling need.

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "datasets/samples.h"

namespace tracebench {

/// A column that a session has in at least one packet.
struct BitCell {
    std::uint16_t column = 0;
    std::uint32_t ones = 0, zeros = 0;  ///< packets; in all others of the session the bit is absent
};

class BitCounts {
  public:
    /// One pass over the packets. Those without an nPrint row (neither IPv4, TCP, UDP nor ICMP) are left out,
    /// as nPrint leaves them out; see nprint_row().
    explicit BitCounts(const Samples& samples);

    std::size_t sessions() const { return rows_.size(); }
    /// Packets with a row.
    std::uint64_t rows(std::size_t session) const { return rows_[session]; }
    std::uint64_t rows() const;
    /// In column order.
    std::span<const BitCell> cells(std::size_t session) const;

  private:
    std::vector<std::uint64_t> rows_;      ///< one a session
    std::vector<std::size_t> first_cell_;  ///< one a session, and the end
    std::vector<BitCell> cells_;
};

/// Packets (or their weights) in which a column is 1, 0 and absent, in this order.
using BitMasses = std::array<double, 3>;
/// One entry a column, kNprintColumns in all; empty where there is no packet.
using BitTable = std::vector<BitMasses>;

/// Session s of `a` counts weights[s] times, session s of `b` weights[a.sessions() + s] times.
BitTable weighted_bits(const BitCounts& a, const BitCounts& b, std::span<const double> weights);
/// Every session once.
BitTable pooled_bits(const BitCounts& counts);
BitTable pooled_bits(const BitCounts& a, const BitCounts& b);

/// More than one of 1, 0 and absent occurs.
bool varies(const BitMasses& masses);
/// 1 or 0 occurs.
bool is_present(const BitMasses& masses);

/// What a model would draw that knows which of 1, 0 and absent occur in each column and nothing else: each
/// equally often. Empty where `real` is.
BitTable know_nothing(const BitTable& real);

}  // namespace tracebench
