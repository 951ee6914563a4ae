#pragma once
/// How much pairs of packet fields tell of each other, and whether synthetic packets keep it.

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "metrics/joint/points.h"

namespace tracebench {

/// Normalised mutual information of two variables given their counts in a table (row by row), 0..1: mutual
/// information over the mean of both entropies, 2 I / (H(X) + H(Y)), 0 where both are constant. Estimated by
/// plugging in shares, so a little above 0 for independent variables and few observations. Nothing where the
/// table is empty. The symmetric uncertainty of Press et al., Numerical Recipes, 1992, section 14.4;
/// scikit-learn's normalized_mutual_info_score with the arithmetic mean.
std::optional<double> normalised_mutual_information(std::span<const double> table, std::size_t columns);

/// Turns every feature into a few classes, fixed from real vectors: numbers into at most 12 of about equal
/// real mass, what lies beyond the real range in the class at the end; codes into the 15 most frequent ones
/// and one for all others.
class Classes {
  public:
    static constexpr std::size_t max_number_classes = 12, max_codes = 15, count = 16;
    static constexpr std::uint8_t missing = 255;

    /// `is_number`: one a feature.
    Classes(const Points& real, const std::vector<bool>& is_number);
    /// 0 .. count-1; `missing` for NaN.
    std::uint8_t of(std::size_t feature, double value) const;

  private:
    struct Feature {
        bool is_number = true;
        std::vector<double> edges;  ///< ascending: upper ends of all classes but the last, or the codes
    };
    std::vector<Feature> features_;
};

/// Tables of all pairs of features, session by session.
class PairTables {
  public:
    /// Pairs (f, g) with f < g in lexical order.
    PairTables(const Points& points, const Classes& classes);

    std::size_t pairs() const { return pairs_; }
    /// One entry a pair: its normalised mutual information with every session counted weights[s] times, over
    /// the vectors that have both features; nothing where none has.
    std::vector<std::optional<double>> information(std::span<const double> weights) const;

  private:
    struct Cell {
        std::uint32_t place;
        std::uint32_t count;
    };
    std::size_t pairs_;
    std::vector<std::size_t> first_cell_;  ///< one a session, and the end
    std::vector<Cell> cells_;
};

/// Mean of |a - b| over the pairs that either side has, 0..1; a pair that one side does not have counts as 0
/// there. Nothing where there is none.
std::optional<double> information_difference(std::span<const std::optional<double>> a,
                                             std::span<const std::optional<double>> b);

}  // namespace tracebench
