#pragma once
/// One step of the whole model, by a team of threads; included like decode_lanes.h.

#include "generators/ssm/kernels/decode_product.h"
#include "generators/ssm/kernels/decode_scan.h"

namespace tracebench::ssm::decode::TRACEBENCH_DECODE_NAMESPACE {

constexpr float kEpsilon = 1e-5f;

/// 1 / root mean square of `size` values (a multiple of 16) of which `counted` are not padding.
TRACEBENCH_INLINE float inverse_rms(const float* values, std::int64_t size, std::int64_t counted) {
    Lanes even = {}, odd = {}, value;
    std::int64_t i = 0;
    for (; i + 2 * kLanes <= size; i += 2 * kLanes) {
        load(value, values + i);
        even += value * value;
        load(value, values + i + kLanes);
        odd += value * value;
    }
    if (i < size) {
        load(value, values + i);
        even += value * value;
    }
    return 1 / __builtin_sqrtf(sum_of(even + odd) / static_cast<float>(counted) + kEpsilon);
}

TRACEBENCH_INLINE void scale_into(float* to, const float* from, const float* weight, float scale,
                                  std::int64_t size) {
#pragma GCC ivdep
    for (std::int64_t i = 0; i < size; ++i) to[i] = from[i] * scale * weight[i];
}

TRACEBENCH_INLINE void multiply_silu(float* y, const float* z, std::int64_t size) {
#pragma GCC ivdep
    for (std::int64_t i = 0; i < size; ++i) y[i] *= fast_silu(z[i]);
}

/// Channels [begin, end) of the causal convolution and its SiLU. `taps` says which inputs there are: the last
/// `count` of d_conv, the rest being before the sequence began.
void convolve(const Layer& layer, const Layout& layout, const float* const* taps, std::int64_t count,
              std::int64_t begin, std::int64_t end, float* out) {
    for (std::int64_t c = begin; c < end; c += kLanes) {
        Lanes sum, weight, in;
        load(sum, layer.conv_bias.data() + c);
        for (std::int64_t k = layout.d_conv - count; k < layout.d_conv; ++k) {
            load(weight, layer.conv_weight.data() + k * layout.channels() + c);
            load(in, taps[k] + c);
            sum += weight * in;
        }
        store(out + c, sum);
    }
#pragma GCC ivdep
    for (std::int64_t c = begin; c < end; ++c) out[c] = fast_silu(out[c]);
}

/// dt = softplus(in + bias) and exp(dt A) of heads [first, last).
TRACEBENCH_INLINE void time_steps(const Layer& layer, const float* in, std::int64_t first, std::int64_t last,
                                  float* dt, float* decay) {
    const float *const bias = layer.dt_bias.data(), *const a = layer.a.data();
#pragma GCC ivdep
    for (std::int64_t h = first; h < last; ++h) {
        const float x = in[h] + bias[h];
        // log(1 + e) = 2 artanh(e / (2 + e)) for e = exp(-|x|) of at most 1; the series' rest is below 2e-8.
        const float e = fast_exp(x < 0 ? x : -x), s = e / (2 + e), s2 = s * s;
        float series = s2 * (1 / 13.f) + 1 / 11.f;
        series = series * s2 + 1 / 9.f;
        series = series * s2 + 1 / 7.f;
        series = series * s2 + 1 / 5.f;
        series = series * s2 + 1 / 3.f;
        dt[h] = (x > 0 ? x : 0) + 2 * (series * s2 * s + s);
        decay[h] = fast_exp(dt[h] * a[h]);
    }
}

TRACEBENCH_INLINE float dot(const float* a, const float* b, std::int64_t size) {
    Lanes sum = {}, left, right;
    for (std::int64_t i = 0; i < size; i += kLanes) {
        load(left, a + i);
        load(right, b + i);
        sum += left * right;
    }
    return sum_of(sum);
}

TRACEBENCH_INLINE float largest_of(const float* values, std::int64_t size) {
    float largest = 0;
    for (std::int64_t i = 0; i < size; ++i) {
        const float magnitude = values[i] < 0 ? -values[i] : values[i];
        largest = largest > magnitude ? largest : magnitude;
    }
    return largest;
}

TRACEBENCH_INLINE float* base_of(State& state, const float*, std::int64_t layer, std::int64_t row) {
    return state.base_single(layer, row);
}
TRACEBENCH_INLINE Half* base_of(State& state, const Half*, std::int64_t layer, std::int64_t row) {
    return state.base_half(layer, row);
}

/// Heads [first, last) of one active row: from in_proj's result to y silu(z). What a row's heads share (B, C)
/// each thread that has some of them works out for itself; who has the first one keeps it.
template <typename T>
void mix(Context& context, std::int64_t index, std::int64_t active, std::int64_t first, std::int64_t last,
         Scratch& scratch) {
    const Layout& layout = context.model.layout;
    const Layer& layer = context.model.layers[static_cast<std::size_t>(index)];
    State& state = context.state;
    const std::int64_t row = context.step.rows[static_cast<std::size_t>(active)];
    const std::int64_t count = state.count[static_cast<std::size_t>(row)], kept = count % kRing;
    const std::int64_t head = layout.head(), inner = layout.inner(), channels = layout.channels();
    const std::int64_t states = layout.state(), shared = layout.groups * states;

    const float* const z = context.step.projection.data() + active * layout.projection();
    const float* const in = z + inner;
    float* const history = state.history(index, row);
    for (std::int64_t k = 0; k + 1 < layout.d_conv; ++k)
        scratch.taps[static_cast<std::size_t>(k)] = history + (count + k + 1) % layout.d_conv * channels;
    scratch.taps[static_cast<std::size_t>(layout.d_conv - 1)] = in;
    const std::int64_t taps = count + 1 < layout.d_conv ? count + 1 : layout.d_conv;
    float* const convolved = scratch.channels.data();
    convolve(layer, layout, scratch.taps.data(), taps, first * head, last * head, convolved);
    convolve(layer, layout, scratch.taps.data(), taps, inner, channels, convolved);

    float* const newest = history + count % layout.d_conv * channels;
    std::memcpy(newest + first * head, in + first * head,
                static_cast<std::size_t>((last - first) * head) * 4);
    const float *const b = convolved + inner, *const c = b + shared;
    float *const ring_b = state.ring_b(index, row), *const ring_x = state.ring_x(index, row);
    if (first == 0) {
        std::memcpy(newest + inner, in + inner, static_cast<std::size_t>(2 * shared) * 4);
        if (kept < kKept) std::memcpy(ring_b + kept * shared, b, static_cast<std::size_t>(shared) * 4);
    }
    for (std::int64_t g = 0; g < layout.groups; ++g) {
        float* const products = scratch.products[static_cast<std::size_t>(g)].value;
        for (std::int64_t j = 0; j < kept; ++j)
            products[j] = dot(ring_b + j * shared + g * states, c + g * states, states);
        products[kKept] = dot(b + g * states, c + g * states, states);
        scratch.largest[static_cast<std::size_t>(g)] = largest_of(b + g * states, states);
    }
    time_steps(layer, in + channels, first, last, scratch.dt.data(), scratch.decay.data());

    T* const base = base_of(state, static_cast<const T*>(nullptr), index, row);
    HeadRing* const rings = state.rings(index, row);
    float* const gated = context.step.gated.data() + active * inner;
    const float* b_of[kRing];
    HeadToken token;
    token.inner = inner;
    token.b = b_of;
    token.kept = kept;
    token.fresh = count < kRing;
    for (std::int64_t h = first; h < last; ++h) {
        const std::int64_t group = h / layout.heads_per_group(), from = h * head;
        for (std::int64_t j = 0; j < kKept; ++j) b_of[j] = ring_b + j * shared + group * states;
        b_of[kKept] = b + group * states;
        float *const x = convolved + from, *const dt_x = scratch.x.data() + from, *const y = gated + from;
        const float dt = scratch.dt[static_cast<std::size_t>(h)], d = layer.d[static_cast<std::size_t>(h)];
        for (std::int64_t p = 0; p < head; ++p) dt_x[p] = dt * x[p];
        token.x = dt_x;
        token.ring_x = ring_x + from;
        token.c = c + group * states;
        token.products = scratch.products[static_cast<std::size_t>(group)].value;
        scan_head(base + h * layout.d_state * head, rings[h], head, layout.d_state,
                  scratch.decay[static_cast<std::size_t>(h)],
                  scratch.largest[static_cast<std::size_t>(group)] * largest_of(dt_x, head), token, y);
        if (kept < kKept) std::memcpy(ring_x + kept * inner + from, dt_x, static_cast<std::size_t>(head) * 4);
        for (std::int64_t p = 0; p < head; ++p) y[p] += d * x[p];
    }
    multiply_silu(gated + first * head, z + first * head, (last - first) * head);
}

/// T: of weights; Base: of the states.
template <typename T, typename Base>
class Worker {
  public:
    Worker(Context& context, int thread, int team)
        : context_(context),
          layout_(context.model.layout),
          scratch_(context.scratch[static_cast<std::size_t>(thread)]),
          thread_(thread),
          team_(team),
          rows_(static_cast<std::int64_t>(context.step.rows.size())) {}

