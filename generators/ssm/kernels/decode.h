#pragma once
/// The recurrent step of a whole model on the CPU, for one or many sequences side by side: each weight is
/// read once a step, so a single sequence runs at the speed of memory and many share the reads.

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "generators/ssm/kernels/block.h"

namespace tracebench::ssm {

/// Which processor's instructions to use: the best that there are, or for tests at most these.
enum class DecodeProcessor { this_one, avx512, avx2, portable };

struct DecodeKernelOptions {
    bool bfloat16 = false;  ///< keep the matrices in bfloat16; products accumulate in float32
    int threads = 1;
    DecodeProcessor processor = DecodeProcessor::this_one;
};

/// Copies (and repacks) what it is given. [padded vocabulary, d_model] embedding, [d_model] final norm.
class DecodeKernel {
  public:
    DecodeKernel(const ModelConfig& config, const DecodeKernelOptions& options, const float* embedding,
                 const std::vector<BlockArrays<const float>>& blocks, const float* final_norm,
                 std::int64_t rows);
    ~DecodeKernel();
    /// One token a row; a negative token leaves its row as it is. `logits`: rows * vocab_size.
    void step(std::span<const std::int32_t> tokens, std::span<float> logits);
    void reset(std::int64_t row);
    /// Bytes of weights that one step reads: what its speed is measured against.
    std::int64_t weight_bytes() const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace tracebench::ssm
