#include "metrics/distance/calibration.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "metrics/distance/session_resamples.h"

namespace tracebench {

namespace {

constexpr std::array<MeasuredValue, measure::count> kinds = [] {
    std::array<MeasuredValue, measure::count> all{};
    for (std::size_t m = 0; m < measure::count; ++m) {
        all[m].divergence = measure::is_divergence(m);
        if (!measure::is_bounded(m)) all[m].highest = std::numeric_limits<double>::infinity();
    }
    return all;
}();

SessionMeasure distances_of(const FieldComparison& comparison) {
    return [&comparison](std::span<const double> left,
                         std::span<const double> right) -> std::optional<std::vector<double>> {
        const auto distances = comparison.distances(left, right);
        if (!distances) return std::nullopt;
        return std::vector<double>(distances->begin(), distances->end());
    };
}

}  // namespace

DistanceLists bootstrap_distances(const FieldComparison& comparison, const Bootstrap& a, const Bootstrap& b,
                                  std::uint64_t a_seed, std::uint64_t b_seed, std::size_t count) {
    DistanceLists lists;
    const auto value = comparison.distances();
    if (!value) return lists;
    const std::size_t a_sessions = comparison.a_sessions();
    auto drawn =
        bootstrap_values(distances_of(comparison), *value, kinds,
                         {a, b, a_sessions, comparison.sessions() - a_sessions, a_seed, b_seed}, count);
    std::move(drawn.begin(), drawn.end(), lists.begin());
    return lists;
}

NoiseFloor noise_floor(const FieldComparison& real, const RandomSplits& splits, std::uint64_t seed,
                       std::size_t count) {
    const auto values = floor_of_values(distances_of(real), kinds, splits, real.sessions(), seed, count);
    NoiseFloor floor;
    for (std::size_t m = 0; m < measure::count; ++m) {
        floor.mean[m] = values[m].mean;
        floor.deviation[m] = values[m].deviation;
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
