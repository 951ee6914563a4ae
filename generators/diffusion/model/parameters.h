#pragma once
/// A network's trainable tensors by name: made, averaged, copied out, replaced.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "generators/diffusion/model/torch.h"
#include "generators/diffusion/network_layout.h"
#include "generators/weights/named_tensor.h"

namespace tracebench::diffusion {

/// What a network computes with.
class Weights {
  public:
    void add(const std::string& name, torch::Tensor value) { tensors_[name] = std::move(value); }
    /// Throws std::logic_error where there is none.
    const torch::Tensor& operator[](const std::string& name) const;

  private:
    std::map<std::string, torch::Tensor> tensors_;
};

/// One trainable tensor, a leaf.
struct Parameter {
    std::string name;
    torch::Tensor value;
    torch::Tensor average;                      ///< exponential moving average of the value
    torch::Tensor first_moment, second_moment;  ///< AdamW's; undefined until its first step

    /// Weight decay is for matrices, not for biases, scales and shifts.
    bool decays() const { return value.dim() > 1; }
};

class Parameters {
  public:
    /// Initial values as the layout says, each from a stream of its own of `seed`.
    Parameters(const std::vector<TensorLayout>& layout, const torch::Device& device, std::uint64_t seed);

    std::vector<Parameter>& all() { return all_; }
    const std::vector<Parameter>& all() const { return all_; }
    /// Throws std::logic_error where there is none.
    Parameter& operator[](const std::string& name);

    /// Share memory with the parameters.
    void add_values(Weights& weights) const;
    void add_averages(Weights& weights) const;

    std::vector<NamedTensor> values(const std::string& prefix = {}) const;
    std::vector<NamedTensor> averages(const std::string& prefix = {}) const;

    std::int64_t steps = 0;  ///< of the optimiser

  private:
    std::vector<Parameter> all_;
};

/// Tensors from a file, taken one by one. Throws InputError naming `file` and the tensor.
class GivenTensors {
  public:
    /// Throws where a name is there twice. The tensors must outlive this.
    GivenTensors(const std::vector<NamedTensor>& tensors, std::string file);
    bool has(const std::string& name) const { return left_.contains(name); }
    /// Throws where it is missing, of another shape, has another number of values, or a value that is not
    /// finite.
    torch::Tensor take(const std::string& name, torch::IntArrayRef shape);
    /// Throws where one was not taken.
    void finish() const;

  private:
    std::string file_;
    std::map<std::string, const NamedTensor*> left_;
};

NamedTensor to_named(const std::string& name, const torch::Tensor& tensor);

}  // namespace tracebench::diffusion
