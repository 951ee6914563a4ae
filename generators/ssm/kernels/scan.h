#pragma once
/// The state-space scan S_t = exp(dt_t A) S_{t-1} + dt_t x_t B_t^T, y_t = S_t C_t + D x_t of some heads of
/// one sequence, in chunks (Dao and Gu, 2024, section 6): within a chunk by matrix products, from chunk to
/// chunk by the state. On the calling thread.

#include <cstdint>

#include "generators/ssm/kernels/buffer.h"
#include "generators/ssm/kernels/scan_passes.h"

namespace tracebench::ssm {

/// One sequence, and some heads of one group. Rows of x, b, c have `stride` values.
template <typename T>
struct Scan {
    std::int64_t length, chunk, states;
    HeadShape shape;
    const T *x, *b, *c;  ///< [length, width], [length, states], [length, states]
    std::int64_t stride;
    const float* dt;  ///< [heads][dt_stride]: dt of each token
    std::int64_t dt_stride;
    const float *a, *d;  ///< [heads]: A (below 0) and D

    std::int64_t chunks() const { return (length + chunk - 1) / chunk; }
    std::int64_t state_size() const { return states * shape.width(); }
};

/// One thread's memory for scans.
template <typename T>
struct ScanSpace {
    Buffer<float> cb, mask_gradient, cb_gradient, factor, within, across, carried, state, scalars;
    Buffer<T> mask, inputs, slopes, before, state_operand, cb_operand;
};

/// `before` and `after` are [heads, headdim, states], null for zero and unwanted. y has rows of `y_stride`.
/// `kept` gets the state before each chunk, chunks() * state_size() values; null: not kept.
template <typename T>
void scan_forward(const Scan<T>& scan, const float* before, T* y, std::int64_t y_stride, T* kept,
                  float* after, ScanSpace<T>& space);

template <typename T>
struct ScanGradients {
    const T* y;  ///< given
    std::int64_t y_stride;
    float* x;  ///< written, as all that follows
    std::int64_t x_stride;
    float *b, *c;
    std::int64_t bc_stride;
    float* dt;     ///< [heads][dt_stride]
    float *a, *d;  ///< [heads]
};
/// Nothing flows from the state after the last token, or into that before the first.
template <typename T>
void scan_backward(const Scan<T>& scan, const T* kept, const ScanGradients<T>& gradients,
                   ScanSpace<T>& space);

}  // namespace tracebench::ssm
