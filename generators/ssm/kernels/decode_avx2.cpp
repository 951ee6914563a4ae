// The decoding step for processors with AVX2, FMA and F16C.

#if defined(__x86_64__)

#include <immintrin.h>

#include "generators/ssm/kernels/decode_context.h"

// After the headers: what they define is for every processor.
#pragma GCC target("avx2,fma,f16c")
#define TRACEBENCH_DECODE_AVX2
#define TRACEBENCH_DECODE_NAMESPACE avx2
#include "generators/ssm/kernels/decode_pass.h"

#endif
