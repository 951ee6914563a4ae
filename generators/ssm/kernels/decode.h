#pragma once
/// The recurrent step of a whole Mamba-2 model (Dao and Gu, "Transformers are SSMs", ICML 2024) on the CPU,
/// for one or many sequences side by side: each weight is read once a step, so a single sequence runs at the
/// speed of memory and many share the reads.

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "generators/ssm/kernels/block.h"

namespace tracebench::ssm {

/// Which processor's instructions to use: the best that there are, or for tests at most these.
enum class DecodeProcessor { this_one, avx512, avx2, portable };

struct DecodeKernelOptions {
    /// Keep the matrices in bfloat16 and the states in half precision, rounded every few tokens; everything
    /// is added up in float32.
    bool bfloat16 = false;
    /// The states in half precision though the matrices are not: for many sequences they are most of what a
    /// step reads.
    bool half_states = false;
    int threads = 1;  ///< at most; while one is faster (tried again and again), one
    DecodeProcessor processor = DecodeProcessor::this_one;
};

/// One step at a time; a kernel belongs to one thread. A row's logits are the same to the last bit whatever
/// the other rows do and however many rows and threads there are; not on another DecodeProcessor, and with
/// bfloat16 not between kernels of one and of more rows, which may use matrix units (AMX).
class DecodeKernel {
  public:
    /// Copies and repacks what it is given: [padded vocabulary, d_model] embedding, which is also the output
    /// layer; one entry a layer; [d_model] final norm. Every row begins anew. Memory does not grow
    /// afterwards.
    DecodeKernel(const ModelConfig& config, const DecodeKernelOptions& options, const float* embedding,
                 const std::vector<BlockArrays<const float>>& blocks, const float* final_norm,
                 std::int64_t rows);
    ~DecodeKernel();
    /// One token a row, below vocab_size; a negative one leaves its row, and its logits, as they are.
    /// `logits`: rows * vocab_size. Throws std::invalid_argument, before anything is done: another size, a
    /// token outside the vocabulary.
    void step(std::span<const std::int32_t> tokens, std::span<float> logits);
    /// The row begins anew. Throws std::out_of_range.
    void reset(std::int64_t row);
    /// Bytes of weights that one step reads: what its speed is measured against. Without what pads them.
    std::int64_t weight_bytes() const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace tracebench::ssm
