#include "generators/ssm/kernels/scan.h"

#include <algorithm>
#include <type_traits>

#include "generators/ssm/kernels/matmul.h"
#include "generators/ssm/kernels/passes.h"

namespace tracebench::ssm {
namespace {

/// What a chunk needs a head and token for, as [head][stride] each.
struct Scalars {
    float *dt, *sum, *e, *w, *wdt, *decay;
    float *sum_gradient, *dt_gradient, *across_x, *y_x, *y_carried, *product;
};

template <typename T>
class Chunks {
  public:
    Chunks(const Scan<T>& scan, ScanSpace<T>& space)
        : scan_(scan),
          space_(space),
          heads_(scan.shape.heads),
          headdim_(scan.shape.headdim),
          width_(scan.shape.width()),
          states_(scan.states),
          stride_((std::min(scan.chunk, scan.length) + lane - 1) / lane * lane) {
        const std::int64_t square = stride_ * stride_, size = stride_ * width_, scalars = heads_ * stride_;
        for (Buffer<float>* buffer : {&space.cb, &space.mask_gradient, &space.cb_gradient})
            buffer->reserve(square);
        for (Buffer<float>* buffer : {&space.within, &space.across, &space.carried}) buffer->reserve(size);
        space.factor.reserve(2 * stride_);
        space.state.reserve(scan.state_size());
        space.mask.reserve(square);
        space.cb_operand.reserve(square);
        space.inputs.reserve(size);
        space.slopes.reserve(size);
        space.before.reserve(scan.state_size());
        space.state_operand.reserve(scan.state_size());
        float* next = space.scalars.reserve(10 * scalars + 2 * heads_);
        std::fill(next, next + 10 * scalars + 2 * heads_, 0.f);
        for (float** pointer : {&at_.dt, &at_.sum, &at_.e, &at_.w, &at_.wdt, &at_.sum_gradient,
                                &at_.dt_gradient, &at_.across_x, &at_.y_x, &at_.y_carried}) {
            *pointer = next;
            next += scalars;
        }
        at_.decay = next;
        at_.product = next + heads_;
    }

    void forward(const float* before, T* y, std::int64_t y_stride, T* kept, float* after) {
        float* state = space_.state.data();
        bool carries = before != nullptr;
        if (carries)
            load_state(before, state);
        else
            std::fill(state, state + scan_.state_size(), 0.f);
        for (std::int64_t first = 0; first < scan_.length; first += scan_.chunk) {
            const std::int64_t q = std::min(scan_.chunk, scan_.length - first);
            const T* x = scan_.x + first * scan_.stride;
            prepare(first, q);
            multiply_cb(first, q);
            T* previous = kept ? kept : space_.before.data();
            decay_state(states_, scan_.shape, at_.decay, state, previous);
            if (kept) kept += scan_.state_size();
            if (carries)
                multiply(q, width_, states_, c(first), view(previous, width_), space_.across.data(), width_);
            else
                std::fill(space_.across.data(), space_.across.data() + q * width_, 0.f);
            for (std::int64_t head = 0; head < heads_; ++head) {
                decay_mask(q, stride_, space_.cb.data(), at_.sum + head * stride_, at_.dt + head * stride_,
                           space_.mask.data(), space_.factor.data());
                multiply(q, headdim_, q, view<T>(space_.mask.data(), stride_),
                         view(x + head * headdim_, scan_.stride), space_.within.data() + head * headdim_,
                         width_);
            }
            combine_outputs(q, scan_.shape, space_.within.data(), space_.across.data(), at_.e, stride_,
                            scan_.d, x, scan_.stride, y + first * y_stride, y_stride);
            if (first + q < scan_.length || after) {
                scale_heads(q, scan_.shape, x, scan_.stride, at_.wdt, stride_, space_.inputs.data());
                multiply(states_, width_, q, transposed(b(first)), view<T>(space_.inputs.data(), width_),
                         state, width_, true);
            }
            carries = true;
        }
        if (after) store_state(state, after);
    }

    void backward(const T* kept, const ScanGradients<T>& out) {
        float* state_gradient = space_.state.data();
        std::fill(state_gradient, state_gradient + scan_.state_size(), 0.f);
        std::fill(out.a, out.a + heads_, 0.f);
        std::fill(out.d, out.d + heads_, 0.f);
        for (std::int64_t index = scan_.chunks() - 1; index >= 0; --index) {
            const std::int64_t first = index * scan_.chunk, q = std::min(scan_.chunk, scan_.length - first);
            const T* before = kept + index * scan_.state_size();
            prepare(first, q);
            multiply_cb(first, q);
            backward_within(first, q, out);
            backward_across(first, q, before, first + q < scan_.length, out);
            if (first > 0)
                multiply(states_, width_, q, transposed(c(first)), view<T>(space_.slopes.data(), width_),
                         state_gradient, width_, true);
            backward_scalars(first, q, out);
        }
    }

