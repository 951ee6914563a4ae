#include "metrics/joint/rank_correlation.h"

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <numeric>

namespace tracebench {

RankCorrelation::RankCorrelation(const Points& points) : points_(points), order_(points.width) {
    for (std::size_t f = 0; f < points.width; ++f) {
        order_[f].resize(points.size());
        std::iota(order_[f].begin(), order_[f].end(), 0U);
        std::sort(order_[f].begin(), order_[f].end(),
                  [&](std::uint32_t a, std::uint32_t b) { return points_.row(a)[f] < points_.row(b)[f]; });
    }
}

std::optional<Gaussian> RankCorrelation::fit(std::span<const double> weights) const {
    std::vector<std::uint32_t> place(points_.size());  // of the rows that count
    std::vector<double> counted;
    for (std::size_t i = 0; i < points_.size(); ++i) {
        place[i] = static_cast<std::uint32_t>(counted.size());
        if (weights[points_.session[i]] > 0) counted.push_back(weights[points_.session[i]]);
    }
    Gaussian result;
    result.n = std::accumulate(counted.begin(), counted.end(), 0.0);
    if (result.n < 2) return std::nullopt;
    const auto width = static_cast<Eigen::Index>(points_.width);
    Eigen::MatrixXd ranks(static_cast<Eigen::Index>(counted.size()), width);
    for (std::size_t f = 0; f < points_.width; ++f) {
        const auto& order = order_[f];
        double below = 0;
        for (std::size_t first = 0; first < order.size();) {
            const double value = points_.row(order[first])[f];
            double tied = 0;
            std::size_t end = first;
            for (; end < order.size() && points_.row(order[end])[f] == value; ++end)
                tied += weights[points_.session[order[end]]];
            // Half the rows count below the middle of all, which is then 1/2: centred without another pass.
            const double rank = (below + tied / 2) / result.n - 0.5;
            for (; first < end; ++first)
                if (weights[points_.session[order[first]]] > 0)
                    ranks(place[order[first]], static_cast<Eigen::Index>(f)) = rank;
            below += tied;
        }
    }
    const Eigen::Map<const Eigen::VectorXd> weight(counted.data(), ranks.rows());
    const Eigen::MatrixXd covariance = ranks.transpose() * weight.asDiagonal() * ranks / (result.n - 1);
    result.mean.assign(points_.width, 0.5);
    result.covariance.assign(covariance.data(), covariance.data() + covariance.size());
    return result;
}

}  // namespace tracebench
