#pragma once
/// One field of two sets of sessions, prepared so that all distances cost one sweep for any weighting of the
/// sessions: the value itself, a bootstrap resample and a random split are just different weights.

#include <array>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "metrics/distance/bins.h"
#include "metrics/distance/ordered.h"
#include "metrics/observations.h"

namespace tracebench {

/// Indices into Distances.
namespace measure {
inline constexpr std::size_t jsd = 0, tvd = 1, hellinger = 2, kl = 3, chi_square = 4, ks = 5, wasserstein = 6,
                             energy = 7, count = 8;
inline constexpr std::array<std::string_view, count> names = {"jsd",        "tvd", "hellinger",   "kl",
                                                              "chi_square", "ks",  "wasserstein", "energy"};
/// At most 1, which disjoint sides are apart: a field that one side does not have is.
constexpr bool is_bounded(std::size_t m) {
    return m != kl && m != wasserstein && m != energy;
}
/// Grows with the squared differences of probabilities; the others grow with the differences.
constexpr bool is_divergence(std::size_t m) {
    return m == jsd || m == kl || m == chi_square;
}
}  // namespace measure

/// `ks`, `wasserstein` and `energy` are 0 for categorical fields and mean nothing there.
using Distances = std::array<double, measure::count>;
/// How many of the measures a field has: all for a continuous one, the first five for a categorical one.
inline std::size_t measure_count(FieldKind kind) {
    return kind == FieldKind::continuous ? measure::count : measure::ks;
}

class FieldComparison {
  public:
    /// Sessions are numbered through: those of `a` first (0 .. a_sessions-1), then those of `b`. The bins
    /// must hold every code that occurs.
    FieldComparison(const Column& a, std::size_t a_sessions, const Column& b, std::size_t b_sessions,
                    const Bins& bins);

    std::size_t a_sessions() const { return a_sessions_; }
    std::size_t sessions() const { return a_sessions_ + b_sessions_; }
    /// Session s counts left[s] times on one side and right[s] times on the other. Nothing where a side has
    /// no observation.
    std::optional<Distances> distances(std::span<const double> left, std::span<const double> right) const;
    /// All of `a` against all of `b`.
    std::optional<Distances> distances() const;
    /// Observations of `a` and of `b` in every bin.
    std::vector<double> histogram(bool of_b) const;

  private:
    struct Cell {
        std::uint32_t bin;
        double count;
    };

    std::size_t a_sessions_, b_sessions_, bins_;
    std::vector<std::size_t> first_cell_;   ///< one a session, and the end
    std::vector<Cell> cells_;               ///< what is in the bins, session by session
    std::optional<SortedSessions> sorted_;  ///< continuous fields only
};

}  // namespace tracebench