    void run() {
        const auto layers = static_cast<std::int64_t>(context_.model.layers.size());
        for (std::int64_t l = 0; l < layers; ++l) {
            const Layer& layer = context_.model.layers[static_cast<std::size_t>(l)];
            project(layer, l == 0);
            context_.barrier.wait(thread_, team_);
            scan(l);
            context_.barrier.wait(thread_, team_);
            add_output(layer, l == 0);
            context_.barrier.wait(thread_, team_);
        }
        finish();
    }

  private:
    const float* residual(std::int64_t row, bool embedded) const {
        return embedded ? context_.step.embedded[static_cast<std::size_t>(row)]
                        : context_.step.residual.data() + row * layout_.model();
    }
    template <typename Sink>
    void multiply(const PackedMatrix& matrix, const Sink& sink) {
        const T* weights;
        if constexpr (sizeof(T) == sizeof(float)) {
            weights = context_.model.weights.single.data();
        } else {
            weights = context_.model.weights.half.data();
        }
        for (int part = thread_; part < context_.parts; part += team_)
            product(matrix, weights + matrix.first(), part, rows_, scratch_.activation.data(), sink);
    }
    /// Every thread norms all rows for itself: cheaper than to meet once more.
    void norm(const float* weight, bool embedded) {
        const std::int64_t width = layout_.model();
        for (std::int64_t r = 0; r < rows_; ++r) {
            const float* const in = residual(r, embedded);
            scale_into(scratch_.activation.data() + r * width, in, weight,
                       inverse_rms(in, width, layout_.d_model), width);
        }
    }
    void project(const Layer& layer, bool embedded) {
        float* const out = context_.step.projection.data();
        const std::int64_t width = layout_.projection();
        norm(layer.norm.data(), embedded);
        multiply(layer.in_proj, [&](std::int64_t row, std::int64_t n, const Lanes& sum) {
            store(out + row * width + n, sum);
        });
    }
    void scan(std::int64_t index) {
        const std::int64_t items = rows_ * layout_.heads, end = items * (thread_ + 1) / team_;
        for (std::int64_t item = items * thread_ / team_; item < end;) {
            const std::int64_t row = item / layout_.heads, first = item % layout_.heads;
            const std::int64_t last = std::min(first + end - item, layout_.heads);
            mix<Base>(context_, index, row, first, last, scratch_);
            item += last - first;
        }
    }
    void add_output(const Layer& layer, bool embedded) {
        const std::int64_t inner = layout_.inner(), group = inner / layout_.groups, width = layout_.model();
        const std::int64_t counted = layout_.headdim * layout_.heads_per_group();
        for (std::int64_t r = 0; r < rows_; ++r) {
            for (std::int64_t from = 0; from < inner; from += group) {
                const float* const in = context_.step.gated.data() + r * inner + from;
                scale_into(scratch_.activation.data() + r * inner + from, in, layer.gate_norm.data() + from,
                           inverse_rms(in, group, counted), group);
            }
        }
        multiply(layer.out_proj, [&](std::int64_t row, std::int64_t n, const Lanes& sum) {
            Lanes before;
            load(before, residual(row, embedded) + n);
            store(context_.step.residual.data() + row * width + n, before + sum);
        });
    }
    void finish() {
        const Model& model = context_.model;
        norm(model.final_norm.data(), model.layers.empty());
        multiply(model.output, [&](std::int64_t row, std::int64_t n, const Lanes& sum) {
            std::memcpy(context_.step.logits[static_cast<std::size_t>(row)] + n, &sum,
                        static_cast<std::size_t>(std::min(layout_.vocabulary - n, kLanes)) * sizeof(float));
        });
    }

    Context& context_;
    const Layout& layout_;
    Scratch& scratch_;
    int thread_, team_;
    std::int64_t rows_;
};

/// While it lives, values below 1e-38 are zero to this thread: those that decay for long would otherwise slow
/// every product that they are part of.
class FlushDenormals {
  public:
#if defined(__x86_64__)
    FlushDenormals() : before_(__builtin_ia32_stmxcsr()) {
        __builtin_ia32_ldmxcsr(before_ | 0x8040);
    }
    ~FlushDenormals() {
        __builtin_ia32_ldmxcsr(before_);
    }
    FlushDenormals(const FlushDenormals&) = delete;
    FlushDenormals& operator=(const FlushDenormals&) = delete;

  private:
    unsigned before_;
#else
    FlushDenormals() {}
#endif
};

void pass(Context& context, int thread, int team) {
    const FlushDenormals flush;
    if (context.model.weights.bfloat16) {
        Worker<Bfloat16, Half>(context, thread, team).run();
    } else {
        Worker<float, float>(context, thread, team).run();
    }
}

}  // namespace tracebench::ssm::decode::TRACEBENCH_DECODE_NAMESPACE
