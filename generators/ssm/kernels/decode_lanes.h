#pragma once
/// Sixteen floats at a time, for the processor that the including file is compiled for. Included by
/// decode_avx512.cpp, decode_avx2.cpp and decode_portable.cpp, which say what there is:
/// TRACEBENCH_DECODE_AVX512, TRACEBENCH_DECODE_AVX2 or neither, and TRACEBENCH_DECODE_NAMESPACE.

#include "generators/ssm/kernels/decode_context.h"

namespace tracebench::ssm::decode::TRACEBENCH_DECODE_NAMESPACE {

typedef float Lanes __attribute__((vector_size(64)));
typedef std::uint32_t LaneBits __attribute__((vector_size(64)));
typedef std::uint16_t HalfLanes __attribute__((vector_size(32)));
typedef float LanesInMemory __attribute__((vector_size(64), aligned(4), may_alias));

/// Sequences whose sums a product holds in registers at once.
#if defined(TRACEBENCH_DECODE_AVX512)
constexpr int kTileRows = 8;
#else
constexpr int kTileRows = 2;
#endif

/// work(0), work(1), ..., work(Count - 1), each with a constant: an array that is only indexed by such stays
/// in registers, where GCC leaves one that a loop walks over in memory.
template <int Count, typename Work>
TRACEBENCH_INLINE void unrolled(const Work& work) {
    if constexpr (Count > 0) {
        unrolled<Count - 1>(work);
        work(std::integral_constant<int, Count - 1>());
    }
}

/// Asks for what is `ahead` bytes behind an address; there need be nothing.
template <typename T>
TRACEBENCH_INLINE void prefetch(const T* from, std::int64_t ahead) {
    __builtin_prefetch(reinterpret_cast<const void*>(reinterpret_cast<std::uintptr_t>(from) +
                                                     static_cast<std::uintptr_t>(ahead)));
}

/// The same into the second-level cache.
template <typename T>
TRACEBENCH_INLINE void prefetch_far(const T* from, std::int64_t ahead) {
    __builtin_prefetch(reinterpret_cast<const void*>(reinterpret_cast<std::uintptr_t>(from) +
                                                     static_cast<std::uintptr_t>(ahead)),
                       0, 2);
}

TRACEBENCH_INLINE void load(Lanes& to, const float* from) {
    to = *reinterpret_cast<const LanesInMemory*>(from);
}
TRACEBENCH_INLINE void store(float* to, const Lanes& from) {
    *reinterpret_cast<LanesInMemory*>(to) = from;
}

/// sum += a * b, rounded once where the processor can.
TRACEBENCH_INLINE void add_product(Lanes& sum, const Lanes& a, float b) {
#if defined(TRACEBENCH_DECODE_AVX512)
    sum = reinterpret_cast<Lanes>(
        _mm512_fmadd_ps(reinterpret_cast<__m512>(a), _mm512_set1_ps(b), reinterpret_cast<__m512>(sum)));
#else
    sum += a * b;
#endif
}

TRACEBENCH_INLINE float sum_of(const Lanes& lanes) {
    float sums[8];
    for (int i = 0; i < 8; ++i) sums[i] = lanes[i] + lanes[i + 8];
    for (int i = 0; i < 4; ++i) sums[i] += sums[i + 4];
    return (sums[0] + sums[2]) + (sums[1] + sums[3]);
}

TRACEBENCH_INLINE void load(Lanes& to, const Half* from) {
#if defined(TRACEBENCH_DECODE_AVX512)
    // Masked, for GCC 12 sees an uninitialised value in the plain one (its bug 105593).
    to = reinterpret_cast<Lanes>(
        _mm512_maskz_cvtph_ps(0xffff, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from))));
#elif defined(TRACEBENCH_DECODE_AVX2)
    for (int i = 0; i < 2; ++i) {
        const __m256 part = _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from + 8 * i)));
        std::memcpy(reinterpret_cast<char*>(&to) + 32 * i, &part, 32);
    }
#else
    HalfLanes bits;
    std::memcpy(&bits, from, sizeof bits);
    const LaneBits wide = __builtin_convertvector(bits, LaneBits);
    // The exponent's bias is 127 instead of 15; the multiplication also makes subnormals normal.
    const Lanes magnitude = reinterpret_cast<Lanes>((wide & 0x7fff) << 13) * 0x1p112f;
    to = reinterpret_cast<Lanes>(reinterpret_cast<LaneBits>(magnitude) | ((wide & 0x8000) << 16));
#endif
}

/// To nearest, ties to even. Values must be below 65504.
TRACEBENCH_INLINE void store(Half* to, const Lanes& from) {
#if defined(TRACEBENCH_DECODE_AVX512)
    _mm256_storeu_si256(
        reinterpret_cast<__m256i*>(to),
        _mm512_maskz_cvtps_ph(0xffff, reinterpret_cast<__m512>(from), _MM_FROUND_TO_NEAREST_INT));
#elif defined(TRACEBENCH_DECODE_AVX2)
    for (int i = 0; i < 2; ++i) {
        __m256 part;
        std::memcpy(&part, reinterpret_cast<const char*>(&from) + 32 * i, 32);
        _mm_storeu_si128(reinterpret_cast<__m128i*>(to + 8 * i),
                         _mm256_cvtps_ph(part, _MM_FROUND_TO_NEAREST_INT));
    }
#else
    const LaneBits bits = reinterpret_cast<LaneBits>(from);
    const Lanes magnitude = reinterpret_cast<Lanes>(bits & 0x7fffffff) * 0x1p-112f;
    const LaneBits small = reinterpret_cast<LaneBits>(magnitude);
    const LaneBits rounded = (small + 0xfff + ((small >> 13) & 1)) >> 13;
    const HalfLanes half = __builtin_convertvector(rounded | ((bits >> 16) & 0x8000), HalfLanes);
    std::memcpy(to, &half, sizeof half);
#endif
}

/// The even and the odd ones of 32 bfloat16 values.
TRACEBENCH_INLINE void load(Lanes& even, Lanes& odd, const Bfloat16* from) {
    LaneBits bits;
    std::memcpy(&bits, from, sizeof bits);
    even = reinterpret_cast<Lanes>(bits << 16);
    odd = reinterpret_cast<Lanes>(bits & 0xffff0000u);
}

}  // namespace tracebench::ssm::decode::TRACEBENCH_DECODE_NAMESPACE
