#pragma once
/// AdamW (Loshchilov and Hutter, 2019) over one stage's parameters, and their moving averages.

#include "generators/diffusion/diffusion_model.h"
#include "generators/diffusion/model/parameters.h"

namespace tracebench::diffusion {

/// One step from the gradients that are there, which are then cleared (a parameter without one is left out).
/// Returns the gradient's norm before clipping; where that is not finite, nothing else is changed.
/// `fused`: by our kernel where the tensors are on the CPU.
double optimizer_step(Parameters& parameters, const OptimizerStep& step, bool fused);

/// Moments and step count under `optimizer.`.
std::vector<NamedTensor> optimizer_state(const Parameters& parameters);
/// All or nothing. Throws InputError naming `name` and the tensor.
void set_optimizer_state(Parameters& parameters, const std::vector<NamedTensor>& tensors,
                         const std::string& name);

}  // namespace tracebench::diffusion
