#include "metrics/session/hurst.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <vector>

#include "base/random.h"

namespace tracebench {
namespace {

/// Fractional Gaussian noise by Hosking's exact recursion (Durbin-Levinson on its autocovariance
/// (|k+1|^2H - 2|k|^2H + |k-1|^2H) / 2; Hosking, Water Resources Research 20(12), 1984).
std::vector<double> fractional_noise(double hurst, std::size_t n, std::uint64_t seed) {
    Random random(seed);
    const auto covariance = [hurst](double k) {
        const double power = 2 * hurst;
        return (std::pow(k + 1, power) - 2 * std::pow(k, power) + std::pow(std::abs(k - 1), power)) / 2;
    };
    std::vector<double> gamma(n), phi, before, noise;
    for (std::size_t k = 0; k < n; ++k) gamma[k] = covariance(static_cast<double>(k));
    double spread = 1;
    for (std::size_t t = 0; t < n; ++t) {
        double mean = 0;
        if (t > 0) {
            double last = gamma[t];
            for (std::size_t j = 0; j + 1 < t; ++j) last -= phi[j] * gamma[t - 1 - j];
            last /= spread;
            before = phi;
            for (std::size_t j = 0; j + 1 < t; ++j) phi[j] = before[j] - last * before[t - 2 - j];
            phi.push_back(last);
            spread *= 1 - last * last;
            for (std::size_t j = 0; j < t; ++j) mean += phi[j] * noise[t - 1 - j];
        }
        noise.push_back(mean + std::sqrt(spread) * random.normal());
    }
    return noise;
}

struct Estimates {
    double variance = 0, wavelet = 0;
};
/// Mean of both estimators over some series.
Estimates mean_estimates(double hurst, std::size_t n, std::size_t series) {
    Estimates mean;
    for (std::size_t s = 0; s < series; ++s) {
        const auto noise = fractional_noise(hurst, n, 100 + s);
        mean.variance += hurst_aggregated_variance(noise).value() / static_cast<double>(series);
        mean.wavelet += hurst_wavelet(noise).value() / static_cast<double>(series);
    }
    return mean;
}

class Hurst : public testing::TestWithParam<double> {};

TEST_P(Hurst, OfFractionalNoiseIsFoundByBothEstimators) {
    const double hurst = GetParam();
    const Estimates mean = mean_estimates(hurst, 2048, 12);
    // Aggregated variance is low for long memory: E s^2 of N/m means falls short of m^(2H-2) by a share
    // (N/m)^(2H-2).
    EXPECT_LT(mean.variance, hurst + 0.03);
    EXPECT_GT(mean.variance, hurst - (hurst < 0.75 ? 0.06 : 0.12));
    // The wavelet has no such bias; its first octaves are a little off a straight line.
    EXPECT_NEAR(mean.wavelet, hurst, 0.04);
}
INSTANTIATE_TEST_SUITE_P(Values, Hurst, testing::Values(0.5, 0.6, 0.7, 0.8, 0.9));

TEST(Hurst, WaveletsDoNotSeeATrend) {
    auto noise = fractional_noise(0.6, 2048, 4);
    const double before = hurst_wavelet(noise).value(),
                 variance_before = hurst_aggregated_variance(noise).value();
    for (std::size_t i = 0; i < noise.size(); ++i) noise[i] += 0.005 * static_cast<double>(i);
    EXPECT_NEAR(hurst_wavelet(noise).value(), before, 1e-6);
    EXPECT_GT(hurst_aggregated_variance(noise).value(), variance_before + 0.1);
}

TEST(Hurst, DoesNotDependOnUnits) {
    auto noise = fractional_noise(0.7, 1000, 5);
    const double variance = hurst_aggregated_variance(noise).value(), wavelet = hurst_wavelet(noise).value();
    for (double& value : noise) value = 1500 * value + 7;
    EXPECT_NEAR(hurst_aggregated_variance(noise).value(), variance, 1e-9);
    EXPECT_NEAR(hurst_wavelet(noise).value(), wavelet, 1e-9);
}

TEST(Hurst, NeedsValuesThatVary) {
    EXPECT_FALSE(hurst_aggregated_variance(std::vector<double>(hurst_least_values - 1, 1.0)));
    EXPECT_FALSE(hurst_wavelet(std::vector<double>{}));
    const std::vector<double> constant(1024, 3.0);
    EXPECT_FALSE(hurst_aggregated_variance(constant));
    EXPECT_FALSE(hurst_wavelet(constant));
    EXPECT_FALSE(hurst_wavelet(std::vector<double>(1024, 0.0)));
    EXPECT_TRUE(hurst_aggregated_variance(fractional_noise(0.5, hurst_least_values, 1)));
    EXPECT_TRUE(hurst_wavelet(fractional_noise(0.5, hurst_least_values, 1)));
}

}  // namespace
}  // namespace tracebench
