#pragma once
/// What the networks are made of. Sequences are [samples, rows, channels], which is oneDNN's channels-last
/// layout.

#include "generators/diffusion/model/torch.h"
#include "generators/diffusion/network_layout.h"

namespace tracebench::diffusion {

struct Operations {
    bool bfloat16 = false;  ///< products only
    /// Our passes on the CPU and layouts that oneDNN takes; false: LibTorch's operations as anybody would
    /// write them, in float32, to measure and to test by.
    bool fused = true;
};

/// A convolution along the rows of width 3 (weight [out, in, 3], zeros beyond the ends) or 1 (weight [out,
/// in]).
torch::Tensor convolve(const torch::Tensor& x, const torch::Tensor& weight, const torch::Tensor& bias,
                       const Operations& operations);

/// norm_kernel.h's pass, differentiable in x, scale and shift. `scale` and `shift` are [channels] or
/// [samples, channels]; `mask` is [samples, rows] of floats.
torch::Tensor norm_silu(const torch::Tensor& x, const torch::Tensor& scale, const torch::Tensor& shift,
                        const torch::Tensor& mask, const Operations& operations);

/// Softmax attention over the rows that are inside the mask: `qkv` [samples, rows, 3 * channels] to [samples,
/// rows, channels].
torch::Tensor attend(const torch::Tensor& qkv, const torch::Tensor& mask);

}  // namespace tracebench::diffusion
