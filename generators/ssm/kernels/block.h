#pragma once
/// One Mamba-2 block (Dao and Gu, "Transformers are SSMs", ICML 2024, listing 1 and section 7) on the CPU,
/// forward and backward by hand, for training: out = in + out_proj(gated_norm(ssd(conv(in_proj(norm(in)))))).
///
/// Plain memory, no LibTorch: matrix products by oneDNN, everything between them in fused, threaded passes.

#include <cstddef>
#include <cstdint>
#include <memory>

#include "generators/ssm/model_config.h"

namespace tracebench::ssm {

/// A block's parameters as mamba_ssm lays them out, row-major; or, of the same type, their gradients.
template <typename T>
struct BlockArrays {
    T* norm = nullptr;         ///< [d_model] `norm.weight`
    T* in_proj = nullptr;      ///< [projection, d_model], rows z, x, B, C, dt
    T* conv_weight = nullptr;  ///< [conv_channels, 1, d_conv]
    T* conv_bias = nullptr;    ///< [conv_channels]
    T* dt_bias = nullptr;      ///< [heads]
    T* a_log = nullptr;        ///< [heads]
    T* d = nullptr;            ///< [heads]
    T* gate_norm = nullptr;    ///< [d_inner] `mixer.norm.weight`
    T* out_proj = nullptr;     ///< [d_model, d_inner]
};

/// What a row carries from one call to the next. Null for "zero" (input) or "not wanted" (output).
template <typename T>
struct BlockState {
    T* conv = nullptr;  ///< [rows, d_conv - 1, conv_channels]: the last inputs of the convolution
    T* ssm = nullptr;   ///< [rows, heads, headdim, d_state]
};

struct KernelOptions {
    bool bfloat16 = false;    ///< matrix products in bfloat16 where the processor has them, else float32
    std::int64_t chunk = 64;  ///< tokens a chunk of the scan; 64 was fastest for d_model 128, 256 and 768
    int threads = 1;
};

/// What forward() keeps for backward(); opaque, reusable for calls of the same size.
class BlockTape {
  public:
    virtual ~BlockTape() = default;
};

class BlockKernel {
  public:
    BlockKernel(const ModelConfig& config, const KernelOptions& options);
    ~BlockKernel();

    /// `in` and `out` are the residual stream, [rows * length, d_model]; `out` may be `in`. Any length of 1
    /// or more, chunks need not divide it. Without `tape` nothing is kept (evaluation).
    void forward(const BlockArrays<const float>& weights, std::int64_t rows, std::int64_t length,
                 const float* in, const BlockState<const float>& before, float* out,
                 const BlockState<float>& after, std::unique_ptr<BlockTape>* tape);
    /// `gradient` is that of `out` on entry and that of `in` on return. Adds to `gradients`. Nothing flows
    /// into `before` (truncated at the seam) or from `after`.
    void backward(const BlockArrays<const float>& weights, const BlockArrays<float>& gradients,
                  BlockTape& tape, float* gradient);

    struct Impl;  // float or bfloat16

  private:
    std::unique_ptr<Impl> impl_;
};

}  // namespace tracebench::ssm
