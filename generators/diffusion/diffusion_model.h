#pragma once
/// Latent diffusion over packet rows, without a word of LibTorch: what training, sampling and their tests
/// need. The implementation (model/) is in libtracebench_diffusion.so, loaded when first used.
///
/// Two networks. The row autoencoder turns one row (ternary columns and a gap) into a short latent and back.
/// The denoiser, a 1-D U-Net over the sequence of latents, is trained to undo noise (Ho et al. 2020; cosine
/// schedule of Nichol and Dhariwal 2021; v-prediction of Salimans and Ho 2022) given the class, which is left
/// out now and then for classifier-free guidance (Ho and Salimans 2022). A control branch (ControlNet, Zhang
/// et al. 2023) and adapters (LoRA, Hu et al. 2022) may be added to a trained denoiser.
///
///     ModelConfig config;                        // of a preset
///     config.classes = 6;
///     config.fixed = fixed_columns(all_training_rows, kTernary);
///     auto model = make_diffusion_model(config, {}, seed);
///     for (step ...) model->train_step(Stage::autoencoder, rows, optimizer, step_seed);
///     model->standardise_latents(all_training_rows);
///     for (step ...) model->train_step(Stage::denoiser, batch, optimizer, step_seed);
///     std::vector<SampledRows> made = model->sample(requests, options);
///
/// Same seeds, same calls, same options and the same number of threads: same bytes. With another number of
/// threads oneDNN adds in another order: the same but for rounding.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "generators/diffusion/diffusion_model_config.h"
#include "generators/diffusion/noise_schedule.h"
#include "generators/weights/named_tensor.h"

namespace tracebench::diffusion {

enum class Precision {
    float32,
    bfloat16,  ///< convolutions and matrix products only; weights, norms and optimiser stay float32
};

struct ComputeOptions {
    std::string device = "cpu";  ///< as LibTorch spells it: `cpu`, `cuda`, `cuda:1`
    Precision precision = Precision::float32;
    int threads = 0;  ///< 0: every processor we may use
};

/// What is trained, in this order. Each leaves the parameters of the others as they are.
enum class Stage {
    autoencoder,
    denoiser,
    control,  ///< the control branch, after add_control()
    adapter,  ///< LoRA factors and the embeddings of new classes, after add_adapter()
};

/// `samples` times `rows` rows. A sample shorter than the batch is padded by the caller with rows past the
/// end (mask 0) or with rows past the end that are to be learned (mask 1). Spans that are empty mean their
/// default.
struct RowBatch {
    std::int64_t samples = 0,
                 rows = 0;  ///< both at least 1; rows up to the config's longest (autoencoder: any)
    std::span<const std::int8_t> ternary;  ///< samples * rows * columns, each -1, 0 or 1
    std::span<const float> gaps;           ///< samples * rows, finite, about [-1, 1]
    std::span<const std::uint8_t> mask{};  ///< samples * rows: 1: counts in the loss. Default: all count
    /// Of each sample, from here on all that the denoiser's stages need. In [0, classes), from there on the
    /// adapter's new classes; -1 (and the default): none.
    std::span<const std::int32_t> classes{};
    /// Place of the batch's first row in the whole sample, where it is a piece cut out of it. Default: 0.
    std::span<const std::int64_t> first_row{};
    /// Rows of the whole sample. Default: first_row and the rows that count.
    std::span<const std::int64_t> lengths{};
    /// samples * rows * control: 0 or 1. Stage::control only, and required there.
    std::span<const std::uint8_t> control{};
    /// samples * rows * latent, as encode() gave them: then `ternary` and `gaps` may be empty. Not for the
    /// autoencoder.
    std::span<const float> latents{};
    /// samples * rows, positive: how many times a row counts in what the denoiser's stages are trained by.
    /// Default: once. The loss that is told does not depend on it.
    std::span<const float> weights{};
};

/// Means over the rows that count; 0 where there are none.
struct Loss {
    /// Autoencoder: nats of cross-entropy of the learned columns of a row, each as many times as
    /// ModelConfig::emphasis says; the gap is a channel of the latent by itself and costs nothing. Others:
    /// squared error of v, a mean over channels (1 is what knowing nothing costs).
    double mean = 0;
    std::int64_t rows = 0;
    // Autoencoder only, counted from the decoder's most likely values:
    std::int64_t wrong_columns = 0;  ///< of rows * columns, fixed columns included
    std::int64_t wrong_rows = 0;     ///< with at least one wrong column
};

/// AdamW (Loshchilov and Hutter, 2019). Weight decay leaves out vectors.
struct OptimizerStep {
    double learning_rate = 1e-3, beta1 = 0.9, beta2 = 0.99, epsilon = 1e-8, weight_decay = 0.01;
    double clip_norm = 1;  ///< of the whole gradient; 0: none
    /// The averaged weights follow by 1 minus this, earlier in training faster: min(ema, (1 + n) / (10 + n))
    /// after n steps.
    double ema = 0.999;
    double class_dropout = 0.1;  ///< share of samples whose class is left out
};

struct StepResult {
    Loss loss;                 ///< before the step; wrong_* are not counted
    double gradient_norm = 0;  ///< before clipping; where it is not finite the step changed nothing
};

/// One sample to make.
struct SampleRequest {
    std::int32_t class_id = -1;               ///< as in RowBatch::classes; -1: any
    std::int64_t rows = 1;                    ///< 1 to longest
    std::uint64_t seed = 0;                   ///< of its noise
    std::span<const std::uint8_t> control{};  ///< rows * control of {0, 1}; empty: none
};

struct SamplingOptions {
    Sampler sampler = Sampler::dpm_solver;
    std::int64_t steps = 20;      ///< 1 to 1000
    double guidance = 1;          ///< 0: class ignored, 1: conditional, more: away from 'no class'; up to 20
    double control_strength = 1;  ///< factor of what the control branch adds; 0: off; up to 2
    /// Rows computed at once, padding included; sets memory and speed. At least one sample is.
    std::int64_t rows_at_once = 8192;
    /// Steps (counted from 1) after which the noisy state is decoded into SampledRows::previews, ascending.
    std::vector<std::int64_t> preview_steps{};
    /// Called after each step of each group of samples with the share done so far; may throw to stop.
    std::function<void(double)> progress{};
};

struct SampledRows {
    std::vector<std::int8_t> ternary;                ///< rows * columns
    std::vector<float> gaps;                         ///< a row each
    std::vector<std::vector<std::int8_t>> previews;  ///< one a preview step, each as `ternary`
};

/// Rank 1 to 256 factors beside every convolution and projection of the denoiser, and new classes.
struct AdapterConfig {
    std::int64_t rank = 8;
    double alpha = 8;              ///< the product of the factors counts alpha / rank
    std::int64_t new_classes = 0;  ///< their ids follow the base's
    bool operator==(const AdapterConfig&) const = default;
};

/// Groups of parameters, for saving.
enum class Part {
    autoencoder,  ///< with the latents' mean and scale
    denoiser,
    averaged,  ///< the denoiser's averaged weights, under the same names; what sampling and evaluation use
    control,   ///< its averaged weights are `averaged.NAME`; there after add_control() or set_parameters()
    adapter,
};

class DiffusionModel {
  public:
    virtual ~DiffusionModel() = default;
    virtual const ModelConfig& config() const = 0;
    virtual const ComputeOptions& compute() const = 0;

