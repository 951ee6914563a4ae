#pragma once
/// LoRA (Hu et al. 2022): W + alpha / rank * B A beside each matrix of a frozen denoiser, and embeddings of
/// new classes.

#include "generators/diffusion/diffusion_model.h"
#include "generators/diffusion/model/parameters.h"

namespace tracebench::diffusion {

struct Adapter {
    AdapterConfig config;
    Parameters parameters;
};

/// With its factors' initial values, and the new classes at the mean of the denoiser's averaged ones.
Adapter make_adapter(const ModelConfig& model, const AdapterConfig& config, Parameters& denoiser,
                     std::uint64_t seed);

/// Adds the denoiser's averaged tensors with the adapter's in them, by its values or its averages: gradients
/// reach the adapter only. `class.weight` has the new classes before its last row, 'no class'.
void add_adapted(Weights& weights, const Parameters& denoiser, const Adapter& adapter, bool averages);

}  // namespace tracebench::diffusion