  private:
    template <typename U>
    static MatrixView<U> view(const U* data, std::int64_t stride) {
        return {data, stride};
    }
    template <typename U>
    static MatrixView<U> transposed(MatrixView<U> matrix) {
        return {matrix.data, matrix.stride, !matrix.transposed};
    }
    MatrixView<T> b(std::int64_t first) const { return {scan_.b + first * scan_.stride, scan_.stride}; }
    MatrixView<T> c(std::int64_t first) const { return {scan_.c + first * scan_.stride, scan_.stride}; }

    /// As what products read: the floats themselves, or a copy in bfloat16.
    static const T* operand(std::int64_t size, const float* from, T* copy) {
        if constexpr (std::is_same_v<T, float>) {
            return from;
        } else {
            convert(size, from, copy);
            return copy;
        }
    }

    void prepare(std::int64_t first, std::int64_t q) {
        for (std::int64_t head = 0; head < heads_; ++head) {
            const float* from = scan_.dt + head * scan_.dt_stride + first;
            float* dt = at_.dt + head * stride_;
            float* sum = at_.sum + head * stride_;
            float* w = at_.w + head * stride_;
            float total = 0;
            for (std::int64_t i = 0; i < q; ++i) {
                dt[i] = from[i];
                total += dt[i] * scan_.a[head];
                sum[i] = total;
            }
            std::fill(dt + q, dt + stride_, 0.f);
            std::fill(sum + q, sum + stride_, total);
            for (std::int64_t i = 0; i < stride_; ++i) w[i] = total - sum[i];
        }
        const std::int64_t size = heads_ * stride_;
        exponentials(size, at_.sum, at_.e);
        exponentials(size, at_.w, at_.w);
        for (std::int64_t i = 0; i < size; ++i) at_.wdt[i] = at_.w[i] * at_.dt[i];
        for (std::int64_t head = 0; head < heads_; ++head) at_.decay[head] = at_.e[head * stride_ + q - 1];
    }

    void multiply_cb(std::int64_t first, std::int64_t q) {
        multiply(q, q, states_, c(first), transposed(b(first)), space_.cb.data(), stride_);
    }

    /// Through y's share from the chunk's own tokens: x (into `within`), C B^T, and the scalars.
    void backward_within(std::int64_t first, std::int64_t q, const ScanGradients<T>& out) {
        float* cb_gradient = space_.cb_gradient.data();
        std::fill(cb_gradient, cb_gradient + q * stride_, 0.f);
        std::fill(at_.sum_gradient, at_.sum_gradient + heads_ * stride_, 0.f);
        std::fill(at_.dt_gradient, at_.dt_gradient + heads_ * stride_, 0.f);
        for (std::int64_t head = 0; head < heads_; ++head) {
            const std::int64_t at = head * stride_;
            const MatrixView<T> slopes = view(out.y + first * out.y_stride + head * headdim_, out.y_stride);
            const MatrixView<T> x = view(scan_.x + first * scan_.stride + head * headdim_, scan_.stride);
            multiply(q, q, headdim_, slopes, transposed(x), space_.mask_gradient.data(), stride_);
            decay_mask_backward(q, stride_, space_.cb.data(), space_.mask_gradient.data(), at_.sum + at,
                                at_.dt + at, space_.mask.data(), cb_gradient, at_.sum_gradient + at,
                                at_.dt_gradient + at, space_.factor.data());
            multiply(q, headdim_, q, transposed(view<T>(space_.mask.data(), stride_)), slopes,
                     space_.within.data() + head * headdim_, width_);
        }
    }

