#include "metrics/joint/sliced_wasserstein.h"

#include <cmath>
#include <stdexcept>

#include "base/random.h"

namespace tracebench {

std::vector<double> random_directions(std::size_t width, std::size_t count, std::uint64_t seed) {
    Random random(seed);
    std::vector<double> directions;
    while (directions.size() < width * count) {
        const std::size_t first = directions.size();
        double squares = 0;
        for (std::size_t f = 0; f < width; ++f) {
            directions.push_back(random.normal());
            squares += directions.back() * directions.back();
        }
        for (std::size_t f = first; f < directions.size(); ++f) directions[f] /= std::sqrt(squares);
    }
    return directions;
}

SlicedWasserstein::SlicedWasserstein(const Points& points, std::span<const double> directions) {
    if (points.width == 0 || directions.empty() || directions.size() % points.width != 0)
        throw std::invalid_argument("directions of as many numbers as features expected");
    std::vector<double> projected(points.size());
    for (std::size_t at = 0; at < directions.size(); at += points.width) {
        for (std::size_t i = 0; i < points.size(); ++i) {
            const auto row = points.row(i);
            projected[i] = 0;
            for (std::size_t f = 0; f < row.size(); ++f) projected[i] += row[f] * directions[at + f];
        }
        projections_.emplace_back(projected, points.session);
    }
}

std::optional<double> SlicedWasserstein::compare(std::span<const double> left,
                                                 std::span<const double> right) const {
    double sum = 0;
    for (const SortedSessions& projection : projections_) {
        OrderedDistances distances;
        if (!projection.compare(left, right, distances)) return std::nullopt;
        sum += distances.wasserstein;
    }
    return sum / static_cast<double>(projections_.size());
}

}  // namespace tracebench
