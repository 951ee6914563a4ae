#include "metrics/distance/ordered.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace tracebench {
namespace {

struct Weighted {
    double value;
    double a, b;  ///< weight on either side
};

/// All distances in one sweep over points sorted by value. Weights are added up before they are divided:
/// counts stay exact integers, and equal distributions are at distance 0 exactly.
template <typename Points, typename WeightA, typename WeightB>
OrderedDistances sweep(const Points& points, double a_total, double b_total, WeightA weight_a,
                       WeightB weight_b) {
    OrderedDistances result;
    double below_a = 0, below_b = 0;
    for (std::size_t i = 0; i < points.size();) {
        const double value = points[i].value;
        for (; i < points.size() && points[i].value == value; ++i) {
            below_a += weight_a(points[i]);
            below_b += weight_b(points[i]);
        }
        if (i == points.size()) break;
        const double gap = std::abs(below_a / a_total - below_b / b_total);
        const double step = points[i].value - value;
        result.wasserstein += gap * step;
        result.energy += gap * gap * step;
        result.ks = std::max(result.ks, gap);
    }
    result.energy = std::sqrt(2 * result.energy);
    return result;
}

OrderedDistances compare(std::span<const double> a, std::span<const double> a_weights,
                         std::span<const double> b, std::span<const double> b_weights) {
    std::vector<Weighted> points;
    points.reserve(a.size() + b.size());
    double a_total = 0, b_total = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const double weight = a_weights.empty() ? 1 : a_weights[i];
        points.push_back({a[i], weight, 0});
        a_total += weight;
    }
    for (std::size_t i = 0; i < b.size(); ++i) {
        const double weight = b_weights.empty() ? 1 : b_weights[i];
        points.push_back({b[i], 0, weight});
        b_total += weight;
    }
    if (!(a_total > 0) || !(b_total > 0)) throw std::invalid_argument("a sample without values");
    std::sort(points.begin(), points.end(),
              [](const Weighted& x, const Weighted& y) { return x.value < y.value; });
    return sweep(
        points, a_total, b_total, [](const Weighted& point) { return point.a; },
        [](const Weighted& point) { return point.b; });
}

void require_same_length(std::span<const double> values, std::span<const double> weights) {
    if (values.size() != weights.size()) throw std::invalid_argument("as many weights as values expected");
}

}  // namespace

double wasserstein1(std::span<const double> a, std::span<const double> b) {
    return compare(a, {}, b, {}).wasserstein;
}

double wasserstein1(std::span<const double> a, std::span<const double> a_weights, std::span<const double> b,
                    std::span<const double> b_weights) {
    require_same_length(a, a_weights);
    require_same_length(b, b_weights);
    return compare(a, a_weights, b, b_weights).wasserstein;
}

double kolmogorov_smirnov(std::span<const double> a, std::span<const double> b) {
    return compare(a, {}, b, {}).ks;
}

double kolmogorov_smirnov(std::span<const double> a, std::span<const double> a_weights,
                          std::span<const double> b, std::span<const double> b_weights) {
    require_same_length(a, a_weights);
    require_same_length(b, b_weights);
    return compare(a, a_weights, b, b_weights).ks;
}

double energy_distance(std::span<const double> a, std::span<const double> b) {
    return compare(a, {}, b, {}).energy;
}

double energy_distance(std::span<const double> a, std::span<const double> a_weights,
                       std::span<const double> b, std::span<const double> b_weights) {
    require_same_length(a, a_weights);
    require_same_length(b, b_weights);
    return compare(a, a_weights, b, b_weights).energy;
}

SortedSessions::SortedSessions(std::span<const double> values, std::span<const std::uint32_t> sessions,
                               std::span<const std::uint32_t> counts) {
    if (values.size() != sessions.size()) throw std::invalid_argument("as many sessions as values expected");
    if (!counts.empty() && counts.size() != values.size())
        throw std::invalid_argument("as many counts as values expected");
    runs_.reserve(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
        const std::uint32_t count = counts.empty() ? 1 : counts[i];
        runs_.push_back({values[i], sessions[i], count});
        if (counts_.size() <= sessions[i]) counts_.resize(sessions[i] + std::size_t{1});
        counts_[sessions[i]] += count;
    }
    std::sort(runs_.begin(), runs_.end(), [](const Run& x, const Run& y) {
        return x.value != y.value ? x.value < y.value : x.session < y.session;
    });
    std::size_t kept = 0;
    for (std::size_t i = 1; i < runs_.size(); ++i) {
        Run& last = runs_[kept];
        if (runs_[i].value == last.value && runs_[i].session == last.session &&
            runs_[i].count <= UINT32_MAX - last.count)
            last.count += runs_[i].count;
        else
            runs_[++kept] = runs_[i];
    }
    if (!runs_.empty()) runs_.resize(kept + 1);
    runs_.shrink_to_fit();
}

bool SortedSessions::compare(std::span<const double> a, std::span<const double> b,
                             OrderedDistances& result) const {
    double a_total = 0, b_total = 0;
    for (std::size_t s = 0; s < counts_.size(); ++s) {
        a_total += a[s] * counts_[s];
        b_total += b[s] * counts_[s];
    }
    if (!(a_total > 0) || !(b_total > 0)) return false;
    result = sweep(
        runs_, a_total, b_total, [&](const Run& run) { return a[run.session] * run.count; },
        [&](const Run& run) { return b[run.session] * run.count; });
    return true;
}

}  // namespace tracebench
