#pragma once
/// A Mamba-2 block in plain LibTorch operations, differentiable by autograd, on any device: the reference
/// that the fused kernels are held against, and what runs where they do not.
///
/// Dao and Gu, "Transformers are SSMs" (ICML 2024): listing 1 (chunked state-space duality) and section 7.

#include <cstdint>

#include "generators/ssm/model/carried_state.h"
#include "generators/ssm/model/parameters.h"
#include "generators/ssm/model/torch.h"
#include "generators/ssm/model_config.h"

namespace tracebench::ssm {

struct PlainOptions {
    bool bfloat16 = false;    ///< products of the linear layers
    std::int64_t chunk = 64;  ///< tokens
};

/// input * weight^T, [..., in] x [out, in].
torch::Tensor plain_linear(const torch::Tensor& input, const torch::Tensor& weight, bool bfloat16);

/// x / rms(x) * weight over the last dimension, or over each of `groups` equal parts of it (epsilon 1e-5).
torch::Tensor rms_norm(const torch::Tensor& input, const torch::Tensor& weight, std::int64_t groups = 1);

/// [rows, length, d_model] of the residual stream in and out, any length from 1. `state` is what the rows
/// begin with and becomes, detached, what they end with.
torch::Tensor plain_block(const ModelConfig& config, const PlainOptions& options, const BlockTensors& block,
                          const torch::Tensor& input, LayerState& state);

/// The same for one token by the recurrence: [rows, d_model] in and out.
torch::Tensor plain_block_step(const ModelConfig& config, const PlainOptions& options,
                               const BlockTensors& block, const torch::Tensor& input, LayerState& state);

}  // namespace tracebench::ssm
