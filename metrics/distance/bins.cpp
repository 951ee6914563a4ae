#include "metrics/distance/bins.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace tracebench {
namespace {

/// Edges halfway between neighbours, so that every value has a bin of its own.
std::vector<double> edges_around(const std::vector<double>& values) {
    std::vector<double> edges{values.front()};
    for (std::size_t i = 1; i < values.size(); ++i)
        edges.push_back(
            std::max(values[i - 1] / 2 + values[i] / 2, std::nextafter(values[i - 1], values[i])));
    edges.push_back(values.back());
    return edges;
}

}  // namespace

Bins Bins::numeric(std::span<const double> real) {
    return numeric(RankedValues(sorted_counts(real)));
}

Bins Bins::numeric(const RankedValues& real) {
    if (real.size() == 0) throw std::invalid_argument("bins from no values");
    const double wanted = std::round(2 * std::pow(static_cast<double>(real.size()), 0.4));
    const auto bins = static_cast<std::size_t>(
        std::clamp(wanted, static_cast<double>(min_bins), static_cast<double>(max_bins)));
    std::vector<double> edges;
    if (real.counts().size() <= bins) {
        for (const ValueCount& entry : real.counts()) edges.push_back(entry.value);
        return Bins(edges_around(edges), true);
    }
    for (std::size_t k = 0; k <= bins; ++k) {
        const auto rank = static_cast<std::uint64_t>(static_cast<double>(k) / static_cast<double>(bins) *
                                                     static_cast<double>(real.size() - 1));
        if (edges.empty() || edges.back() != real.at(rank)) edges.push_back(real.at(rank));
    }
    return Bins(std::move(edges), true);
}

Bins Bins::categorical(std::vector<double> codes) {
    std::sort(codes.begin(), codes.end());
    codes.erase(std::unique(codes.begin(), codes.end()), codes.end());
    return Bins(std::move(codes), false);
}

std::size_t Bins::index(double value) const {
    if (!numeric_) {
        const auto at = std::lower_bound(edges_.begin(), edges_.end(), value);
        if (at == edges_.end() || *at != value) throw std::invalid_argument("a code that has no bin");
        return static_cast<std::size_t>(at - edges_.begin());
    }
    if (value == edges_.back()) return edges_.size() - 1;
    // Edges at or below the value: none is the underflow, all the overflow.
    return static_cast<std::size_t>(std::upper_bound(edges_.begin(), edges_.end(), value) - edges_.begin());
}

}  // namespace tracebench
