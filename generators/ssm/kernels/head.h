#pragma once
/// Both ends of the model on the CPU: embedding, final norm, tied output layer with cross-entropy; and AdamW.

#include <cstdint>
#include <memory>
#include <span>

#include "generators/ssm/kernels/block.h"

namespace tracebench::ssm {

struct HeadLoss {
    double nats = 0;
    std::int64_t targets = 0;
};

class HeadKernel {
  public:
    HeadKernel(const ModelConfig& config, const KernelOptions& options);
    ~HeadKernel();

    /// out[t] = embedding[tokens[t]]. [tokens, d_model].
    void embed(const float* embedding, std::span<const std::int32_t> tokens, float* out);
    /// Adds `gradient` [tokens, d_model] to the embedding's. Deterministic for any number of threads.
    void embed_backward(std::span<const std::int32_t> tokens, const float* gradient,
                        float* embedding_gradient);

    /// RMSNorm (epsilon 1e-5), logits against the embedding, softmax cross-entropy over the first vocab_size
    /// rows, without ever holding all logits. Targets below 0 do not count. Where `gradient` is given it gets
    /// the gradient of (summed loss / normaliser) by `in`, and those by the parameters are added. `weights`:
    /// one a target, by which its gradient (not its loss) is multiplied; empty: all 1.
    HeadLoss loss(const float* embedding, const float* norm, const float* in,
                  std::span<const std::int32_t> targets, double normaliser, float* gradient,
                  float* embedding_gradient, float* norm_gradient, std::span<const float> weights = {});

    struct Impl;  // float or bfloat16

  private:
    std::unique_ptr<Impl> impl_;
};

/// One AdamW update of `size` values in place; `t` counts steps from 1.
struct AdamW {
    float learning_rate, beta1, beta2, epsilon, weight_decay;
    std::int64_t t;
};
void adamw(const AdamW& settings, std::size_t size, float* values, const float* gradients,
           float gradient_scale, float* first_moments, float* second_moments, int threads);
/// Sum of squares in double, the same for any number of threads.
double sum_of_squares(std::size_t size, const float* values, int threads);

}  // namespace tracebench::ssm
