#pragma once
/// Element-wise passes of the chunked scan, each on one chunk of `q` tokens on the calling thread.
///
/// `sum` [q] is the inclusive cumulative sum of dt * A of one head within the chunk (never rising); its
/// arrays and those of dt have room for q rounded up to `lane`. Matrices of q x q have rows of `stride`
/// values, a multiple of `lane` >= q.

#include <cstdint>

namespace tracebench::ssm {

inline constexpr std::int64_t lane = 16;

/// How the channels of a scan divide: `heads` heads of `headdim` channels each.
struct HeadShape {
    std::int64_t heads, headdim;
    std::int64_t width() const { return heads * headdim; }
};

/// m[i, j] = cb[i, j] * exp(sum[i] - sum[j]) * dt[j] for j <= i, else 0. `factor` has room for `stride`
/// values.
template <typename T>
void decay_mask(std::int64_t q, std::int64_t stride, const float* cb, const float* sum, const float* dt, T* m,
                float* factor);
/// With dm the gradient by m: writes m again; adds to cb_gradient [q, stride]; adds to sum_gradient [q] and
/// dt_gradient [q]. `factor` has room for 2 * `stride` values.
template <typename T>
void decay_mask_backward(std::int64_t q, std::int64_t stride, const float* cb, const float* dm,
                         const float* sum, const float* dt, T* m, float* cb_gradient, float* sum_gradient,
                         float* dt_gradient, float* factor);

/// to[i, c] = scale[head of c][i] * from[i, c]; to has rows of width values; scale rows of `scale_stride`.
template <typename T>
void scale_heads(std::int64_t q, HeadShape shape, const T* from, std::int64_t from_stride, const float* scale,
                 std::int64_t scale_stride, T* to);

/// y[i, c] = within[i, c] + e[head][i] * across[i, c] + d[head] * x[i, c]. within, across: rows of width
/// values.
template <typename T>
void combine_outputs(std::int64_t q, HeadShape shape, const float* within, const float* across,
                     const float* e, std::int64_t e_stride, const float* d, const T* x, std::int64_t x_stride,
                     T* y, std::int64_t y_stride);

/// Copies state [states, width] to `copy` and multiplies it by decay[head].
template <typename T>
void decay_state(std::int64_t states, HeadShape shape, const float* decay, float* state, T* copy);
/// product[head] = sum of before * gradient over the head; then multiplies the gradient by decay[head].
template <typename T>
void decay_state_backward(std::int64_t states, HeadShape shape, const float* decay, const T* before,
                          float* gradient, float* product);

/// The inner products that the scan's gradients need, and x's gradient put together:
/// x_gradient = within + wdt[head][i] * across + d[head] * y_gradient, and for each head and token
/// across_x[head][i] = <across, x>, y_x[head][i] = <y_gradient, x>, y_carried[head][i] = <y_gradient,
/// carried>.
template <typename T>
struct TokenGradients {
    const float *within, *across, *carried;  ///< [q, width]
    const T* x;
    std::int64_t x_stride;
    const T* y_gradient;
    std::int64_t y_stride;
    const float* wdt;  ///< [heads][scalar_stride], as are the three results
    const float* d;    ///< [heads]
    std::int64_t scalar_stride;
    float* x_gradient;
    std::int64_t x_gradient_stride;
    float *across_x, *y_x, *y_carried;
};
template <typename T>
void token_gradients(std::int64_t q, HeadShape shape, const TokenGradients<T>& arrays);

/// to[i] = e^from[i].
void exponentials(std::int64_t size, const float* from, float* to);

}  // namespace tracebench::ssm
