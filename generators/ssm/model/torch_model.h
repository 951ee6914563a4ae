#pragma once
/// What both backends share: parameters, carried state, optimiser, saving and resuming. See sequence_model.h.

#include <memory>
#include <string>
#include <vector>

#include "generators/ssm/model/carried_state.h"
#include "generators/ssm/model/optimizer.h"
#include "generators/ssm/model/parameters.h"
#include "generators/ssm/model/torch.h"
#include "generators/ssm/sequence_model.h"

namespace tracebench::ssm {

class TorchModel : public SequenceModel {
  public:
    /// `compute` with threads and chunk resolved.
    TorchModel(const ModelConfig& config, const ComputeOptions& compute, std::uint64_t seed);

    const ModelConfig& config() const final { return config_; }
    const ComputeOptions& compute() const final { return compute_; }
    std::vector<NamedTensor> parameters() const final;
    void set_parameters(const std::vector<NamedTensor>& tensors, const std::string& name) final;
    Loss accumulate(const Batch& batch, double normaliser) final;
    double optimize(const OptimizerStep& step) final;
    Loss evaluate(const Batch& batch) final;
    std::vector<NamedTensor> training_state() const final;
    void set_training_state(const std::vector<NamedTensor>& tensors, const std::string& name) final;
    std::unique_ptr<StepDecoder> decoder(std::int64_t rows) final;

  protected:
    /// Forward, from and to `state`; and, with a normaliser, backward into the parameters' gradients.
    virtual Loss run(const Batch& batch, CarriedState& state, const double* normaliser) = 0;
    virtual std::unique_ptr<StepDecoder> make_decoder(std::int64_t rows) = 0;

    Parameters& tensors() { return parameters_; }
    const torch::Device& device() const { return device_; }
    bool bfloat16() const { return compute_.precision == Precision::bfloat16; }

  private:
    void check(const Batch& batch) const;

    ModelConfig config_;
    ComputeOptions compute_;
    torch::Device device_;
    Parameters parameters_;
    CarriedState training_rows_, evaluation_rows_;
    std::int64_t steps_ = 0;
    bool gradients_pending_ = false;
};

/// LibTorch and OpenMP keep the number of threads by calling thread.
void use_threads(int threads);
/// One line instead of a stack trace: InputError where memory ran out, else std::runtime_error.
[[noreturn]] void rethrow(const c10::Error& error);

/// `work()` with so many threads and with LibTorch's errors made readable.
template <typename Work>
auto with_torch(int threads, Work&& work) -> decltype(work()) {
    use_threads(threads);
    try {
        return work();
    } catch (const c10::Error& error) {
        rethrow(error);
    }
}

std::unique_ptr<SequenceModel> make_plain_model(const ModelConfig& config, const ComputeOptions& compute,
                                                std::uint64_t seed);
std::unique_ptr<SequenceModel> make_fused_model(const ModelConfig& config, const ComputeOptions& compute,
                                                std::uint64_t seed);

}  // namespace tracebench::ssm
