#pragma once
/// The pass between two convolutions, in one reading of memory: normalise each row over its channels
/// (RMSNorm, Zhang and Sennrich 2019), scale and shift it (FiLM, Perez et al. 2018), SiLU, and zero outside
/// the sample.
///
///     r = 1 / sqrt(mean over channels of x^2 + 1e-5);   y = mask * silu(x r (1 + scale) + shift)

#include <cstdint>

namespace tracebench::diffusion {

inline constexpr float kNormEpsilon = 1e-5f;

/// Row-major x and y: rows x channels; scale and shift: channels; mask: rows, 0 or 1.
void norm_forward(std::int64_t rows, std::int64_t channels, const float* x, const float* scale,
                  const float* shift, const float* mask, float* y);
/// Given dy, writes dx and adds to d_scale and d_shift.
void norm_backward(std::int64_t rows, std::int64_t channels, const float* x, const float* scale,
                   const float* shift, const float* mask, const float* dy, float* dx, float* d_scale,
                   float* d_shift);

}  // namespace tracebench::diffusion
