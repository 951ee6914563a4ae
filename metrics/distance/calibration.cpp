#include "metrics/distance/calibration.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tracebench {

DistanceLists bootstrap_distances(const FieldComparison& comparison, const Bootstrap& a, const Bootstrap& b,
                                  std::uint64_t a_seed, std::uint64_t b_seed, std::size_t count) {
    DistanceLists lists;
    const auto value = comparison.distances();
    if (!value || !a.possible() || !b.possible()) return lists;
    Random a_random(a_seed), b_random(b_seed);
    std::vector<double> left(comparison.sessions()), right(comparison.sessions());
    const std::span<double> left_a = std::span(left).first(comparison.a_sessions());
    const std::span<double> right_b = std::span(right).subspan(comparison.a_sessions());
    for (std::size_t i = 0; i < count; ++i) {
        a.draw(a_random, left_a);
        b.draw(b_random, right_b);
        const auto replicate = comparison.distances(left, right);
        if (!replicate) return {};
        for (std::size_t m = 0; m < measure::count; ++m) lists[m].push_back((*replicate)[m]);
    }
    const double stretch = std::max(a.stretch(), b.stretch());
    for (std::size_t m = 0; m < measure::count; ++m) {
        const double highest = m == measure::wasserstein ? std::numeric_limits<double>::infinity() : 1;
        lists[m] = recentred(std::move(lists[m]), (*value)[m], stretch, {0, highest});
    }
    return lists;
}

NoiseFloor noise_floor(const FieldComparison& real, const RandomSplits& splits, std::uint64_t seed,
                       std::size_t count) {
    NoiseFloor floor;
    floor.mean.fill(std::numeric_limits<double>::quiet_NaN());
    floor.deviation = floor.mean;
    std::vector<Distances> drawn;
    if (splits.possible()) {
        Random random(seed);
        std::vector<double> left(real.sessions()), right(real.sessions());
        for (std::size_t i = 0; i < count; ++i) {
            splits.draw(random, left, right);
            if (const auto distances = real.distances(left, right)) drawn.push_back(*distances);
        }
    }
    if (drawn.size() < 2 || 2 * drawn.size() < count) return floor;
    const auto n = static_cast<double>(drawn.size());
    for (std::size_t m = 0; m < measure::count; ++m) {
        double sum = 0, squares = 0;
        for (const Distances& distances : drawn) sum += distances[m];
        for (const Distances& distances : drawn) squares += std::pow(distances[m] - sum / n, 2);
        // A divergence is of the order of the squared differences, the others of the differences.
        const double scale = m == measure::jsd ? splits.noise_ratio() : std::sqrt(splits.noise_ratio());
        floor.mean[m] = sum / n * scale;
        floor.deviation[m] = std::sqrt(squares / (n - 1)) * scale;
    }
    return floor;
}

namespace {

std::vector<double> even_numbers(const Column& real, std::size_t points) {
    double low = std::numeric_limits<double>::infinity(), high = -low;
    bool zero = false;
    for (const double value : real.values) {
        zero |= value == 0;
        if (real.info.log && value <= 0) continue;
        low = std::min(low, value);
        high = std::max(high, value);
    }
    std::vector<double> values;
    if (!real.info.log) zero = false;
    if (low > high) return {0.0};  // zeros on a logarithmic axis, and nothing else
    if (zero) {
        const double decades = std::log10(high / low);
        values.assign(static_cast<std::size_t>(static_cast<double>(points) / (decades + 1)), 0.0);
        points -= std::min(points - 1, values.size());
    }
    for (std::size_t i = 0; i < points; ++i) {
        const double share = (static_cast<double>(i) + 0.5) / static_cast<double>(points);
        values.push_back(real.info.log ? low * std::pow(high / low, share) : std::lerp(low, high, share));
    }
    return values;
}

}  // namespace

Column know_nothing(const Column& real) {
    constexpr std::size_t points = 1000;
    Column column{real.info, {}, {}};
    if (real.values.empty()) return column;
    if (real.info.kind == FieldKind::categorical) {
        column.values = real.values;
        std::sort(column.values.begin(), column.values.end());
        column.values.erase(std::unique(column.values.begin(), column.values.end()), column.values.end());
    } else {
        column.values = even_numbers(real, points);
    }
    column.session.assign(column.values.size(), 0);
    return column;
}

}  // namespace tracebench
