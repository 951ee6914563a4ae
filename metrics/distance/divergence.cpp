#include "metrics/distance/divergence.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

namespace tracebench {
namespace {

double mass(std::span<const double> weights) {
    const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
    if (!(sum > 0) || !std::isfinite(sum)) throw std::invalid_argument("a distribution without mass");
    return sum;
}

/// Calls `term(p_i, q_i)` with normalised masses and adds up what it returns.
template <typename Term>
double sum_over_bins(std::span<const double> p, std::span<const double> q, Term term) {
    if (p.size() != q.size()) throw std::invalid_argument("distributions over different bins");
    const double p_mass = mass(p), q_mass = mass(q);
    double sum = 0;
    for (std::size_t i = 0; i < p.size(); ++i) sum += term(p[i] / p_mass, q[i] / q_mass);
    return sum;
}

}  // namespace

double jensen_shannon(std::span<const double> p, std::span<const double> q) {
    const double bits = sum_over_bins(p, q, [](double a, double b) {
        const double middle = (a + b) / 2;
        double term = 0;
        if (a > 0) term += a * std::log2(a / middle);
        if (b > 0) term += b * std::log2(b / middle);
        return term / 2;
    });
    // Rounding can leave the range by some 1e-17.
    return std::clamp(bits, 0.0, 1.0);
}

double total_variation(std::span<const double> p, std::span<const double> q) {
    return std::min(1.0, sum_over_bins(p, q, [](double a, double b) { return std::abs(a - b); }) / 2);
}

double hellinger(std::span<const double> p, std::span<const double> q) {
    const double squares = sum_over_bins(p, q, [](double a, double b) {
        const double difference = std::sqrt(a) - std::sqrt(b);
        return difference * difference;
    });
    return std::min(1.0, std::sqrt(squares / 2));
}

double chi_square(std::span<const double> p, std::span<const double> q) {
    const double sum =
        sum_over_bins(p, q, [](double a, double b) { return a + b > 0 ? (a - b) * (a - b) / (a + b) : 0.0; });
    return std::min(1.0, sum / 2);
}

double kullback_leibler(std::span<const double> p, std::span<const double> q) {
    constexpr double pseudo = 0.5;
    if (p.size() != q.size()) throw std::invalid_argument("distributions over different bins");
    double p_mass = mass(p), q_mass = mass(q);
    for (std::size_t i = 0; i < p.size(); ++i) {
        if (!(p[i] + q[i] > 0)) continue;
        p_mass += pseudo;
        q_mass += pseudo;
    }
    double bits = 0;
    for (std::size_t i = 0; i < p.size(); ++i) {
        if (!(p[i] + q[i] > 0)) continue;
        const double a = (p[i] + pseudo) / p_mass, b = (q[i] + pseudo) / q_mass;
        bits += a * std::log2(a / b);
    }
    return std::max(0.0, bits);
}

}  // namespace tracebench