    /// Through the state before the chunk and, if `carries`, that after it.
    void backward_across(std::int64_t first, std::int64_t q, const T* before, bool carries,
                         const ScanGradients<T>& out) {
        const T* x = scan_.x + first * scan_.stride;
        const T* slopes = out.y + first * out.y_stride;
        float* state_gradient = space_.state.data();
        float* b_gradient = out.b + first * out.bc_stride;
        float* c_gradient = out.c + first * out.bc_stride;
        const MatrixView<T> cb =
            view(operand(q * stride_, space_.cb_gradient.data(), space_.cb_operand.data()), stride_);
        scale_heads(q, scan_.shape, slopes, out.y_stride, at_.e, stride_, space_.slopes.data());
        multiply(q, width_, states_, c(first), view(before, width_), space_.carried.data(), width_);
        multiply(q, states_, width_, view<T>(space_.slopes.data(), width_), transposed(view(before, width_)),
                 c_gradient, out.bc_stride);
        multiply(q, states_, q, cb, b(first), c_gradient, out.bc_stride, true);
        if (carries) {
            const MatrixView<T> state =
                view(operand(scan_.state_size(), state_gradient, space_.state_operand.data()), width_);
            scale_heads(q, scan_.shape, x, scan_.stride, at_.wdt, stride_, space_.inputs.data());
            multiply(q, width_, states_, b(first), state, space_.across.data(), width_);
            multiply(q, states_, width_, view<T>(space_.inputs.data(), width_), transposed(state), b_gradient,
                     out.bc_stride);
            decay_state_backward(states_, scan_.shape, at_.decay, before, state_gradient, at_.product);
        } else {
            std::fill(space_.across.data(), space_.across.data() + q * width_, 0.f);
            std::fill(at_.product, at_.product + heads_, 0.f);
        }
        multiply(q, states_, q, transposed(cb), c(first), b_gradient, out.bc_stride, carries);
        token_gradients<T>(
            q, scan_.shape,
            {space_.within.data(), space_.across.data(), space_.carried.data(), x, scan_.stride, slopes,
             out.y_stride, at_.wdt, scan_.d, stride_, out.x + first * out.x_stride, out.x_stride,
             at_.across_x, at_.y_x, at_.y_carried});
    }

    /// From the gradients by the cumulative sums to those by dt and A.
    void backward_scalars(std::int64_t first, std::int64_t q, const ScanGradients<T>& out) {
        for (std::int64_t head = 0; head < heads_; ++head) {
            const std::int64_t at = head * stride_;
            float* sums = at_.sum_gradient + at;
            float total = at_.decay[head] * at_.product[head], d = 0, a = 0, tail = 0;
            for (std::int64_t i = 0; i < q; ++i) {
                const float across = at_.wdt[at + i] * at_.across_x[at + i];
                sums[i] += at_.e[at + i] * at_.y_carried[at + i] - across;
                total += across;
                d += at_.y_x[at + i];
            }
            tail = total;
            for (std::int64_t i = q - 1; i >= 0; --i) {
                tail += sums[i];
                a += tail * at_.dt[at + i];
                out.dt[head * scan_.dt_stride + first + i] =
                    at_.dt_gradient[at + i] + at_.w[at + i] * at_.across_x[at + i] + tail * scan_.a[head];
            }
            out.a[head] += a;
            out.d[head] += d;
        }
    }

    /// Between [channels, states], as models keep it, and [states, channels], as products read it.
    void load_state(const float* from, float* to) const {
        for (std::int64_t channel = 0; channel < width_; ++channel)
            for (std::int64_t n = 0; n < states_; ++n) to[n * width_ + channel] = from[channel * states_ + n];
    }
    void store_state(const float* from, float* to) const {
        for (std::int64_t channel = 0; channel < width_; ++channel)
            for (std::int64_t n = 0; n < states_; ++n) to[channel * states_ + n] = from[n * width_ + channel];
    }

    const Scan<T>& scan_;
    ScanSpace<T>& space_;
    const std::int64_t heads_, headdim_, width_, states_, stride_;
    Scalars at_{};
};

}  // namespace

template <typename T>
void scan_forward(const Scan<T>& scan, const float* before, T* y, std::int64_t y_stride, T* kept,
                  float* after, ScanSpace<T>& space) {
    Chunks<T>(scan, space).forward(before, y, y_stride, kept, after);
}

template <typename T>
void scan_backward(const Scan<T>& scan, const T* kept, const ScanGradients<T>& gradients,
                   ScanSpace<T>& space) {
    Chunks<T>(scan, space).backward(kept, gradients);
}

#define TRACEBENCH_INSTANTIATE(T)                                                                          \
    template void scan_forward(const Scan<T>&, const float*, T*, std::int64_t, T*, float*, ScanSpace<T>&); \
    template void scan_backward(const Scan<T>&, const T*, const ScanGradients<T>&, ScanSpace<T>&);
TRACEBENCH_INSTANTIATE(float)
TRACEBENCH_INSTANTIATE(Bfloat16)

}  // namespace tracebench::ssm
