#pragma once
/// One field of two sets of sessions, prepared so that NetShare's distance costs little for any weighting of
/// the sessions: the value, a resample and a random split are just different weights.

#include <numbers>
#include <optional>
#include <span>
#include <vector>

#include "metrics/distance/ordered.h"
#include "metrics/netshare/trace_fields.h"

namespace tracebench {

class TraceComparison {
  public:
    /// The largest Jensen-Shannon divergence with natural logarithms.
    static constexpr double largest_jsd = std::numbers::ln2;

    /// Sessions are numbered through: those of `a` first (0 .. a_sessions-1), then those of `b`. For rank_jsd
    /// and jsd equal values have to mean the same on both sides. Of the columns' FieldInfo nothing is used.
    TraceComparison(TraceDistance distance, const Column& a, std::size_t a_sessions, const Column& b,
                    std::size_t b_sessions);

    std::size_t a_sessions() const { return a_sessions_; }
    std::size_t sessions() const { return a_sessions_ + b_sessions_; }
    /// Session s counts left[s] times on one side and right[s] times on the other. `jsd` and `rank_jsd`: the
    /// divergence in nats, 0..ln 2, which is what scipy.spatial.distance.jensenshannon(p, q)**2 gives and
    /// NetShare reports; `emd`: 0.. in the unit of the values. Nothing where a side has no value.
    std::optional<double> distance(std::span<const double> left, std::span<const double> right) const;
    /// All of `a` against all of `b`.
    std::optional<double> distance() const;

  private:
    /// How often a session has one value.
    struct Cell {
        std::uint32_t value;
        double count;
    };

    void count_values(const Column& column, std::size_t sessions, const std::vector<double>& distinct);

    TraceDistance distance_;
    std::size_t a_sessions_, b_sessions_;
    std::size_t distinct_ = 0;
    std::vector<std::size_t> first_cell_;  ///< one a session, and the end
    std::vector<Cell> cells_;
    std::optional<SortedSessions> sorted_;  ///< emd only
};

}  // namespace tracebench
