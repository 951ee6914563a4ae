#pragma once
/// The recurrence of the decoding kernel; included like decode_lanes.h.

#include "generators/ssm/kernels/decode_lanes.h"

namespace tracebench::ssm::decode::TRACEBENCH_DECODE_NAMESPACE {

/// What a head's recurrence needs of the current token.
struct HeadToken {
    const float* x;       ///< [head] dt x
    const float* ring_x;  ///< [kKept, inner] of the kept tokens, from this head's first channel
    std::int64_t inner;
    const float* const* b;  ///< [kRing] B of the kept tokens, then the current one's
    const float* c;         ///< [d_state]
    const float* products;  ///< [kRing] B C of the same
    std::int64_t kept;      ///< tokens kept before this one
    bool fresh;             ///< nothing has been folded into the base yet
};

/// As kWeightsAhead: heads follow each other in memory.
constexpr std::int64_t kStateAhead = 4096;

/// y = base C for `Blocks` blocks of channels. `base` is [d_state, stride].
template <int Blocks, typename T>
void read_base(const T* base, std::int64_t stride, std::int64_t d_state, const float* c, float* y) {
    Lanes even[Blocks] = {}, odd[Blocks] = {};
    std::int64_t n = 0;
    for (; n + 1 < d_state; n += 2, base += 2 * stride) {
        for (int b = 0; b < 2 * Blocks; b += 4 / static_cast<int>(sizeof(T)))
            prefetch(base + b * kLanes, kStateAhead);
        unrolled<Blocks>([&](auto b) {
            Lanes value;
            load(value, base + b * kLanes);
            add_product(even[b], value, c[n]);
            load(value, base + stride + b * kLanes);
            add_product(odd[b], value, c[n + 1]);
        });
    }
    if (n < d_state) {
        unrolled<Blocks>([&](auto b) {
            Lanes value;
            load(value, base + b * kLanes);
            add_product(even[b], value, c[n]);
        });
    }
    unrolled<Blocks>([&](auto b) { store(y + b * kLanes, even[b] + odd[b]); });
}

/// base <- (keep base + sum_j x_j B_j^T) * unit, and y = that base C; without `Fresh` the base counts as
/// zero.
template <int Blocks, bool Fresh, typename T>
void fold(T* base, std::int64_t stride, std::int64_t d_state, float keep, float unit, const Lanes* kept_x,
          const float* const* b, const float* c, float* y) {
    Lanes sum[Blocks] = {}, x[kRing * Blocks];
    unrolled<kRing * Blocks>([&](auto i) { x[i] = kept_x[i]; });
    for (std::int64_t n = 0; n < d_state; ++n, base += stride) {
        prefetch(base, kStateAhead);
        unrolled<Blocks>([&](auto i) {
            Lanes value = {};
            if constexpr (!Fresh) {
                load(value, base + i * kLanes);
                value *= keep;
            }
            unrolled<kRing>([&](auto j) { add_product(value, x[j * Blocks + i], b[j][n]); });
            add_product(sum[i], value, c[n]);
            store(base + i * kLanes, value * unit);
        });
    }
    unrolled<Blocks>([&](auto i) { store(y + i * kLanes, sum[i]); });
}

template <int Blocks, typename T>
TRACEBENCH_INLINE void fold_blocks(T* base, std::int64_t stride, std::int64_t d_state, float keep, float unit,
                                   const HeadRing& ring, const HeadToken& token, std::int64_t channel,
                                   float* y) {
    Lanes x[kRing * Blocks];
    for (int i = 0; i < Blocks; ++i) {
        const std::int64_t at = channel + i * kLanes;
        for (std::int64_t j = 0; j < kKept; ++j) {
            load(x[j * Blocks + i], token.ring_x + j * token.inner + at);
            x[j * Blocks + i] *= ring.weight[j];
        }
        load(x[kKept * Blocks + i], token.x + at);
    }
    if (token.fresh) {
        fold<Blocks, true>(base + channel, stride, d_state, keep, unit, x, token.b, token.c, y + channel);
    } else {
        fold<Blocks, false>(base + channel, stride, d_state, keep, unit, x, token.b, token.c, y + channel);
    }
}

/// The power of two that brings values up to `bound` below 2^15, as its inverse.
TRACEBENCH_INLINE float half_scale(float bound) {
    std::uint32_t exponent = std::bit_cast<std::uint32_t>(bound) >> 23;
    exponent = exponent < 30 ? 30 : exponent > 250 ? 250 : exponent;
    return std::bit_cast<float>((exponent - 14) << 23);
}

/// One token of one head: y = S C after S <- decay S + (dt x) B^T. `head` is the padded headdim; `largest`
/// bounds this token's (dt x) B^T.
template <typename T>
void scan_head(T* base, HeadRing& ring, std::int64_t head, std::int64_t d_state, float decay, float largest,
               const HeadToken& token, float* y) {
    if (token.kept == 0) ring.decay = 1;
    ring.decay *= decay;
    for (std::int64_t j = 0; j < token.kept; ++j) ring.weight[j] *= decay;

    if (token.kept == kKept) {
        const float keep = ring.decay * ring.scale;
        float bound = largest + (token.fresh ? 0.f : ring.decay * ring.bound);
        for (std::int64_t j = 0; j < kKept; ++j) bound += ring.weight[j] * ring.largest[j];
        const bool half = sizeof(T) == sizeof(Half);
        ring.bound = bound;
        ring.scale = half ? half_scale(bound) : 1.f;
        std::int64_t channel = 0;
        for (; channel + 2 * kLanes <= head; channel += 2 * kLanes)
            fold_blocks<2>(base, head, d_state, keep, 1 / ring.scale, ring, token, channel, y);
        if (channel < head)
            fold_blocks<1>(base, head, d_state, keep, 1 / ring.scale, ring, token, channel, y);
        return;
    }

    ring.weight[token.kept] = 1;
    ring.largest[token.kept] = largest;
    std::int64_t channel = 0;
    if (token.fresh) {
        for (; channel < head; ++channel) y[channel] = 0;
    }
    for (; channel + 4 * kLanes <= head; channel += 4 * kLanes)
        read_base<4>(base + channel, head, d_state, token.c, y + channel);
    for (; channel < head; channel += kLanes)
        read_base<1>(base + channel, head, d_state, token.c, y + channel);
    float factor[kRing];
    for (std::int64_t j = 0; j < token.kept; ++j) factor[j] = ring.weight[j] * token.products[j];
    for (channel = 0; channel < head; channel += kLanes) {
        Lanes sum, x;
        load(sum, y + channel);
        sum *= ring.decay * ring.scale;
        for (std::int64_t j = 0; j < token.kept; ++j) {
            load(x, token.ring_x + j * token.inner + channel);
            add_product(sum, x, factor[j]);
        }
        load(x, token.x + channel);
        add_product(sum, x, token.products[kKept]);
        store(y + channel, sum);
    }
}

}  // namespace tracebench::ssm::decode::TRACEBENCH_DECODE_NAMESPACE
