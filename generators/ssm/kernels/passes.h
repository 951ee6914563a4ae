#pragma once
/// The element-wise passes of a block between its matrix products, each over some rows (tokens) of row-major
/// matrices, on the calling thread. T is the type that matrix products read: float or Bfloat16.
///
/// Gradients of weights are added to; everything else is overwritten unless said otherwise.

#include <cstdint>

namespace tracebench::ssm {

inline constexpr float norm_epsilon = 1e-5f;

/// y = x / sqrt(mean(x^2) + epsilon) * weight. All [rows, width].
template <typename T>
void rms_norm(std::int64_t rows, std::int64_t width, const float* x, const float* weight, T* y);
/// Adds the gradient by x to `x_gradient`; writes the norm's value again to `y`.
template <typename T>
void rms_norm_backward(std::int64_t rows, std::int64_t width, const float* x, const float* weight,
                       const float* y_gradient, float* x_gradient, float* weight_gradient, T* y);

/// A causal convolution along the tokens, each channel for itself, and SiLU after it.
struct Convolution {
    std::int64_t channels, taps;
    const float* weight;  ///< [taps, channels]: the oldest token first
    const float* bias;    ///< [channels]
};
/// `inputs` has rows + taps - 1 pointers: the tokens before the first, then the rows themselves. `y` has
/// `y_stride` values a row.
template <typename T>
void convolve(const Convolution& convolution, std::int64_t rows, const T* const* inputs, T* y,
              std::int64_t y_stride);
/// Gradient by what goes into the SiLU: pre_gradient [rows, channels], for channels [first, last), given that
/// by the result (`y_gradient`, whose column 0 is channel `first`). Weights' and bias' gradients count the
/// first `counted` rows.
template <typename T>
void convolve_backward(const Convolution& convolution, std::int64_t first, std::int64_t last,
                       std::int64_t rows, std::int64_t counted, const T* const* inputs,
                       const float* y_gradient, std::int64_t y_stride, float* pre_gradient,
                       float* weight_gradient, float* bias_gradient);
/// Gradient by the convolution's inputs: x_gradient[t] = sum_k weight[k] pre_gradient[t + taps - 1 - k],
/// where pre_gradient has `available` >= rows rows and counts as 0 beyond.
template <typename T>
void convolve_input_gradient(const Convolution& convolution, std::int64_t rows, std::int64_t available,
                             const float* pre_gradient, T* x_gradient, std::int64_t x_stride);

/// RMSNorm after the gate, in groups of `group` channels: out = norm(y * silu(z)) * weight.
template <typename T>
void gated_norm(std::int64_t rows, std::int64_t width, std::int64_t group, const T* y, const T* z,
                std::int64_t z_stride, const float* weight, T* out);
/// `out` is the value again. `scratch` has 2 * width values.
template <typename T>
void gated_norm_backward(std::int64_t rows, std::int64_t width, std::int64_t group, const T* y, const T* z,
                         std::int64_t z_stride, const float* weight, const float* out_gradient, T* y_gradient,
                         T* z_gradient, float* weight_gradient, T* out, float* scratch);

/// to[i] = from[i].
template <typename From, typename To>
void convert(std::int64_t size, const From* from, To* to);
/// to[i] += from[i].
void add(std::int64_t size, const float* from, float* to);

}  // namespace tracebench::ssm
