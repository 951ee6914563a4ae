#pragma once
/// The diffusion model on LibTorch. See diffusion_model.h.

#include <optional>
#include <string>
#include <vector>

#include "generators/diffusion/diffusion_model.h"
#include "generators/diffusion/model/adapter.h"
#include "generators/diffusion/model/autoencoder.h"
#include "generators/diffusion/model/denoiser.h"
#include "generators/diffusion/model/optimizer.h"
#include "generators/diffusion/model/parameters.h"

namespace tracebench::diffusion {

class TorchDiffusionModel : public DiffusionModel {
  public:
    /// `compute` with its threads resolved.
    TorchDiffusionModel(const ModelConfig& config, const ComputeOptions& compute,
                        const Operations& operations, std::uint64_t seed);

    const ModelConfig& config() const override { return config_; }
    const ComputeOptions& compute() const override { return compute_; }
    StepResult train_step(Stage stage, const RowBatch& batch, const OptimizerStep& step,
                          std::uint64_t seed) override;
    Loss evaluate(Stage stage, const RowBatch& batch, std::uint64_t seed) override;
    void standardise_latents(const RowBatch& batch) override;
    std::vector<float> encode(const RowBatch& batch) override;
    void add_control() override;
    bool has_control() const override { return control_.has_value(); }
    void add_adapter(const AdapterConfig& config, std::uint64_t seed) override;
    void set_adapter(const AdapterConfig& config, const std::vector<NamedTensor>& tensors,
                     const std::string& name) override;
    std::optional<AdapterConfig> adapter() const override;
    void merge_adapter() override;
    std::vector<SampledRows> sample(std::span<const SampleRequest> requests,
                                    const SamplingOptions& options) override;
    SampledRows reconstruct(const RowBatch& batch) override;
    std::vector<NamedTensor> parameters(Part part) const override;
    void set_parameters(Part part, const std::vector<NamedTensor>& tensors, const std::string& name) override;
    std::vector<NamedTensor> training_state(Stage stage) const override;
    void set_training_state(Stage stage, const std::vector<NamedTensor>& tensors,
                            const std::string& name) override;

  private:
    /// A batch as the denoiser sees it.
    struct Sequences {
        torch::Tensor latents;  ///< clean, standardised, 0 outside the mask
        Places places;
        torch::Tensor layout;   ///< of control; undefined without one
        torch::Tensor weights;  ///< of rows; undefined: all alike
    };
    struct Group;

    // checks.cpp
    void check(Stage stage, const RowBatch& batch) const;
    void check(const SampleRequest& request) const;
    void check(const SamplingOptions& options) const;
    void check(const AdapterConfig& config) const;
    std::int64_t all_classes() const;
    const Parameters& stage_parameters(Stage stage) const;
    Parameters& stage_parameters(Stage stage);

    // training.cpp
    torch::Tensor autoencoder_loss(const Weights& weights, const RowBatch& batch, std::uint64_t* noise_seed,
                                   Loss& loss) const;
    torch::Tensor denoising_loss(Stage stage, const Weights& weights, const RowBatch& batch,
                                 std::uint64_t seed, double class_dropout, bool training, Loss& loss) const;
    Weights stage_weights(Stage stage, bool training) const;
    /// [samples * rows, latent], not standardised.
    torch::Tensor latents_of(const RowBatch& batch) const;
    Sequences sequences(Stage stage, const RowBatch& batch) const;
    torch::Tensor class_rows(std::span<const std::int32_t> classes, std::int64_t samples) const;

    // sampling.cpp
    void run(Group& group, const Weights& weights, const SamplingOptions& options) const;
    void write_rows(const torch::Tensor& state, std::int64_t rows, std::vector<std::int8_t>& ternary,
                    std::vector<float>* gaps) const;

    template <typename Work>
    auto with_torch(Work&& work) const -> decltype(work());

    ModelConfig config_;
    ComputeOptions compute_;
    Operations operations_;
    torch::Device device_;
    Autoencoder rows_;
    Denoiser network_;
    Parameters autoencoder_, denoiser_;
    torch::Tensor latent_mean_, latent_scale_;
    std::optional<Parameters> control_;
    std::optional<Adapter> adapter_;
};

/// LibTorch keeps the number of threads by calling thread and makes its pool anew whenever it is told.
void use_threads(int threads);
/// One line instead of a stack trace: InputError where memory ran out, else std::runtime_error.
[[noreturn]] void rethrow(const c10::Error& error);
/// So many normal numbers from a generator of this seed.
torch::Tensor normal_numbers(torch::IntArrayRef shape, std::uint64_t seed);

template <typename Work>
auto TorchDiffusionModel::with_torch(Work&& work) const -> decltype(work()) {
    use_threads(compute_.threads);
    try {
        return work();
    } catch (const c10::Error& error) {
        rethrow(error);
    }
}

}  // namespace tracebench::diffusion
