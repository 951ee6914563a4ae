#pragma once
/// What stands between a block's two matrix products: convolution, time steps, recurrence, gate; included
/// like decode_lanes.h.

#include "generators/ssm/kernels/decode_scan.h"

namespace tracebench::ssm::decode::TRACEBENCH_DECODE_NAMESPACE {

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

/// dt = softplus(in + bias) and exp(dt A) of `heads` heads. Of all, padded: part of them might go through
/// other instructions, and be rounded otherwise, than the same heads among all.
TRACEBENCH_INLINE void time_steps(const Layer& layer, const float* in, std::int64_t heads, float* dt,
                                  float* decay) {
    const float *const bias = layer.dt_bias.data(), *const a = layer.a.data();
#pragma GCC ivdep
    for (std::int64_t h = 0; h < heads; ++h) {
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

TRACEBENCH_INLINE void copy(float* to, const float* from, std::int64_t size) {
    std::memcpy(to, from, static_cast<std::size_t>(size) * sizeof(float));
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
    copy(newest + first * head, in + first * head, (last - first) * head);
    const float *const b = convolved + inner, *const c = b + shared;
    float *const ring_b = state.ring_b(index, row), *const ring_x = state.ring_x(index, row);
    if (first == 0) {
        copy(newest + inner, in + inner, 2 * shared);
        if (kept < kKept) copy(ring_b + kept * shared, b, shared);
    }
    for (std::int64_t g = 0; g < layout.groups; ++g) {
        float* const products = scratch.products[static_cast<std::size_t>(g)].value;
        for (std::int64_t j = 0; j < kept; ++j)
            products[j] = dot(ring_b + j * shared + g * states, c + g * states, states);
        products[kKept] = dot(b + g * states, c + g * states, states);
        scratch.largest[static_cast<std::size_t>(g)] = largest_of(b + g * states, states);
    }
    time_steps(layer, in + channels, padded(layout.heads), scratch.dt.data(), scratch.decay.data());

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
        if (kept < kKept) copy(ring_x + kept * inner + from, dt_x, head);
        for (std::int64_t p = 0; p < head; ++p) y[p] += d * x[p];
    }
    multiply_silu(gated + first * head, z + first * head, (last - first) * head);
}

}  // namespace tracebench::ssm::decode::TRACEBENCH_DECODE_NAMESPACE
