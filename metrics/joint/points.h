#pragma once
/// Vectors of features, one a flow, a session or a packet: what joint distances compare.

#include <cstdint>
#include <span>
#include <vector>

namespace tracebench {

struct Points {
    std::size_t width = 0;       ///< features
    std::vector<double> values;  ///< row by row; NaN where one is missing, until they are standardised
    std::vector<std::uint32_t> session;  ///< one a row, ascending
    std::size_t sessions = 0;            ///< those without a row included

    std::size_t size() const { return session.size(); }
    std::span<const double> row(std::size_t i) const { return {values.data() + i * width, width}; }
    void add(std::span<const double> row, std::uint32_t of_session) {
        values.insert(values.end(), row.begin(), row.end());
        session.push_back(of_session);
    }
};

/// Rows of `a`, then those of `b`, whose sessions are numbered after those of `a`. Throws
/// std::invalid_argument where the widths differ.
Points joined(const Points& a, const Points& b);

/// `count` rows at random, in their order; all where there are no more. Sessions keep their numbers.
Points thinned(const Points& points, std::size_t count, std::uint64_t seed);

/// Puts all features on one scale, fixed from real vectors: mean 0 and deviation 1 among them. A feature that
/// is constant there stays in its own unit, so that leaving the constant counts; one that no real vector has
/// is 0 for all. Missing values become the real mean. No value is let further than `limit` deviations from
/// it: one broken feature does not drown the others.
class Standardiser {
  public:
    static constexpr double limit = 10;

    explicit Standardiser(const Points& real);
    /// In place. Throws std::invalid_argument where the width differs.
    void apply(Points& points) const;

  private:
    std::vector<double> mean_, scale_;
};

}  // namespace tracebench
