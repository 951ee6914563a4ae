#pragma once
/// Matrix products by oneDNN on the calling thread, from plain row-major memory.
///
/// Threads are the caller's business: call from inside a parallel region, with different matrices. Primitives
/// are made once a thread and shape. Results depend on shapes only, never on the number of threads.

#include <cstdint>

#include "generators/ssm/kernels/buffer.h"
#include "generators/ssm/kernels/vector_math.h"

namespace tracebench::ssm {

/// Element (i, j) is data[i * stride + j], or data[j * stride + i] where transposed.
template <typename T>
struct MatrixView {
    const T* data;
    std::int64_t stride;
    bool transposed = false;
};

/// c[m, n] = a[m, k] b[k, n], or += (float results only). T is float or Bfloat16; sums are in float.
template <typename T, typename Result>
void multiply(std::int64_t m, std::int64_t n, std::int64_t k, MatrixView<T> a, MatrixView<T> b, Result* c,
              std::int64_t c_stride, bool accumulate = false);

/// A right operand that many products share: row-major without gaps, in T; a copy only where the source is
/// not. (oneDNN's own blocked layouts are 2% faster, but fall back to a reference implementation where sizes
/// are not multiples of the block.)
template <typename T>
class WeightOperand {
  public:
    /// Replaces what it held; [k, n]. The source must outlive the products.
    void pack(std::int64_t k, std::int64_t n, MatrixView<float> source);
    template <typename Result>
    void multiply(std::int64_t m, MatrixView<T> a, Result* c, std::int64_t c_stride,
                  bool accumulate = false) const {
        ssm::multiply(m, n_, k_, a, MatrixView<T>{values_, n_}, c, c_stride, accumulate);
    }

  private:
    std::int64_t k_ = 0, n_ = 0;
    const T* values_ = nullptr;
    Buffer<T> copy_;
};

/// Whether the processor multiplies bfloat16 matrices in hardware (AVX-512 BF16 or AMX).
bool bfloat16_available();

/// Made by each thread at the beginning of a parallel region, for the region: keeps oneDNN on the calling
/// thread, and takes numbers too small for a normal float as 0 (decays over a long chunk are, and each would
/// cost a hundred cycles).
class KernelThread {
  public:
    KernelThread();
    ~KernelThread();
    KernelThread(const KernelThread&) = delete;
    KernelThread& operator=(const KernelThread&) = delete;

  private:
    unsigned control_ = 0;
};

/// Counts the time inside products from now on, summed over threads.
void measure_matmul(bool on);
double matmul_seconds();

}  // namespace tracebench::ssm
