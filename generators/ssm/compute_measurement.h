#pragma once
/// How fast this machine trains with one choice or another of threads, chunk and precision: for `doctor` and
/// for speed measurements. Nothing is chosen by it during a run, because the same seed has to give the same
/// bytes.

#include <cstdint>
#include <vector>

#include "generators/ssm/sequence_model.h"

namespace tracebench::ssm {

struct ComputeTrial {
    ComputeOptions compute;  ///< threads and chunk resolved
    double tokens_per_second = 0;
};

struct ComputeMeasurement {
    bool bfloat16_products = false;    ///< whether the processor multiplies bfloat16 matrices itself
    ComputeOptions defaults;           ///< what zeros in ComputeOptions become
    std::vector<ComputeTrial> trials;  ///< fastest first
};

/// Trains a small model (one layer of 256) on random tokens with each candidate in turn, and keeps each
/// one's best time. Ends after about `seconds`, or when each has had two steps. Throws InputError where there
/// is no LibTorch.
ComputeMeasurement measure_compute(double seconds);

/// Counts the time inside the fused backend's matrix products from now on, summed over threads.
void measure_products(bool on);
double product_seconds();
/// Whether the processor multiplies bfloat16 matrices itself; elsewhere float32 is faster.
bool bfloat16_products();

}  // namespace tracebench::ssm
