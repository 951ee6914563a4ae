#include "generators/ssm/kernels/scan_passes.h"

#include <algorithm>

#include "generators/ssm/kernels/vector_math.h"

namespace tracebench::ssm {
namespace {

/// Below the diagonal blocks of `lane` x `lane`, exp(sum[i] - sum[j]) = exp(sum[i] - r) exp(r - sum[j]) with
/// r the sum at the first row of i's block: two factors, neither above 1, for one exponential a row and a
/// column. Brings factor[j] = exp(r - sum[j]) from the block before `first` to `first`.
TRACEBENCH_INLINE void advance_factors(std::int64_t first, const float* sum, float* factor) {
    if (first == 0) return;
    const std::int64_t previous = first - lane;
    const float step = fast_exp(sum[first] - sum[previous]);
    for (std::int64_t j = 0; j < previous; ++j) factor[j] *= step;
    for (std::int64_t j = previous; j < first; ++j) factor[j] = fast_exp(sum[first] - sum[j]);
}

}  // namespace

template <typename T>
TRACEBENCH_CLONES void decay_mask(std::int64_t q, std::int64_t stride, const float* cb, const float* sum,
                                  const float* dt, T* m, float* factor) {
    for (std::int64_t first = 0; first < q; first += lane) {
        advance_factors(first, sum, factor);
        const std::int64_t last = std::min(first + lane, q);
        for (std::int64_t i = first; i < last; ++i) {
            const float* from = cb + i * stride;
            T* to = m + i * stride;
            const float at = sum[i], row = fast_exp(at - sum[first]);
#pragma GCC ivdep
            for (std::int64_t j = 0; j < first; ++j)
                to[j] = from_float<T>(from[j] * (row * factor[j]) * dt[j]);
#pragma GCC ivdep
            for (std::int64_t j = first; j < first + lane; ++j) {
                const float value = from[j] * fast_exp(at - sum[j]) * dt[j];
                to[j] = from_float<T>(j <= i ? value : 0.f);
            }
            std::fill(to + first + lane, to + stride, T{});
        }
    }
}

template <typename T>
TRACEBENCH_CLONES void decay_mask_backward(std::int64_t q, std::int64_t stride, const float* cb,
                                           const float* dm, const float* sum, const float* dt, T* m,
                                           float* cb_gradient, float* sum_gradient, float* dt_gradient,
                                           float* factor) {
    float* __restrict column = factor + stride;  // sum over i > j of dm * cb * decay, without dt
    std::fill(column, column + stride, 0.f);
    for (std::int64_t first = 0; first < q; first += lane) {
        advance_factors(first, sum, factor);
        const std::int64_t last = std::min(first + lane, q);
        for (std::int64_t i = first; i < last; ++i) {
            const float* from = cb + i * stride;
            const float* slope = dm + i * stride;
            float* out = cb_gradient + i * stride;
            T* to = m + i * stride;
            const float at = sum[i], row = fast_exp(at - sum[first]);
            float across = 0;
#pragma GCC ivdep
            for (std::int64_t j = 0; j < first; ++j) {
                const float decay = row * factor[j], share = slope[j] * decay, whole = share * from[j];
                to[j] = from_float<T>(from[j] * decay * dt[j]);
                out[j] += share * dt[j];
                column[j] += whole;
                across += whole * dt[j];
            }
            // The diagonal does not depend on the decay: kept apart, it cancels exactly.
#pragma GCC ivdep
            for (std::int64_t j = first; j < first + lane; ++j) {
                const float decay = j <= i ? fast_exp(at - sum[j]) : 0.f;
                const float b = j <= i ? from[j] : 0.f, share = (j <= i ? slope[j] : 0.f) * decay;
                const float whole = j < i ? share * b : 0.f;
                to[j] = from_float<T>(b * decay * dt[j]);
                out[j] += share * dt[j];
                column[j] += whole;
                across += whole * dt[j];
            }
            std::fill(to + first + lane, to + stride, T{});
            sum_gradient[i] += across;
            dt_gradient[i] += slope[i] * from[i];
        }
    }
    for (std::int64_t j = 0; j < q; ++j) {
        dt_gradient[j] += column[j];
        sum_gradient[j] -= column[j] * dt[j];
    }
}

template <typename T>
TRACEBENCH_CLONES void scale_heads(std::int64_t q, HeadShape shape, const T* from, std::int64_t from_stride,
                                   const float* scale, std::int64_t scale_stride, T* to) {
    for (std::int64_t i = 0; i < q; ++i, from += from_stride, to += shape.width())
        for (std::int64_t head = 0; head < shape.heads; ++head) {
            const float by = scale[head * scale_stride + i];
            const std::int64_t begin = head * shape.headdim;
#pragma GCC ivdep
            for (std::int64_t c = begin; c < begin + shape.headdim; ++c)
                to[c] = from_float<T>(by * to_float(from[c]));
        }
}

template <typename T>
TRACEBENCH_CLONES void combine_outputs(std::int64_t q, HeadShape shape, const float* within,
                                       const float* across, const float* e, std::int64_t e_stride,
                                       const float* d, const T* x, std::int64_t x_stride, T* y,
                                       std::int64_t y_stride) {
    for (std::int64_t i = 0; i < q; ++i, x += x_stride, y += y_stride)
        for (std::int64_t head = 0; head < shape.heads; ++head) {
            const float decay = e[head * e_stride + i], skip = d[head];
            const std::int64_t begin = head * shape.headdim, row = i * shape.width();
#pragma GCC ivdep
            for (std::int64_t c = begin; c < begin + shape.headdim; ++c)
                y[c] = from_float<T>(within[row + c] + decay * across[row + c] + skip * to_float(x[c]));
        }
}

template <typename T>
TRACEBENCH_CLONES void decay_state(std::int64_t states, HeadShape shape, const float* decay, float* state,
                                   T* copy) {
    for (std::int64_t n = 0; n < states; ++n)
        for (std::int64_t head = 0; head < shape.heads; ++head) {
            const float by = decay[head];
            const std::int64_t begin = n * shape.width() + head * shape.headdim;
#pragma GCC ivdep
            for (std::int64_t c = begin; c < begin + shape.headdim; ++c) {
                copy[c] = from_float<T>(state[c]);
                state[c] *= by;
            }
        }
}

template <typename T>
TRACEBENCH_CLONES void decay_state_backward(std::int64_t states, HeadShape shape, const float* decay,
                                            const T* before, float* gradient, float* product) {
    for (std::int64_t head = 0; head < shape.heads; ++head) {
        const float by = decay[head];
        float sum = 0;
        for (std::int64_t n = 0; n < states; ++n) {
            const std::int64_t begin = n * shape.width() + head * shape.headdim;
#pragma GCC ivdep
            for (std::int64_t c = begin; c < begin + shape.headdim; ++c) {
                sum += to_float(before[c]) * gradient[c];
                gradient[c] *= by;
            }
        }
        product[head] = sum;
    }
}

template <typename T>
TRACEBENCH_CLONES void token_gradients(std::int64_t q, HeadShape shape, const TokenGradients<T>& arrays) {
    for (std::int64_t i = 0; i < q; ++i) {
        const T* x = arrays.x + i * arrays.x_stride;
        const T* slope = arrays.y_gradient + i * arrays.y_stride;
        const float* within = arrays.within + i * shape.width();
        const float* across = arrays.across + i * shape.width();
        const float* carried = arrays.carried + i * shape.width();
        float* __restrict out = arrays.x_gradient + i * arrays.x_gradient_stride;
        for (std::int64_t head = 0; head < shape.heads; ++head) {
            const std::int64_t at = head * arrays.scalar_stride + i, begin = head * shape.headdim;
            const float by = arrays.wdt[at], skip = arrays.d[head];
            float across_x = 0, y_x = 0, y_carried = 0;
#pragma GCC ivdep
            for (std::int64_t c = begin; c < begin + shape.headdim; ++c) {
                const float value = to_float(x[c]), g = to_float(slope[c]);
                out[c] = within[c] + by * across[c] + skip * g;
                across_x += across[c] * value;
                y_x += g * value;
                y_carried += g * carried[c];
            }
            arrays.across_x[at] = across_x;
            arrays.y_x[at] = y_x;
            arrays.y_carried[at] = y_carried;
        }
    }
}

TRACEBENCH_CLONES void exponentials(std::int64_t size, const float* from, float* to) {
#pragma GCC ivdep
    for (std::int64_t i = 0; i < size; ++i) to[i] = fast_exp(from[i]);
}

#define TRACEBENCH_INSTANTIATE(T)                                                                           \
    template void decay_mask(std::int64_t, std::int64_t, const float*, const float*, const float*, T*,      \
                             float*);                                                                       \
    template void decay_mask_backward(std::int64_t, std::int64_t, const float*, const float*, const float*, \
                                      const float*, T*, float*, float*, float*, float*);                    \
    template void scale_heads(std::int64_t, HeadShape, const T*, std::int64_t, const float*, std::int64_t,  \
                              T*);                                                                          \
    template void combine_outputs(std::int64_t, HeadShape, const float*, const float*, const float*,        \
                                  std::int64_t, const float*, const T*, std::int64_t, T*, std::int64_t);    \
    template void decay_state(std::int64_t, HeadShape, const float*, float*, T*);                           \
    template void decay_state_backward(std::int64_t, HeadShape, const float*, const T*, float*, float*);    \
    template void token_gradients(std::int64_t, HeadShape, const TokenGradients<T>&);
TRACEBENCH_INSTANTIATE(float)
TRACEBENCH_INSTANTIATE(Bfloat16)

}  // namespace tracebench::ssm
