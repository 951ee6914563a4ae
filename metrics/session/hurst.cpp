#include "metrics/session/hurst.h"

#include <cmath>
#include <numbers>
#include <numeric>
#include <vector>

namespace tracebench {
namespace {

constexpr std::size_t least_blocks = 8, least_coefficients = 8;

/// Points for a straight line, each with its weight.
struct Line {
    double w = 0, x = 0, y = 0, xx = 0, xy = 0;

    void add(double at, double value, double weight) {
        w += weight;
        x += weight * at;
        y += weight * value;
        xx += weight * at * at;
        xy += weight * at * value;
    }
    double slope() const { return (w * xy - x * y) / (w * xx - x * x); }
};

/// Means of neighbours; a last odd value is left out.
std::vector<double> halved(const std::vector<double>& values) {
    std::vector<double> means(values.size() / 2);
    for (std::size_t i = 0; i < means.size(); ++i) means[i] = (values[2 * i] + values[2 * i + 1]) / 2;
    return means;
}

double variance(const std::vector<double>& values) {
    const auto n = static_cast<double>(values.size());
    const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
    double squares = 0;
    for (const double value : values) squares += (value - mean) * (value - mean);
    return squares / (n - 1);
}

/// One step of the pyramid with Daubechies' four coefficients; only what no border touches.
struct Octave {
    std::vector<double> approximation;
    double energy = 0;  ///< sum of squared details
    bool flat = false;  ///< the details are rounding errors
};
Octave transformed(const std::vector<double>& values) {
    const double root3 = std::numbers::sqrt3, scale = 4 * std::numbers::sqrt2;
    const double h[4] = {(1 + root3) / scale, (3 + root3) / scale, (3 - root3) / scale, (1 - root3) / scale};
    Octave octave;
    double total = 0;
    for (std::size_t i = 0; i + 4 <= values.size(); i += 2) {
        double low = 0, high = 0;
        for (std::size_t k = 0; k < 4; ++k) {
            low += h[k] * values[i + k];
            high += (k % 2 == 0 ? h[3 - k] : -h[3 - k]) * values[i + k];
        }
        octave.approximation.push_back(low);
        octave.energy += high * high;
        total += low * low + high * high;
    }
    octave.flat = octave.energy <= 1e-24 * total;
    return octave;
}

/// E log2(chi-square with n degrees of freedom / n), negative: digamma(n/2)/ln 2 - log2(n/2), by digamma's
/// asymptotic series (exact to 1e-7 for n >= 8).
double log_bias(double n) {
    const double z = n / 2;
    const double correction =
        -1 / (2 * z) - 1 / (12 * z * z) + 1 / (120 * z * z * z * z) - 1 / (252 * std::pow(z, 6));
    return correction / std::numbers::ln2;
}

}  // namespace

std::optional<double> hurst_aggregated_variance(std::span<const double> series) {
    if (series.size() < hurst_least_values) return std::nullopt;
    std::vector<double> means(series.begin(), series.end());
    Line line;
    for (double block = 1; means.size() >= least_blocks; block *= 2, means = halved(means)) {
        const double spread = variance(means);
        if (!(spread > 0)) return std::nullopt;
        line.add(std::log(block), std::log(spread), 1);
    }
    return 1 + line.slope() / 2;
}

std::optional<double> hurst_wavelet(std::span<const double> series) {
    if (series.size() < hurst_least_values) return std::nullopt;
    std::vector<double> values(series.begin(), series.end());
    Line line;
    for (double j = 1;; ++j) {
        const Octave octave = transformed(values);
        const auto n = static_cast<double>(octave.approximation.size());
        if (octave.approximation.size() < least_coefficients) break;
        if (octave.flat) return std::nullopt;
        // The variance of the logarithm is about 2 / (n ln^2 2).
        line.add(j, std::log2(octave.energy / n) - log_bias(n), n);
        values = octave.approximation;
    }
    return (line.slope() + 1) / 2;
}

}  // namespace tracebench
