#include "generators/ssm/kernels/block.h"

#include "generators/ssm/kernels/typed_block.h"

namespace tracebench::ssm {

BlockKernel::BlockKernel(const ModelConfig& config, const KernelOptions& options) {
    if (options.bfloat16 && bfloat16_available())
        impl_ = std::make_unique<TypedBlock<Bfloat16>>(config, options);
    else
        impl_ = std::make_unique<TypedBlock<float>>(config, options);
}

BlockKernel::~BlockKernel() = default;

void BlockKernel::forward(const BlockArrays<const float>& weights, std::int64_t rows, std::int64_t length,
                          const float* in, const BlockState<const float>& before, float* out,
                          const BlockState<float>& after, std::unique_ptr<BlockTape>* tape) {
    impl_->forward(weights, rows, length, in, before, out, after, tape);
}

void BlockKernel::backward(const BlockArrays<const float>& weights, const BlockArrays<float>& gradients,
                           BlockTape& tape, float* gradient) {
    impl_->backward(weights, gradients, tape, gradient);
}

}  // namespace tracebench::ssm
