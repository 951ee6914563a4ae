#pragma once
/// Shared bins for a field, fixed from the real data alone.
///
/// Numbers: K = 2 n^(2/5) bins of equal real mass (Mann and Wald, Ann. Math. Statist. 13(3), 1942), kept
/// within 8 and 64, between the smallest and the largest real value, and one bin each for everything below
/// and above. Where the real data has at most K different values each has a bin of its own. Equal mass
/// makes the distances independent of the field's unit and scale (no choice between linear and
/// logarithmic), and no bin is empty on the real side.
/// Categories: one bin a code that occurs on any side; none is cut.

#include <cstddef>
#include <span>
#include <vector>

#include "metrics/value_counts.h"

namespace tracebench {

class Bins {
  public:
    static constexpr std::size_t min_bins = 8, max_bins = 64;

    /// From real values, in any order. Values must be finite. Throws std::invalid_argument where there is
    /// none.
    static Bins numeric(std::span<const double> real);
    static Bins numeric(const RankedValues& real);
    /// From the codes of all sides, in any order, repeated or not. May be empty.
    static Bins categorical(std::vector<double> codes);

    bool is_numeric() const { return numeric_; }
    /// Bins in all; of numeric ones the first is the underflow and the last the overflow.
    std::size_t size() const { return numeric_ ? edges_.size() + 1 : edges_.size(); }
    /// Numeric: K + 1 ascending edges; bin i is [edge i, edge i+1), the last one closed on the right too (as
    /// numpy.histogram has it). Categorical: the codes, ascending.
    std::span<const double> edges() const { return edges_; }
    /// Which bin a value is in. A code that is in no bin throws std::invalid_argument.
    std::size_t index(double value) const;

  private:
    Bins(std::vector<double> edges, bool is_numeric) : edges_(std::move(edges)), numeric_(is_numeric) {}

    std::vector<double> edges_;
    bool numeric_;
};

}  // namespace tracebench
