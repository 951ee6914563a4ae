#pragma once
/// A trainable autoregressive model of token sequences, without a word of LibTorch: what training, generation
/// and their tests need. The implementation (model/) is in libtracebench_ssm.so, loaded when first used.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "generators/ssm/model_config.h"
#include "generators/weights/named_tensor.h"

namespace tracebench::ssm {

using Token = std::int32_t;

enum class Backend {
    fused,  ///< our kernels; CPU only
    plain,  ///< LibTorch operations; any device
};
enum class Precision {
    float32,
    bfloat16,  ///< matrix products only, accumulated in float32; weights, state and optimiser stay float32
};

struct ComputeOptions {
    std::string device = "cpu";  ///< as LibTorch spells it: `cpu`, `cuda`, `cuda:1`
    Backend backend = Backend::fused;
    Precision precision = Precision::float32;
    bool half_states = false;  ///< `fused` decoders keep states in half precision, as with bfloat16
    int threads = 0;           ///< 0: every processor we may use
    std::int64_t chunk = 0;    ///< tokens a chunk of the scan; 0: what was measured to be best
};

/// `rows` sequences of `length` tokens each, row after row.
struct Batch {
    std::int64_t rows = 0, length = 0;
    std::span<const Token> inputs;   ///< rows * length, each in [0, vocab_size)
    std::span<const Token> targets;  ///< rows * length; negative: does not count
    /// One a row: the row goes on where the last call left it (its state is kept); else it begins anew.
    /// Gradients stop at the seam. Empty: every row begins anew.
    std::span<const std::uint8_t> continues;
    /// One a target: its gradient counts as many times; the loss in nats does not know of it. Empty: all 1.
    std::span<const float> weights{};
};

struct Loss {
    double nats = 0;           ///< summed over the targets that count
    std::int64_t targets = 0;  ///< how many those are
};

/// AdamW (Loshchilov and Hutter, 2019). Weight decay leaves out vectors (norms, biases, A_log, D, dt_bias).
struct OptimizerStep {
    double learning_rate = 5e-4, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weight_decay = 0.1;
    double clip_norm = 1;  ///< of the whole gradient; 0: none
};

/// Recurrent generation of several sequences side by side; memory does not grow with their length.
class StepDecoder {
  public:
    virtual ~StepDecoder() = default;
    virtual std::int64_t rows() const = 0;
    /// Feeds one token a row and gives the logits of the next: rows * vocab_size. A negative token leaves
    /// that row as it is; its logits are not written.
    virtual void step(std::span<const Token> tokens, std::span<float> logits) = 0;
    /// The row's sequence begins anew.
    virtual void reset(std::int64_t row) = 0;
};

class SequenceModel {
  public:
    virtual ~SequenceModel() = default;
    virtual const ModelConfig& config() const = 0;
    virtual const ComputeOptions& compute() const = 0;

    /// Copies, in mamba_ssm's order and names; `lm_head.weight` is the embedding and is left out.
    virtual std::vector<NamedTensor> parameters() const = 0;
    /// Every parameter, in any order (`lm_head.weight` may be there, equal to the embedding). Throws
    /// InputError naming `name` and the tensor: missing, unknown, of another shape, not finite.
    virtual void set_parameters(const std::vector<NamedTensor>& tensors, const std::string& name) = 0;

    /// Forward and backward: adds the gradient of the summed loss divided by `normaliser` to what is there.
    virtual Loss accumulate(const Batch& batch, double normaliser) = 0;
    /// One optimiser step over what was accumulated, which is then cleared. Returns the gradient's norm
    /// before clipping; where that is not finite, nothing is changed but the gradients, which are cleared.
    virtual double optimize(const OptimizerStep& step) = 0;
    /// Forward only; its carried state is apart from training's.
    virtual Loss evaluate(const Batch& batch) = 0;

    /// What exact resume needs besides the parameters: moments, their step count, the rows' carried state,
    /// and gradients (`gradient.NAME`) that optimize() has not used yet. Throws InputError naming `name` and
    /// the tensor.
    virtual std::vector<NamedTensor> training_state() const = 0;
    virtual void set_training_state(const std::vector<NamedTensor>& tensors, const std::string& name) = 0;

    /// Takes a snapshot of the parameters. The model must outlive it.
    virtual std::unique_ptr<StepDecoder> decoder(std::int64_t rows) = 0;
};

/// Weights as mamba_ssm initialises them, drawn from `seed`. Throws InputError: LibTorch is not there, the
/// device is unknown or absent, `fused` is asked for on another device than the CPU.
std::unique_ptr<SequenceModel> make_sequence_model(const ModelConfig& config, const ComputeOptions& compute,
                                                   std::uint64_t seed);
/// Whether libtracebench_ssm.so is there.
bool sequence_model_available();

}  // namespace tracebench::ssm