    /// One forward, backward and optimiser step. All that is random in it (noise, times, what is left out) is
    /// drawn from `seed`. Throws std::invalid_argument for batches of other shapes than said above,
    /// InputError where memory runs out.
    virtual StepResult train_step(Stage stage, const RowBatch& batch, const OptimizerStep& step,
                                  std::uint64_t seed) = 0;
    /// Forward only, with the averaged weights and, but for the autoencoder, with noise drawn from `seed` and
    /// times spread evenly over the samples: the same seed and batches, a comparable value.
    virtual Loss evaluate(Stage stage, const RowBatch& batch, std::uint64_t seed) = 0;

    /// Sets the latents' mean and scale from these rows, so that each channel has mean 0 and variance 1.
    /// Between the autoencoder's and the denoiser's training. Constant channels keep scale 1.
    virtual void standardise_latents(const RowBatch& batch) = 0;

    /// Latents of the batch's rows, samples * rows * latent, before they are standardised. They stay what
    /// they are until the autoencoder is trained on: encode once, train often.
    virtual std::vector<float> encode(const RowBatch& batch) = 0;

    /// Adds the control branch as a copy of the denoiser's encoder (averaged weights, which the denoiser then
    /// takes as its own) behind convolutions that are zero, so that the output is what it was.
    virtual void add_control() = 0;
    virtual bool has_control() const = 0;

    /// Adds factors (A drawn from `seed`, B zero) beside the averaged weights, and embeddings of the new
    /// classes that begin as the mean of the classes'. Replaces an adapter that was there.
    virtual void add_adapter(const AdapterConfig& config, std::uint64_t seed) = 0;
    /// Adds or replaces it by these. Throws InputError as set_parameters().
    virtual void set_adapter(const AdapterConfig& config, const std::vector<NamedTensor>& tensors,
                             const std::string& name) = 0;
    virtual std::optional<AdapterConfig> adapter() const = 0;
    /// The adapter's product is added to the denoiser's weights and averaged weights, the new classes become
    /// classes (config().classes grows), and the adapter is gone.
    virtual void merge_adapter() = 0;

    /// Makes one sample a request, in their order. Throws std::invalid_argument for requests or options out
    /// of range, InputError for a control layout without a control branch.
    virtual std::vector<SampledRows> sample(std::span<const SampleRequest> requests,
                                            const SamplingOptions& options) = 0;
    /// Through the autoencoder and back without noise; for measuring it and for tests.
    virtual SampledRows reconstruct(const RowBatch& batch) = 0;

    virtual std::vector<NamedTensor> parameters(Part part) const = 0;
    /// Every parameter of the part, in any order; all or nothing. Throws InputError naming `name` and the
    /// tensor: missing, unknown, there twice, of another shape, not finite. Setting the denoiser sets its
    /// averaged weights too; set those after it.
    virtual void set_parameters(Part part, const std::vector<NamedTensor>& tensors,
                                const std::string& name) = 0;

    /// What exact resume needs besides the parameters: the stage's moments and step count.
    virtual std::vector<NamedTensor> training_state(Stage stage) const = 0;
    virtual void set_training_state(Stage stage, const std::vector<NamedTensor>& tensors,
                                    const std::string& name) = 0;
};

/// Weights drawn from `seed`. Throws InputError: LibTorch is not there, the device is unknown or absent, or
/// the config is out of range.
std::unique_ptr<DiffusionModel> make_diffusion_model(const ModelConfig& config, const ComputeOptions& compute,
                                                     std::uint64_t seed);
/// Whether libtracebench_diffusion.so is there.
bool diffusion_model_available();

}  // namespace tracebench::diffusion
