#include "generators/ssm/model/parameters.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <unordered_map>

#include "base/error.h"
#include "base/random.h"

namespace tracebench::ssm {
namespace {

constexpr const char* head_name = "lm_head.weight";

template <typename Draw>
torch::Tensor filled(torch::IntArrayRef shape, Draw draw) {
    torch::Tensor tensor = torch::empty(shape, torch::kFloat);
    float* values = tensor.data_ptr<float>();
    for (std::int64_t i = 0; i < tensor.numel(); ++i) values[i] = static_cast<float>(draw());
    return tensor;
}

/// PyTorch's default of Linear and Conv1d: uniform within 1/sqrt(inputs of one output).
torch::Tensor uniform_by_inputs(torch::IntArrayRef shape, std::int64_t inputs, double scale,
                                std::uint64_t seed) {
    Random random(seed);
    const double bound = scale / std::sqrt(static_cast<double>(inputs));
    return filled(shape, [&] { return random.uniform(-bound, bound); });
}

/// softplus(dt_bias) is log-uniform in [0.001, 0.1].
torch::Tensor initial_dt_bias(std::int64_t heads, std::uint64_t seed) {
    Random random(seed);
    return filled(heads, [&] {
        const double dt = std::max(std::exp(random.uniform(std::log(1e-3), std::log(1e-1))), 1e-4);
        return dt + std::log(-std::expm1(-dt));
    });
}

std::string shape_text(torch::IntArrayRef shape) {
    return fmt::format("[{}]", fmt::join(shape, ", "));
}

}  // namespace

Parameters::Parameters(const ModelConfig& config, const torch::Device& device, std::uint64_t seed)
    : device_(device) {
    const auto stream = [&](const std::string& name) { return stream_seed(seed, name); };
    {
        const std::string name = "backbone.embedding.weight";
        Random random(stream(name));
        add(name,
            filled({config.padded_vocabulary(), config.d_model}, [&] { return 0.02 * random.normal(); }));
    }
    // Blocks add to the residual stream one after another: their last matrix is scaled down by their number.
    const double residual_scale = 1 / std::sqrt(static_cast<double>(config.n_layer));
    for (std::int64_t layer = 0; layer < config.n_layer; ++layer) {
        const std::string block = fmt::format("backbone.layers.{}.", layer), mixer = block + "mixer.";
        BlockTensors tensors;
        tensors.norm = add(block + "norm.weight", torch::ones(config.d_model));
        tensors.dt_bias = add(mixer + "dt_bias", initial_dt_bias(config.heads(), stream(mixer + "dt_bias")));
        Random random(stream(mixer + "A_log"));
        tensors.a_log =
            add(mixer + "A_log", filled(config.heads(), [&] { return std::log(random.uniform(1, 16)); }));
        tensors.d = add(mixer + "D", torch::ones(config.heads()));
        tensors.in_proj = add(mixer + "in_proj.weight",
                              uniform_by_inputs({config.projection(), config.d_model}, config.d_model, 1,
                                                stream(mixer + "in_proj.weight")));
        tensors.conv_weight = add(mixer + "conv1d.weight",
                                  uniform_by_inputs({config.conv_channels(), 1, config.d_conv}, config.d_conv,
                                                    1, stream(mixer + "conv1d.weight")));
        tensors.conv_bias =
            add(mixer + "conv1d.bias",
                uniform_by_inputs(config.conv_channels(), config.d_conv, 1, stream(mixer + "conv1d.bias")));
        tensors.gate_norm = add(mixer + "norm.weight", torch::ones(config.d_inner()));
        tensors.out_proj = add(mixer + "out_proj.weight",
                               uniform_by_inputs({config.d_model, config.d_inner()}, config.d_inner(),
                                                 residual_scale, stream(mixer + "out_proj.weight")));
        blocks_.push_back(tensors);
    }
    add("backbone.norm_f.weight", torch::ones(config.d_model));
}

const torch::Tensor& Parameters::add(const std::string& name, torch::Tensor value) {
    value = value.to(device_);
    value.requires_grad_();
    all_.push_back({name, value, {}, {}});
    return all_.back().value;
}

void Parameters::require_gradients() {
    for (Parameter& parameter : all_)
        if (!parameter.value.grad().defined())
            parameter.value.mutable_grad() = torch::zeros_like(parameter.value, torch::requires_grad(false));
}

void Parameters::clear_gradients() {
    for (Parameter& parameter : all_)
        if (parameter.value.grad().defined()) parameter.value.mutable_grad().zero_();
}

std::vector<NamedTensor> Parameters::copy() const {
    std::vector<NamedTensor> tensors;
    tensors.reserve(all_.size());
    for (const Parameter& parameter : all_) tensors.push_back(to_named(parameter.name, parameter.value));
    return tensors;
}

void Parameters::replace(const std::vector<NamedTensor>& tensors, const std::string& name) {
    std::unordered_map<std::string, const NamedTensor*> given;
    for (const NamedTensor& tensor : tensors)
        if (!given.emplace(tensor.name, &tensor).second)
            throw InputError(name, fmt::format("tensor '{}' is there twice", tensor.name),
                             "use an undamaged copy");

    std::vector<torch::Tensor> values;
    for (const Parameter& parameter : all_) {
        const auto found = given.find(parameter.name);
        if (found == given.end())
            throw InputError(name,
                             fmt::format("tensor '{}' of shape {} is missing", parameter.name,
                                         shape_text(parameter.value.sizes())),
                             "use weights that belong to this config.json");
        values.push_back(from_named(*found->second, parameter.value.sizes(), name));
        given.erase(found);
    }
    // Tied to the embedding: a file may name it too, but cannot mean another matrix by it.
    if (const auto head = given.find(head_name); head != given.end()) {
        if (!torch::equal(from_named(*head->second, embedding().sizes(), name), values.front()))
            throw InputError(name, "'lm_head.weight' differs from 'backbone.embedding.weight'",
                             "use a model with tied embeddings");
        given.erase(head);
    }
    for (const NamedTensor& tensor : tensors)
        if (given.contains(tensor.name))
            throw InputError(name, fmt::format("tensor '{}' is not one of this model's", tensor.name),
                             "use weights that belong to this config.json");

    const torch::NoGradGuard no_gradients;
    for (std::size_t i = 0; i < all_.size(); ++i) all_[i].value.copy_(values[i]);
}

NamedTensor to_named(const std::string& name, const torch::Tensor& tensor) {
    const torch::Tensor host = tensor.detach().to(torch::kCPU, torch::kFloat).contiguous();
    const float* values = host.data_ptr<float>();
    return {name, host.sizes().vec(), {values, values + host.numel()}};
}

torch::Tensor from_named(const NamedTensor& tensor, torch::IntArrayRef shape, const std::string& file) {
    if (torch::IntArrayRef(tensor.shape) != shape)
        throw InputError(file,
                         fmt::format("tensor '{}' has shape {}, not {}", tensor.name,
                                     shape_text(tensor.shape), shape_text(shape)),
                         "use weights that belong to this config.json");
    if (static_cast<std::int64_t>(tensor.values.size()) != tensor.size())
        throw InputError(file,
                         fmt::format("tensor '{}' has {} values for shape {}", tensor.name,
                                     tensor.values.size(), shape_text(shape)),
                         "use an undamaged copy");
    const auto bad = std::find_if_not(tensor.values.begin(), tensor.values.end(),
                                      [](float value) { return std::isfinite(value); });
    if (bad != tensor.values.end())
        throw InputError(file,
                         fmt::format("tensor '{}' holds {} at position {}", tensor.name, *bad,
                                     bad - tensor.values.begin()),
                         "use weights of a training that did not diverge");
    torch::Tensor copy = torch::empty(shape, torch::kFloat);
    std::memcpy(copy.data_ptr<float>(), tensor.values.data(), tensor.values.size() * sizeof(float));
    return copy;
}

}  // namespace tracebench::ssm
