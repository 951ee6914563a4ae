#include "metrics/joint/neighbours.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "base/parallel.h"

namespace tracebench {
namespace {

struct Side {
    std::vector<std::uint32_t> rows;
    std::vector<double> weights;
    std::vector<double> radii;  ///< squared
    double total = 0;
};

Side side_of(const PairDistances& pairs, std::span<const double> weights) {
    Side side;
    for (std::size_t i = 0; i < pairs.size(); ++i) {
        const double weight = weights[pairs.session(i)];
        if (!(weight > 0)) continue;
        side.rows.push_back(static_cast<std::uint32_t>(i));
        side.weights.push_back(weight);
        side.total += weight;
    }
    return side;
}

/// Rows are looked at in stretches of so many: enough for a thread to be worth it.
constexpr std::size_t stretch = 64;

void measure_radii(const PairDistances& pairs, std::size_t k, Side& side) {
    side.radii.resize(side.rows.size());
    parallel_for((side.rows.size() + stretch - 1) / stretch, [&](std::size_t part) {
        std::vector<double> nearest(k);  // ascending
        const std::size_t end = std::min(side.rows.size(), (part + 1) * stretch);
        for (std::size_t r = part * stretch; r < end; ++r) {
            const std::uint32_t i = side.rows[r];
            const auto row = pairs.row(i);
            std::fill(nearest.begin(), nearest.end(), std::numeric_limits<double>::infinity());
            for (const std::uint32_t j : side.rows) {
                if (row[j] >= nearest.back() || j == i) continue;
                std::size_t at = k - 1;
                for (; at > 0 && nearest[at - 1] > row[j]; --at) nearest[at] = nearest[at - 1];
                nearest[at] = row[j];
            }
            side.radii[r] = nearest.back();
        }
    });
}

}  // namespace

std::optional<Manifolds> compare_manifolds(const PairDistances& pairs, std::span<const double> left,
                                           std::span<const double> right, std::size_t k) {
    Side real = side_of(pairs, left), synthetic = side_of(pairs, right);
    if (k == 0 || real.rows.size() <= k || synthetic.rows.size() <= k) return std::nullopt;
    measure_radii(pairs, k, real);
    measure_radii(pairs, k, synthetic);

    Manifolds result;
    std::vector<double> balls(synthetic.rows.size());  // real ones that each synthetic vector is in
    for (std::size_t i = 0; i < real.rows.size(); ++i) {
        const auto row = pairs.row(real.rows[i]);
        bool recalled = false, covered = false;
        for (std::size_t j = 0; j < synthetic.rows.size(); ++j) {
            const double square = row[synthetic.rows[j]];
            const bool in_real = square <= real.radii[i];
            balls[j] += in_real;
            covered |= in_real;
            recalled |= square <= synthetic.radii[j];
        }
        result.recall += recalled ? real.weights[i] : 0;
        result.coverage += covered ? real.weights[i] : 0;
    }
    for (std::size_t j = 0; j < balls.size(); ++j) {
        result.precision += balls[j] > 0 ? synthetic.weights[j] : 0;
        result.density += balls[j] * synthetic.weights[j];
    }
    result.recall /= real.total;
    result.coverage /= real.total;
    result.precision /= synthetic.total;
    result.density /= synthetic.total * static_cast<double>(k);
    return result;
}

}  // namespace tracebench
