#include "generators/diffusion/model/norm_kernel.h"

#include <algorithm>
#include <cmath>

#include "generators/ssm/kernels/vector_math.h"

namespace tracebench::diffusion {
namespace {

using ssm::fast_sigmoid;

TRACEBENCH_INLINE float reciprocal_rms(std::int64_t channels, const float* x) {
    float squares = 0;
    for (std::int64_t c = 0; c < channels; ++c) squares += x[c] * x[c];
    return 1 / std::sqrt(squares / static_cast<float>(channels) + kNormEpsilon);
}

}  // namespace

TRACEBENCH_CLONES
void norm_forward(std::int64_t rows, std::int64_t channels, const float* __restrict x,
                  const float* __restrict scale, const float* __restrict shift, const float* __restrict mask,
                  float* __restrict y) {
    for (std::int64_t row = 0; row < rows; ++row, x += channels, y += channels) {
        if (mask[row] == 0) {
            std::fill_n(y, channels, 0.f);
            continue;
        }
        const float r = reciprocal_rms(channels, x);
        for (std::int64_t c = 0; c < channels; ++c) {
            const float a = x[c] * r * (1 + scale[c]) + shift[c];
            y[c] = a * fast_sigmoid(a);
        }
    }
}

TRACEBENCH_CLONES
void norm_backward(std::int64_t rows, std::int64_t channels, const float* __restrict x,
                   const float* __restrict scale, const float* __restrict shift, const float* __restrict mask,
                   const float* __restrict dy, float* __restrict dx, float* __restrict d_scale,
                   float* __restrict d_shift) {
    for (std::int64_t row = 0; row < rows; ++row, x += channels, dy += channels, dx += channels) {
        if (mask[row] == 0) {
            std::fill_n(dx, channels, 0.f);
            continue;
        }
        const float r = reciprocal_rms(channels, x);
        float along = 0;  // mean over channels of d_u * u, for u = x r
        for (std::int64_t c = 0; c < channels; ++c) {
            const float u = x[c] * r;
            const float a = u * (1 + scale[c]) + shift[c];
            const float s = fast_sigmoid(a);
            const float da = dy[c] * s * (1 + a * (1 - s));
            d_scale[c] += da * u;
            d_shift[c] += da;
            dx[c] = da * (1 + scale[c]);
            along += dx[c] * u;
        }
        along /= static_cast<float>(channels);
        for (std::int64_t c = 0; c < channels; ++c) dx[c] = r * (dx[c] - x[c] * r * along);
    }
}

}  // namespace tracebench::diffusion
