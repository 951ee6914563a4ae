#pragma once
/// Distances between held-out and synthetic nPrint bits with what is known of them: intervals, noise floor,
/// and what knowing nothing costs.

#include <array>
#include <vector>

#include "metrics/distance/comparison_plan.h"
#include "metrics/distance/session_resamples.h"
#include "metrics/nprint/bit_distances.h"

namespace tracebench {

/// What is known of one group's distances.
struct GroupDistances {
    BitDistances value{};
    BitDistances floor, ceiling;  ///< NaN where there is none
    std::array<std::vector<double>, kBitMeasures> replicates;
};

/// Held-out against synthetic packets, for several groups of columns at once.
class BitEvaluation {
  public:
    /// `input` must outlive it.
    explicit BitEvaluation(const MetricInput& input);

    /// Held-out packets with a row, and synthetic ones.
    std::uint64_t real_rows() const { return heldout_.rows(); }
    std::uint64_t synthetic_rows() const { return synthetic_.rows(); }
    /// Counts of all real samples: what a column's support and whether it varies are taken from.
    BitTable real_bits() const { return pooled_bits(train_, heldout_); }
    /// A bit of the group is there on either side.
    bool occurs(const ColumnGroup& group) const;
    /// One entry a group; `bootstrap` resamples. Values are 1 where one side alone has packets with a row,
    /// and mean nothing where neither has.
    std::vector<GroupDistances> evaluate(const std::vector<ColumnGroup>& groups, std::size_t bootstrap) const;

  private:
    SessionMeasure measure(const BitCounts& a, const BitCounts& b,
                           const std::vector<ColumnGroup>& groups) const;
    void calibrate(const std::vector<ColumnGroup>& groups, std::vector<GroupDistances>& result) const;
    void resample(const std::vector<ColumnGroup>& groups, const std::vector<double>& values,
                  std::size_t count, std::vector<GroupDistances>& result) const;

    const MetricInput& input_;
    ComparisonPlan plan_;
    BitCounts train_, heldout_, synthetic_;
    BitTable heldout_bits_, synthetic_bits_;
};

}  // namespace tracebench
