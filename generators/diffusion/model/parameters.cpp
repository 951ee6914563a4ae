#include "generators/diffusion/model/parameters.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>

#include "base/error.h"
#include "base/random.h"

namespace tracebench::diffusion {
namespace {

constexpr double normal_deviation = 0.1;

torch::Tensor initial_values(const TensorLayout& layout, std::uint64_t seed) {
    torch::Tensor tensor = torch::zeros(layout.shape, torch::kFloat);
    if (layout.initial == Initial::zeros) return tensor;
    Random random(seed);
    const double bound = 1 / std::sqrt(static_cast<double>(layout.inputs()));
    float* values = tensor.data_ptr<float>();
    for (std::int64_t i = 0; i < tensor.numel(); ++i)
        values[i] =
            static_cast<float>(layout.initial == Initial::uniform ? random.uniform(-bound, bound)
                                                                  : normal_deviation * random.normal());
    return tensor;
}

std::string shape_text(torch::IntArrayRef shape) {
    return fmt::format("[{}]", fmt::join(shape, ", "));
}

}  // namespace

const torch::Tensor& Weights::operator[](const std::string& name) const {
    const auto found = tensors_.find(name);
    if (found == tensors_.end()) throw std::logic_error(fmt::format("no tensor '{}'", name));
    return found->second;
}

Parameters::Parameters(const std::vector<TensorLayout>& layout, const torch::Device& device,
                       std::uint64_t seed) {
    for (const TensorLayout& tensor : layout) {
        torch::Tensor value = initial_values(tensor, stream_seed(seed, tensor.name)).to(device);
        torch::Tensor average = value.clone();
        value.requires_grad_();
        all_.push_back({tensor.name, value, average, {}, {}});
    }
}

Parameter& Parameters::operator[](const std::string& name) {
    const auto found =
        std::find_if(all_.begin(), all_.end(), [&](const Parameter& p) { return p.name == name; });
    if (found == all_.end()) throw std::logic_error(fmt::format("no parameter '{}'", name));
    return *found;
}

void Parameters::add_values(Weights& weights) const {
    for (const Parameter& parameter : all_) weights.add(parameter.name, parameter.value);
}

void Parameters::add_averages(Weights& weights) const {
    for (const Parameter& parameter : all_) weights.add(parameter.name, parameter.average);
}

std::vector<NamedTensor> Parameters::values(const std::string& prefix) const {
    std::vector<NamedTensor> tensors;
    for (const Parameter& parameter : all_)
        tensors.push_back(to_named(prefix + parameter.name, parameter.value));
    return tensors;
}

std::vector<NamedTensor> Parameters::averages(const std::string& prefix) const {
    std::vector<NamedTensor> tensors;
    for (const Parameter& parameter : all_)
        tensors.push_back(to_named(prefix + parameter.name, parameter.average));
    return tensors;
}

GivenTensors::GivenTensors(const std::vector<NamedTensor>& tensors, std::string file)
    : file_(std::move(file)) {
    for (const NamedTensor& tensor : tensors)
        if (!left_.emplace(tensor.name, &tensor).second)
            throw InputError(file_, fmt::format("tensor '{}' is there twice", tensor.name),
                             "use an undamaged copy");
}

torch::Tensor GivenTensors::take(const std::string& name, torch::IntArrayRef shape) {
    const auto found = left_.find(name);
    if (found == left_.end())
        throw InputError(file_, fmt::format("tensor '{}' of shape {} is missing", name, shape_text(shape)),
                         "use weights that belong to this config.json");
    const NamedTensor& tensor = *found->second;
    if (torch::IntArrayRef(tensor.shape) != shape)
        throw InputError(file_,
                         fmt::format("tensor '{}' has shape {}, not {}", name, shape_text(tensor.shape),
                                     shape_text(shape)),
                         "use weights that belong to this config.json");
    if (static_cast<std::int64_t>(tensor.values.size()) != tensor.size())
        throw InputError(file_,
                         fmt::format("tensor '{}' has {} values for shape {}", name, tensor.values.size(),
                                     shape_text(shape)),
                         "use an undamaged copy");
    const auto bad = std::find_if_not(tensor.values.begin(), tensor.values.end(),
                                      [](float value) { return std::isfinite(value); });
    if (bad != tensor.values.end())
        throw InputError(
            file_,
            fmt::format("tensor '{}' holds {} at position {}", name, *bad, bad - tensor.values.begin()),
            "use weights of a training that did not diverge");
    torch::Tensor copy = torch::empty(shape, torch::kFloat);
    if (!tensor.values.empty())
        std::memcpy(copy.data_ptr<float>(), tensor.values.data(), tensor.values.size() * sizeof(float));
    left_.erase(found);
    return copy;
}

void GivenTensors::finish() const {
    if (!left_.empty())
        throw InputError(file_, fmt::format("tensor '{}' is not one of this model's", left_.begin()->first),
                         "use weights that belong to this config.json");
}

NamedTensor to_named(const std::string& name, const torch::Tensor& tensor) {
    const torch::Tensor host = tensor.detach().to(torch::kCPU, torch::kFloat).contiguous();
    const float* values = host.data_ptr<float>();
    return {name, host.sizes().vec(), {values, values + host.numel()}};
}

}  // namespace tracebench::diffusion
