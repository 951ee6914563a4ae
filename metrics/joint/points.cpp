#include "metrics/joint/points.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

#include "base/random.h"

namespace tracebench {

Points joined(const Points& a, const Points& b) {
    if (a.width != b.width) throw std::invalid_argument("vectors of different features");
    Points all = a;
    all.values.insert(all.values.end(), b.values.begin(), b.values.end());
    for (const std::uint32_t session : b.session)
        all.session.push_back(session + static_cast<std::uint32_t>(a.sessions));
    all.sessions += b.sessions;
    return all;
}

Points thinned(const Points& points, std::size_t count, std::uint64_t seed) {
    if (points.size() <= count) return points;
    std::vector<std::size_t> order(points.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    Random random(seed);
    for (std::size_t i = 0; i < count; ++i) std::swap(order[i], order[i + random.below(order.size() - i)]);
    order.resize(count);
    std::sort(order.begin(), order.end());
    Points result{points.width, {}, {}, points.sessions};
    result.values.reserve(count * points.width);
    for (const std::size_t i : order) result.add(points.row(i), points.session[i]);
    return result;
}

Standardiser::Standardiser(const Points& real) : mean_(real.width), scale_(real.width) {
    for (std::size_t f = 0; f < real.width; ++f) {
        double n = 0, sum = 0, squares = 0;
        const auto each = [&](auto use) {
            for (std::size_t i = f; i < real.values.size(); i += real.width)
                if (std::isfinite(real.values[i])) use(real.values[i]);
        };
        each([&](double value) { ++n, sum += value; });
        if (n == 0) continue;
        mean_[f] = sum / n;
        each([&](double value) { squares += (value - mean_[f]) * (value - mean_[f]); });
        const double deviation = std::sqrt(squares / n);
        // What rounding leaves of a constant is no deviation.
        scale_[f] = deviation > 1e-12 * std::max(1.0, std::abs(mean_[f])) ? 1 / deviation : 1;
    }
}

void Standardiser::apply(Points& points) const {
    if (points.width != mean_.size()) throw std::invalid_argument("vectors of different features");
    for (std::size_t i = 0; i < points.values.size(); ++i) {
        const std::size_t f = i % points.width;
        double& value = points.values[i];
        value = std::isfinite(value) ? std::clamp((value - mean_[f]) * scale_[f], -limit, limit) : 0;
    }
}

}  // namespace tracebench
