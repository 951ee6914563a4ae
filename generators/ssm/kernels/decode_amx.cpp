// The decoding step for processors with AVX-512 and matrix units for bfloat16 (AMX).

#if defined(__x86_64__)

#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "generators/ssm/kernels/decode_context.h"

namespace tracebench::ssm::decode::amx {

bool allowed() {
    // arch_prctl(ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA), see Linux' Documentation/arch/x86/xstate.rst: the
    // system keeps room for the registers of those who ask.
    static const bool granted = syscall(SYS_arch_prctl, 0x1023, 18) == 0;
    return granted;
}

}  // namespace tracebench::ssm::decode::amx

// After the headers: what they define is for every processor.
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c,amx-tile,amx-bf16")
#define TRACEBENCH_DECODE_AVX512
#define TRACEBENCH_DECODE_AMX
#define TRACEBENCH_DECODE_NAMESPACE amx
#include "generators/ssm/kernels/decode_pass.h"

#endif
