#include "generators/ssm/kernels/passes.h"

#include <algorithm>
#include <cmath>

#include "generators/ssm/kernels/vector_math.h"

namespace tracebench::ssm {
namespace {

/// Channels that are convolved together, so that taps, inputs and gradients stay in the first-level cache.
constexpr std::int64_t channel_block = 256;

template <typename T, int Taps>
TRACEBENCH_INLINE float before_silu(const float* weight, std::int64_t channels, float bias,
                                    const T* const* inputs, std::int64_t taps, std::int64_t c) {
    float sum = bias;
    if constexpr (Taps > 0) {
        for (int k = 0; k < Taps; ++k) sum += weight[k * channels + c] * to_float(inputs[k][c]);
    } else {
        for (std::int64_t k = 0; k < taps; ++k) sum += weight[k * channels + c] * to_float(inputs[k][c]);
    }
    return sum;
}

template <typename T, int Taps>
TRACEBENCH_INLINE void convolve_tile(const Convolution& convolution, std::int64_t begin, std::int64_t end,
                                     const T* const* inputs, T* __restrict y) {
    const float* weight = convolution.weight;
    const float* bias = convolution.bias;
    const std::int64_t channels = convolution.channels, taps = convolution.taps;
    const T* rows[Taps > 0 ? Taps : 1] = {};
    for (int k = 0; k < Taps; ++k) rows[k] = inputs[k];
    const T* const* from = Taps > 0 ? rows : inputs;
#pragma GCC ivdep
    for (std::int64_t c = begin; c < end; ++c)
        y[c] = from_float<T>(fast_silu(before_silu<T, Taps>(weight, channels, bias[c], from, taps, c)));
}

}  // namespace

template <typename T>
TRACEBENCH_CLONES void rms_norm(std::int64_t rows, std::int64_t width, const float* x, const float* weight,
                                T* y) {
    for (std::int64_t row = 0; row < rows; ++row, x += width, y += width) {
        float squares = 0;
        for (std::int64_t i = 0; i < width; ++i) squares += x[i] * x[i];
        const float scale = 1 / std::sqrt(squares / static_cast<float>(width) + norm_epsilon);
#pragma GCC ivdep
        for (std::int64_t i = 0; i < width; ++i) y[i] = from_float<T>(x[i] * scale * weight[i]);
    }
}

template <typename T>
TRACEBENCH_CLONES void rms_norm_backward(std::int64_t rows, std::int64_t width, const float* x,
                                         const float* weight, const float* y_gradient, float* x_gradient,
                                         float* weight_gradient, T* y) {
    for (std::int64_t row = 0; row < rows;
         ++row, x += width, y += width, y_gradient += width, x_gradient += width) {
        float squares = 0, product = 0;
        for (std::int64_t i = 0; i < width; ++i) {
            squares += x[i] * x[i];
            product += x[i] * weight[i] * y_gradient[i];
        }
        const float inverse = 1 / static_cast<float>(width);
        const float scale = 1 / std::sqrt(squares * inverse + norm_epsilon);
        const float pull = product * scale * scale * scale * inverse;
#pragma GCC ivdep
        for (std::int64_t i = 0; i < width; ++i) {
            x_gradient[i] += scale * weight[i] * y_gradient[i] - pull * x[i];
            weight_gradient[i] += y_gradient[i] * x[i] * scale;
            y[i] = from_float<T>(x[i] * scale * weight[i]);
        }
    }
}

template <typename T>
TRACEBENCH_CLONES void convolve(const Convolution& convolution, std::int64_t rows, const T* const* inputs,
                                T* y, std::int64_t y_stride) {
    for (std::int64_t begin = 0; begin < convolution.channels; begin += channel_block) {
        const std::int64_t end = std::min(begin + channel_block, convolution.channels);
        for (std::int64_t row = 0; row < rows; ++row) {
            if (convolution.taps == 4)
                convolve_tile<T, 4>(convolution, begin, end, inputs + row, y + row * y_stride);
            else
                convolve_tile<T, 0>(convolution, begin, end, inputs + row, y + row * y_stride);
        }
    }
}

template <typename T>
TRACEBENCH_CLONES void convolve_backward(const Convolution& convolution, std::int64_t first,
                                         std::int64_t last, std::int64_t rows, std::int64_t counted,
                                         const T* const* inputs, const float* y_gradient,
                                         std::int64_t y_stride, float* pre_gradient, float* weight_gradient,
                                         float* bias_gradient) {
    const std::int64_t channels = convolution.channels, taps = convolution.taps;
    const float* weight = convolution.weight;
    const float* bias = convolution.bias;
    for (std::int64_t begin = first; begin < last; begin += channel_block) {
        const std::int64_t end = std::min(begin + channel_block, last);
        for (std::int64_t row = 0; row < rows; ++row) {
            const float* given = y_gradient + row * y_stride - first;
            float* __restrict pre = pre_gradient + row * channels;
            const T* const* from = inputs + row;
            if (taps == 4) {
                const T* const x0 = from[0];
                const T* const x1 = from[1];
                const T* const x2 = from[2];
                const T* const x3 = from[3];
                const float share = row < counted ? 1.f : 0.f;
                float* __restrict w0 = weight_gradient;
                float* __restrict w1 = w0 + channels;
                float* __restrict w2 = w1 + channels;
                float* __restrict w3 = w2 + channels;
#pragma GCC ivdep
                for (std::int64_t c = begin; c < end; ++c) {
                    const float a = to_float(x0[c]), b = to_float(x1[c]), d = to_float(x2[c]),
                                e = to_float(x3[c]);
                    const float sum = bias[c] + weight[c] * a + weight[channels + c] * b +
                                      weight[2 * channels + c] * d + weight[3 * channels + c] * e;
                    const float gate = fast_sigmoid(sum);
                    const float slope = given[c] * gate * (1.f + sum * (1.f - gate));
                    pre[c] = slope;
                    const float kept = slope * share;
                    w0[c] += kept * a;
                    w1[c] += kept * b;
                    w2[c] += kept * d;
                    w3[c] += kept * e;
                    bias_gradient[c] += kept;
                }
            } else {
#pragma GCC ivdep
                for (std::int64_t c = begin; c < end; ++c) {
                    const float sum = before_silu<T, 0>(weight, channels, bias[c], from, taps, c);
                    const float gate = fast_sigmoid(sum);
                    pre[c] = given[c] * gate * (1.f + sum * (1.f - gate));
                }
                if (row >= counted) continue;
                for (std::int64_t k = 0; k < taps; ++k)
                    for (std::int64_t c = begin; c < end; ++c)
                        weight_gradient[k * channels + c] += pre[c] * to_float(from[k][c]);
                for (std::int64_t c = begin; c < end; ++c) bias_gradient[c] += pre[c];
            }
        }
    }
}

template <typename T>
TRACEBENCH_CLONES void convolve_input_gradient(const Convolution& convolution, std::int64_t rows,
                                               std::int64_t available, const float* pre_gradient,
                                               T* x_gradient, std::int64_t x_stride) {
    const std::int64_t channels = convolution.channels, taps = convolution.taps;
    for (std::int64_t row = 0; row < rows; ++row) {
        const float* pre = pre_gradient + row * channels;
        T* __restrict out = x_gradient + row * x_stride;
        if (taps == 4 && row + 3 < available) {
            const float* weight = convolution.weight;
#pragma GCC ivdep
            for (std::int64_t c = 0; c < channels; ++c)
                out[c] = from_float<T>(
                    weight[3 * channels + c] * pre[c] + weight[2 * channels + c] * pre[channels + c] +
                    weight[channels + c] * pre[2 * channels + c] + weight[c] * pre[3 * channels + c]);
            continue;
        }
        const std::int64_t count = std::min(taps, available - row);
#pragma GCC ivdep
        for (std::int64_t c = 0; c < channels; ++c) {
            float sum = 0;
            for (std::int64_t ahead = 0; ahead < count; ++ahead)
                sum += convolution.weight[(taps - 1 - ahead) * channels + c] * pre[ahead * channels + c];
            out[c] = from_float<T>(sum);
        }
    }
}

template <typename T>
TRACEBENCH_CLONES void gated_norm(std::int64_t rows, std::int64_t width, std::int64_t group, const T* y,
                                  const T* z, std::int64_t z_stride, const float* weight, T* out) {
    for (std::int64_t row = 0; row < rows; ++row, y += width, z += z_stride, out += width) {
        for (std::int64_t begin = 0; begin < width; begin += group) {
            float squares = 0;
#pragma GCC ivdep
            for (std::int64_t i = begin; i < begin + group; ++i) {
                const float gated = to_float(y[i]) * fast_silu(to_float(z[i]));
                squares += gated * gated;
                out[i] = from_float<T>(gated);
            }
            const float scale = 1 / std::sqrt(squares / static_cast<float>(group) + norm_epsilon);
#pragma GCC ivdep
            for (std::int64_t i = begin; i < begin + group; ++i)
                out[i] = from_float<T>(to_float(out[i]) * scale * weight[i]);
        }
    }
}

template <typename T>
TRACEBENCH_CLONES void gated_norm_backward(std::int64_t rows, std::int64_t width, std::int64_t group,
                                           const T* y, const T* z, std::int64_t z_stride, const float* weight,
                                           const float* out_gradient, T* y_gradient, T* z_gradient,
                                           float* weight_gradient, T* out, float* scratch) {
    float* __restrict gates = scratch;
    float* __restrict gated = scratch + width;
    for (std::int64_t row = 0; row < rows; ++row) {
        for (std::int64_t begin = 0; begin < width; begin += group) {
            float squares = 0, product = 0;
#pragma GCC ivdep
            for (std::int64_t i = begin; i < begin + group; ++i) {
                const float z_value = to_float(z[i]);
                const float gate = fast_sigmoid(z_value);
                const float value = to_float(y[i]) * z_value * gate;
                gates[i] = gate;
                gated[i] = value;
                squares += value * value;
                product += value * weight[i] * out_gradient[i];
            }
            const float inverse = 1 / static_cast<float>(group);
            const float scale = 1 / std::sqrt(squares * inverse + norm_epsilon);
            const float pull = product * scale * scale * scale * inverse;
#pragma GCC ivdep
            for (std::int64_t i = begin; i < begin + group; ++i) {
                const float z_value = to_float(z[i]), gate = gates[i];
                const float normed = gated[i] * scale;
                const float slope = scale * weight[i] * out_gradient[i] - pull * gated[i];
                weight_gradient[i] += out_gradient[i] * normed;
                out[i] = from_float<T>(normed * weight[i]);
                z_gradient[i] = from_float<T>(slope * to_float(y[i]) * gate * (1.f + z_value * (1.f - gate)));
                y_gradient[i] = from_float<T>(slope * z_value * gate);
            }
        }
        y += width;
        z += z_stride;
        z_gradient += z_stride;
        out_gradient += width;
        y_gradient += width;
        out += width;
    }
}

template <typename From, typename To>
TRACEBENCH_CLONES void convert(std::int64_t size, const From* from, To* to) {
#pragma GCC ivdep
    for (std::int64_t i = 0; i < size; ++i) to[i] = from_float<To>(to_float(from[i]));
}

TRACEBENCH_CLONES void add(std::int64_t size, const float* from, float* to) {
#pragma GCC ivdep
    for (std::int64_t i = 0; i < size; ++i) to[i] += from[i];
}

#define TRACEBENCH_INSTANTIATE(T)                                                                            \
    template void rms_norm(std::int64_t, std::int64_t, const float*, const float*, T*);                      \
    template void rms_norm_backward(std::int64_t, std::int64_t, const float*, const float*, const float*,    \
                                    float*, float*, T*);                                                     \
    template void convolve(const Convolution&, std::int64_t, const T* const*, T*, std::int64_t);             \
    template void convolve_backward(const Convolution&, std::int64_t, std::int64_t, std::int64_t,            \
                                    std::int64_t, const T* const*, const float*, std::int64_t, float*,       \
                                    float*, float*);                                                         \
    template void convolve_input_gradient(const Convolution&, std::int64_t, std::int64_t, const float*, T*,  \
                                          std::int64_t);                                                     \
    template void gated_norm(std::int64_t, std::int64_t, std::int64_t, const T*, const T*, std::int64_t,     \
                             const float*, T*);                                                              \
    template void gated_norm_backward(std::int64_t, std::int64_t, std::int64_t, const T*, const T*,          \
                                      std::int64_t, const float*, const float*, T*, T*, float*, T*, float*); \
    template void convert(std::int64_t, const float*, T*);
TRACEBENCH_INSTANTIATE(float)
TRACEBENCH_INSTANTIATE(Bfloat16)
template void convert(std::int64_t, const Bfloat16*, float*);

}  // namespace tracebench::ssm
