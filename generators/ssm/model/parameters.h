#pragma once
/// The model's trainable tensors under mamba_ssm's names: made, copied out, replaced.

#include <cstdint>
#include <string>
#include <vector>

#include "generators/ssm/model/torch.h"
#include "generators/ssm/model_config.h"
#include "generators/weights/named_tensor.h"

namespace tracebench::ssm {

/// One trainable tensor, a leaf: gradients are added up in its grad().
struct Parameter {
    std::string name;
    torch::Tensor value;
    torch::Tensor first_moment, second_moment;  ///< AdamW's; undefined until its first step

    /// Weight decay is for matrices, not for norms, biases, A_log, D and dt_bias.
    bool decays() const { return value.dim() > 1; }
};

/// One block's, sharing memory with the Parameters they are from. Shapes: kernels/block.h.
struct BlockTensors {
    torch::Tensor norm, dt_bias, a_log, d, in_proj, conv_weight, conv_bias, gate_norm, out_proj;
};

class Parameters {
  public:
    /// As mamba_ssm initialises them (MambaLMHeadModel, Mamba2), each from a stream of its own of `seed`.
    Parameters(const ModelConfig& config, const torch::Device& device, std::uint64_t seed);

    /// In mamba_ssm's order.
    std::vector<Parameter>& all() { return all_; }
    const std::vector<Parameter>& all() const { return all_; }
    const torch::Tensor& embedding() const { return all_.front().value; }
    const torch::Tensor& final_norm() const { return all_.back().value; }
    const BlockTensors& block(std::int64_t layer) const { return blocks_[static_cast<std::size_t>(layer)]; }

    /// Zeros where a parameter has no gradient yet.
    void require_gradients();
    void clear_gradients();

    std::vector<NamedTensor> copy() const;
    /// All or nothing. See SequenceModel::set_parameters().
    void replace(const std::vector<NamedTensor>& tensors, const std::string& name);

  private:
    const torch::Tensor& add(const std::string& name, torch::Tensor value);

    torch::Device device_;
    std::vector<Parameter> all_;
    std::vector<BlockTensors> blocks_;
};

NamedTensor to_named(const std::string& name, const torch::Tensor& tensor);
/// A tensor of exactly this shape, on the host. Throws InputError naming `file` and the tensor: another
/// shape, another number of values, or a value that is not finite.
torch::Tensor from_named(const NamedTensor& tensor, torch::IntArrayRef shape, const std::string& file);

}  // namespace tracebench::ssm
