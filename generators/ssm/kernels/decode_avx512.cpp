// The decoding step for processors with AVX-512.

#if defined(__x86_64__)

#include <immintrin.h>

#include "generators/ssm/kernels/decode_context.h"

// After the headers: what they define is for every processor.
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c")
#define TRACEBENCH_DECODE_AVX512
#define TRACEBENCH_DECODE_NAMESPACE avx512
#include "generators/ssm/kernels/decode_pass.h"

#endif
