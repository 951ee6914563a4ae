#pragma once
/// Columns of any length in little memory: what repeats is counted. Header fields of ten million packets have
/// a few thousand different values.

#include <cstdint>
#include <span>
#include <vector>

#include "metrics/observations.h"

namespace tracebench {

struct ValueCount {
    double value;
    std::uint64_t count;
};

/// Every different value of a column once, ascending, with how often it occurs in all sessions together.
std::vector<ValueCount> sorted_counts(const Column& column);
/// The same of plain values.
std::vector<ValueCount> sorted_counts(std::span<const double> values);
std::uint64_t total_count(std::span<const ValueCount> counts);

/// Sorted counts asked by rank, as if every value stood there as often as it occurs. O(log n) a question.
class RankedValues {
  public:
    explicit RankedValues(std::vector<ValueCount> counts);

    std::uint64_t size() const { return ends_.empty() ? 0 : ends_.back(); }
    std::span<const ValueCount> counts() const { return counts_; }
    /// The value with `rank` others before it; rank below size().
    double at(std::uint64_t rank) const;
    /// Quantile 0..1, linear between order statistics. Throws std::invalid_argument where there are none.
    double quantile(double probability) const;

    /// Mean distance from the median, which is the Wasserstein distance to a constant: what counts as large.
    /// Requires a value.
    double mean_deviation() const;

  private:
    std::vector<ValueCount> counts_;
    std::vector<std::uint64_t> ends_;  ///< values up to and with each
};

/// Both columns in one: the sessions of `b` are numbered on from `a_sessions`.
Column pooled(const Column& a, std::size_t a_sessions, const Column& b);

/// Sorts the entries from place `first` on, which must be of one session, and joins equal values.
void merge_equal(Column& column, std::size_t first);

}  // namespace tracebench
