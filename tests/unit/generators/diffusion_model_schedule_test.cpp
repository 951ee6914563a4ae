// The noise schedule and the samplers' steps against values worked out by hand, the papers' formulae, and the
// closed form for Gaussian data, whose exact denoiser is known.

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "generators/diffusion/noise_schedule.h"

namespace tracebench::diffusion {
namespace {

/// One number through all steps with the exact denoiser of N(mean, deviation^2).
double run(Sampler sampler, std::int64_t steps, double state, double mean, double deviation) {
    double before = 0;
    for (const SolverStep& step : solver_steps(sampler, steps)) {
        const auto [alpha, sigma] = step.from;
        const double variance = deviation * deviation;
        const double data =
            (mean * sigma * sigma + variance * alpha * state) / (sigma * sigma + variance * alpha * alpha);
        state = step.keep * state + step.data * data + step.previous * before;
        before = data;
    }
    return state;
}

/// Samplers are affine in the first state, which is N(0, 1): so the samples are Gaussian again.
struct Moments {
    double mean, deviation;
};
Moments sampled(Sampler sampler, std::int64_t steps, double mean, double deviation) {
    const double at_zero = run(sampler, steps, 0, mean, deviation);
    return {at_zero, run(sampler, steps, 1, mean, deviation) - at_zero};
}

TEST(DiffusionScheduleTest, LevelsAreThoseOfTheCosine) {
    const NoiseLevel middle = noise_level(0.5);  // (0.001 + 0.998 / 2) * pi / 2 = pi / 4
    EXPECT_NEAR(middle.alpha, std::numbers::sqrt2 / 2, 1e-12);
    EXPECT_NEAR(middle.sigma, std::numbers::sqrt2 / 2, 1e-12);
    EXPECT_NEAR(middle.log_ratio(), 0, 1e-12);
    EXPECT_NEAR(noise_level(1).alpha, 0.00157079567, 1e-10);  // cos(0.999 pi / 2) = sin(0.001 pi / 2)
    EXPECT_NEAR(noise_level(0).sigma, 0.00157079567, 1e-10);
    for (const double t : {0.0, 0.1, 0.37, 0.9, 1.0}) {
        const NoiseLevel level = noise_level(t);
        EXPECT_NEAR(level.alpha * level.alpha + level.sigma * level.sigma, 1, 1e-12);
    }
}

TEST(DiffusionScheduleTest, TwoStepsOfDdimByHand) {
    const std::vector<SolverStep> steps = solver_steps(Sampler::ddim, 2);
    ASSERT_EQ(steps.size(), 2u);
    EXPECT_EQ(steps[0].time, 1);
    EXPECT_EQ(steps[1].time, 0.5);
    // From (0.00157080, 0.99999877) to (0.70710678, 0.70710678):
    EXPECT_NEAR(steps[0].keep, 0.70710765, 1e-7);
    EXPECT_NEAR(steps[0].data, 0.70599606, 1e-7);
    EXPECT_EQ(steps[0].previous, 0);
    EXPECT_EQ(steps[1].keep, 0);
    EXPECT_EQ(steps[1].data, 1);
    EXPECT_EQ(steps[1].previous, 0);
}

TEST(DiffusionScheduleTest, DpmSolverIsAlgorithmTwoOfThePaper) {
    constexpr std::int64_t count = 7;
    const std::vector<SolverStep> steps = solver_steps(Sampler::dpm_solver, count);
    for (std::size_t i = 1; i + 1 < steps.size(); ++i) {
        const NoiseLevel to = steps[i + 1].from;
        const double lambda = steps[i].from.log_ratio();
        const double h = to.log_ratio() - lambda, h_before = lambda - steps[i - 1].from.log_ratio();
        const double r = h_before / h, scale = -to.alpha * (std::exp(-h) - 1);
        EXPECT_NEAR(steps[i].keep, to.sigma / steps[i].from.sigma, 1e-12);
        EXPECT_NEAR(steps[i].data, scale * (1 + 1 / (2 * r)), 1e-9);
        EXPECT_NEAR(steps[i].previous, -scale / (2 * r), 1e-9);
    }
    EXPECT_EQ(steps.front().previous, 0);
    EXPECT_EQ(steps.back().data, 1);
}

TEST(DiffusionScheduleTest, GaussianDataComesOutWithItsMeanAndVariance) {
    for (const Sampler sampler : {Sampler::ddim, Sampler::dpm_solver})
        for (const auto& [mean, deviation] : {std::pair{0.0, 1.0}, {1.5, 0.4}, {-0.7, 0.1}}) {
            const Moments moments = sampled(sampler, 500, mean, deviation);
            EXPECT_NEAR(moments.mean, mean, 0.005) << deviation;
            EXPECT_NEAR(moments.deviation, deviation, 0.02 * deviation) << mean;
        }
}

TEST(DiffusionScheduleTest, DpmSolverIsOfSecondOrder) {
    const auto error = [](Sampler sampler, std::int64_t steps) {
        return std::abs(sampled(sampler, steps, 0, 0.5).deviation - 0.5);
    };
    // Twice the steps: half the error at first order, a quarter at second.
    const double first = error(Sampler::ddim, 400) / error(Sampler::ddim, 800);
    const double second = error(Sampler::dpm_solver, 400) / error(Sampler::dpm_solver, 800);
    EXPECT_GT(first, 1.7);
    EXPECT_LT(first, 2.3);
    EXPECT_GT(second, 3);
    EXPECT_LT(second, 6);
    EXPECT_LT(error(Sampler::dpm_solver, 20), error(Sampler::ddim, 20) / 3);
}

}  // namespace
}  // namespace tracebench::diffusion
