#pragma once
/// The noise schedule and the samplers' steps, as plain numbers.
///
/// At time t in [0, 1] the noisy state is z = alpha(t) x + sigma(t) noise with alpha^2 + sigma^2 = 1; the
/// network predicts v = alpha noise - sigma x (Salimans and Ho, "Progressive Distillation", ICLR 2022).

#include <cstdint>
#include <vector>

namespace tracebench::diffusion {

struct NoiseLevel {
    double alpha = 1, sigma = 0;
    /// ln(alpha / sigma), half the logarithm of the signal-to-noise ratio.
    double log_ratio() const;
};

/// Cosine schedule, alpha = cos(pi t / 2) (Nichol and Dhariwal, "Improved DDPM", ICML 2021, without their
/// offset), with t first mapped into [kEarliest, kLatest] so that both levels stay away from 0.
NoiseLevel noise_level(double t);
inline constexpr double kEarliest = 0.001, kLatest = 0.999;

enum class Sampler {
    ddim,        ///< deterministic (Song et al., "DDIM", ICLR 2021, eta = 0)
    dpm_solver,  ///< DPM-Solver++(2M) (Lu et al. 2022, algorithm 2), first and last step of first order
};

/// One step from the level before to the next: state = keep * state + data * x + previous * x_before, where x
/// is the network's estimate of the clean data now and x_before the one of the step before.
struct SolverStep {
    NoiseLevel from;  ///< where the network is asked
    double time = 0;  ///< of `from`
    double keep = 0, data = 0, previous = 0;
};

/// `steps` (at least 1) steps from t = 1, pure noise, to the clean data, evenly spaced in t. The last step's
/// result is its estimate of the data.
std::vector<SolverStep> solver_steps(Sampler sampler, std::int64_t steps);

}  // namespace tracebench::diffusion
