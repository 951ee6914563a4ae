#include "metrics/distance/session_resamples.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tracebench {

std::vector<std::vector<double>> bootstrap_values(const SessionMeasure& measure,
                                                  std::span<const double> values,
                                                  std::span<const MeasuredValue> kinds, const TwoSides& sides,
                                                  std::size_t count) {
    const std::vector<std::vector<double>> none(values.size());
    if (!sides.a.possible() || !sides.b.possible()) return none;
    Random a_random(sides.a_seed), b_random(sides.b_seed);
    std::vector<double> left(sides.a_sessions + sides.b_sessions), right(left.size());
    const std::span<double> left_a = std::span(left).first(sides.a_sessions);
    const std::span<double> right_b = std::span(right).subspan(sides.a_sessions);
    std::vector<std::vector<double>> lists = none;
    for (std::size_t i = 0; i < count; ++i) {
        sides.a.draw(a_random, left_a);
        sides.b.draw(b_random, right_b);
        const auto replicate = measure(left, right);
        if (!replicate) return none;
        for (std::size_t v = 0; v < lists.size(); ++v) lists[v].push_back((*replicate)[v]);
    }
    const double stretch = std::max(sides.a.stretch(), sides.b.stretch());
    for (std::size_t v = 0; v < lists.size(); ++v)
        lists[v] = recentred(std::move(lists[v]), values[v], stretch, {kinds[v].lowest, kinds[v].highest});
    return lists;
}

std::vector<ValueFloor> floor_of_values(const SessionMeasure& measure, std::span<const MeasuredValue> kinds,
                                        const RandomSplits& splits, std::size_t pool_sessions,
                                        std::uint64_t seed, std::size_t count) {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    std::vector<ValueFloor> floors(kinds.size(), {nan, nan});
    std::vector<std::vector<double>> drawn;
    if (splits.possible()) {
        Random random(seed);
        std::vector<double> left(pool_sessions), right(pool_sessions);
        for (std::size_t i = 0; i < count; ++i) {
            splits.draw(random, left, right);
            if (auto values = measure(left, right)) drawn.push_back(std::move(*values));
        }
    }
    if (drawn.size() < 2 || 2 * drawn.size() < count) return floors;
    const auto n = static_cast<double>(drawn.size());
    for (std::size_t v = 0; v < floors.size(); ++v) {
        double sum = 0, squares = 0;
        for (const auto& values : drawn) sum += values[v];
        for (const auto& values : drawn) squares += std::pow(values[v] - sum / n, 2);
        // A divergence is of the order of the squared differences, the others of the differences.
        const double scale = !kinds[v].vanishes    ? 1
                             : kinds[v].divergence ? splits.noise_ratio()
                                                   : std::sqrt(splits.noise_ratio());
        floors[v] = {sum / n * scale, std::sqrt(squares / (n - 1)) * scale};
    }
    return floors;
}

}  // namespace tracebench
