#pragma once
/// AdamW (Loshchilov and Hutter, 2019) over all parameters, with the gradient clipped as a whole.

#include <cstdint>

#include "generators/ssm/model/parameters.h"
#include "generators/ssm/sequence_model.h"

namespace tracebench::ssm {

/// Step number `t`, from 1; every parameter has a gradient, which is left as it is. Returns the gradient's
/// norm before clipping; where that is not finite, nothing is changed. With `threads` by the fused kernel
/// (CPU); with 0 in LibTorch operations.
double adamw_step(Parameters& parameters, const OptimizerStep& step, std::int64_t t, int threads);

}  // namespace tracebench::ssm
