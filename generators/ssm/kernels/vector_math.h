#pragma once
/// Elementary functions that a loop can call without leaving vector registers, and bfloat16 as a storage
/// type. Plain expressions: the compiler vectorises them for each processor in TRACEBENCH_CLONES.

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

/// Compiles a function once for each of these processors; the loader picks one.
#if defined(__x86_64__) && !defined(__clang__)
#define TRACEBENCH_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define TRACEBENCH_CLONES
#endif

namespace tracebench::ssm {

#define TRACEBENCH_INLINE [[gnu::always_inline]] inline

/// The upper half of a float.
struct Bfloat16 {
    std::uint16_t bits;
};

TRACEBENCH_INLINE float to_float(float value) {
    return value;
}
TRACEBENCH_INLINE float to_float(Bfloat16 value) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(value.bits) << 16);
}

template <typename T>
T from_float(float value);
template <>
TRACEBENCH_INLINE float from_float<float>(float value) {
    return value;
}
/// To nearest, ties to even. The NaNs that arithmetic makes stay NaN.
template <>
TRACEBENCH_INLINE Bfloat16 from_float<Bfloat16>(float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    return {static_cast<std::uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16)};
}

/// e^x to 3e-7 relative (without fused multiply-add 6e-6 at the ends) for x in [-87, 87]; beyond, the value
/// at the end of that range. The polynomial is that of Cephes' expf (Moshier).
TRACEBENCH_INLINE float fast_exp(float x) {
    x = x < 87.f ? x : 87.f;
    x = x > -87.f ? x : -87.f;
    const float n = __builtin_floorf(x * 1.44269504089f + 0.5f);
    const float r = x - n * 0.693147180560f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.f;
    return p * std::bit_cast<float>((static_cast<std::int32_t>(n) + 127) << 23);
}

/// 1 / x to 3e-7 relative for x in [1, 1e38], where a division would take four times as long: a first guess
/// from the exponent's bits, then Newton's iteration.
TRACEBENCH_INLINE float fast_reciprocal(float x) {
    float r = std::bit_cast<float>(0x7ef311c7u - std::bit_cast<std::uint32_t>(x));
    r = r * (2.f - x * r);
    r = r * (2.f - x * r);
    r = r * (2.f - x * r);
    return r;
}

TRACEBENCH_INLINE float fast_sigmoid(float x) {
    return fast_reciprocal(1.f + fast_exp(-x));
}
TRACEBENCH_INLINE float fast_silu(float x) {
    return x * fast_sigmoid(x);
}

/// log(1 + e^x), exact to rounding; not for inner loops.
inline float softplus(float x) {
    return std::max(x, 0.f) + std::log1p(std::exp(-std::abs(x)));
}

}  // namespace tracebench::ssm
