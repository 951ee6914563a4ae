#include "generators/diffusion/noise_schedule.h"

#include <cmath>
#include <numbers>

namespace tracebench::diffusion {

double NoiseLevel::log_ratio() const {
    return std::log(alpha / sigma);
}

NoiseLevel noise_level(double t) {
    const double angle = (kEarliest + (kLatest - kEarliest) * t) * std::numbers::pi / 2;
    return {std::cos(angle), std::sin(angle)};
}

std::vector<SolverStep> solver_steps(Sampler sampler, std::int64_t steps) {
    std::vector<SolverStep> plan;
    plan.reserve(static_cast<std::size_t>(steps));
    for (std::int64_t i = 0; i < steps; ++i) {
        SolverStep& step = plan.emplace_back();
        step.time = 1 - static_cast<double>(i) / static_cast<double>(steps);
        step.from = noise_level(step.time);
        if (i + 1 == steps) {
            step.data = 1;
            continue;
        }
        const NoiseLevel to = noise_level(1 - static_cast<double>(i + 1) / static_cast<double>(steps));
        // Both samplers' first-order step: the noise that the estimate leaves, at the next level.
        step.keep = to.sigma / step.from.sigma;
        step.data = to.alpha - step.keep * step.from.alpha;
        if (sampler == Sampler::dpm_solver && i > 0) {
            const NoiseLevel before = plan[plan.size() - 2].from;
            const double now = step.from.log_ratio();
            const double ratio = (now - before.log_ratio()) / (to.log_ratio() - now);
            step.previous = -step.data / (2 * ratio);
            step.data -= step.previous;
        }
    }
    return plan;
}

}  // namespace tracebench::diffusion
