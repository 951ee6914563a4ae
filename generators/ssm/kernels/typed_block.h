#pragma once
/// A block's forward and backward with products in one type: float or Bfloat16. See block.h.

#include <vector>

#include "generators/ssm/kernels/block.h"
#include "generators/ssm/kernels/block_layout.h"
#include "generators/ssm/kernels/buffer.h"
#include "generators/ssm/kernels/matmul.h"
#include "generators/ssm/kernels/passes.h"
#include "generators/ssm/kernels/scan.h"

namespace tracebench::ssm {

struct BlockKernel::Impl {
    virtual ~Impl() = default;
    virtual void forward(const BlockArrays<const float>& weights, std::int64_t rows, std::int64_t length,
                         const float* in, const BlockState<const float>& before, float* out,
                         const BlockState<float>& after, std::unique_ptr<BlockTape>* tape) = 0;
    virtual void backward(const BlockArrays<const float>& weights, const BlockArrays<float>& gradients,
                          BlockTape& tape, float* gradient) = 0;
};

/// Enough to compute the rest again.
template <typename T>
struct TypedTape : BlockTape {
    BlockLayout layout;
    std::int64_t chunk = 0;
    Buffer<float> in;     ///< [tokens, d_model]
    Buffer<T> history;    ///< [rows, taps - 1, channels]: convolution inputs before the first token
    Buffer<T> projected;  ///< [tokens, projected_stride]
    Buffer<T> y;          ///< [tokens, inner]: the scan's output
    Buffer<T> states;     ///< [scans][chunks][states * width]: before each chunk
};

template <typename T>
class TypedBlock : public BlockKernel::Impl {
  public:
    TypedBlock(const ModelConfig& config, const KernelOptions& options);
    void forward(const BlockArrays<const float>& weights, std::int64_t rows, std::int64_t length,
                 const float* in, const BlockState<const float>& before, float* out,
                 const BlockState<float>& after, std::unique_ptr<BlockTape>* tape) override;
    void backward(const BlockArrays<const float>& weights, const BlockArrays<float>& gradients,
                  BlockTape& tape, float* gradient) override;

  private:
    /// One thread's scratch.
    struct Space {
        Buffer<T> operand;
        Buffer<float> wide, pre, sums, norm;
        std::vector<const T*> inputs;
        ScanSpace<T> scan;
    };
    /// Sums over a unit's tokens, in one row of `partials_`.
    struct Partials {
        float *norm, *gate_norm, *conv_weight, *conv_bias, *dt_bias;
    };

    void use(const BlockLayout& layout);
    void arrange_convolution(const BlockArrays<const float>& weights);
    void convolution_inputs(const TypedTape<T>& tape, const BlockLayout::Unit& unit, std::int64_t extra,
                            std::vector<const T*>& inputs) const;
    void activate(const BlockArrays<const float>& weights, const TypedTape<T>& tape,
                  const BlockLayout::Unit& unit, Space& space);
    Scan<T> scan_of(const BlockArrays<const float>& weights, const BlockLayout::ScanPlace& place) const;
    void save_convolution(const TypedTape<T>& tape, float* after) const;

    void backward_gate(const BlockArrays<const float>& weights, const TypedTape<T>& tape,
                       const BlockLayout::Unit& unit, const float* gradient, std::int64_t index,
                       Space& space);
    void backward_scan(const BlockArrays<const float>& weights, const TypedTape<T>& tape, std::int64_t index,
                       Space& space);
    void backward_convolution(const BlockArrays<const float>& weights, const TypedTape<T>& tape,
                              const BlockLayout::Unit& unit, std::int64_t index, Space& space);
    void backward_projection(const BlockArrays<const float>& weights, const TypedTape<T>& tape,
                             const BlockLayout::Unit& unit, float* gradient, std::int64_t index,
                             Space& space);
    Partials partials(std::int64_t unit) const;
    void add_partials(const BlockArrays<float>& gradients) const;

    ModelConfig config_;
    KernelOptions options_;
    BlockLayout layout_;
    std::vector<Space> spaces_;
    WeightOperand<T> in_proj_, out_proj_, in_proj_back_, out_proj_back_;
    TypedTape<T> untaped_;           ///< of forward without tape
    Buffer<T> activated_;            ///< [tokens, channels]: x, B, C after the SiLU
    Buffer<float> dt_;               ///< [heads, tokens]
    Buffer<float> a_, convolution_;  ///< A [heads]; weights [taps, channels]
    // Of backward.
    Buffer<T> slopes_, normed_, gated_;  ///< gradient of out; values of norm and of gated norm
    Buffer<T> y_gradient_, projected_gradient_;
    Buffer<float> x_gradient_;               ///< [tokens, inner]
    Buffer<float> bc_gradient_;              ///< [scans_a_group][tokens, 2 * groups * states]
    Buffer<float> dt_gradient_;              ///< [heads, tokens]
    Buffer<float> a_gradient_, d_gradient_;  ///< [rows, heads]
    Buffer<float> partials_;
};

}  // namespace tracebench::ssm
