#include "generators/diffusion/model/optimizer.h"

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "generators/diffusion/model/adamw_kernel.h"

namespace tracebench::diffusion {
namespace {

constexpr const char* steps_name = "optimizer.steps";
constexpr const char* first_prefix = "optimizer.first.";
constexpr const char* second_prefix = "optimizer.second.";
/// A step count is stored as two floats below this, so that each is exact.
constexpr std::int64_t steps_base = 1 << 20;

/// Contiguous and on the CPU: by our kernels. Elsewhere in LibTorch's operations.
bool is_plain_memory(const torch::Tensor& tensor) {
    return tensor.is_cpu() && tensor.is_contiguous();
}

double gradient_norm(const Parameters& parameters) {
    double squares = 0;
    for (const Parameter& parameter : parameters.all()) {
        const torch::Tensor& gradient = parameter.value.grad();
        if (!gradient.defined()) continue;
        squares += is_plain_memory(gradient) ? sum_of_squares(gradient.numel(), gradient.data_ptr<float>())
                                             : gradient.square().sum(torch::kDouble).item<double>();
    }
    return std::sqrt(squares);
}

void update(Parameter& parameter, const AdamwFactors& factors, bool fused) {
    const torch::Tensor gradient = parameter.value.grad().contiguous();
    if (fused && is_plain_memory(gradient) && is_plain_memory(parameter.value)) {
        constexpr std::int64_t grain = 1 << 15;
        at::parallel_for(0, gradient.numel(), grain, [&](std::int64_t begin, std::int64_t end) {
            adamw(factors, end - begin, gradient.data_ptr<float>() + begin,
                  parameter.value.data_ptr<float>() + begin, parameter.average.data_ptr<float>() + begin,
                  parameter.first_moment.data_ptr<float>() + begin,
                  parameter.second_moment.data_ptr<float>() + begin);
        });
        return;
    }
    const torch::Tensor clipped = gradient * factors.clip;
    parameter.first_moment.mul_(factors.beta1).add_(clipped, 1 - factors.beta1);
    parameter.second_moment.mul_(factors.beta2).addcmul_(clipped, clipped, 1 - factors.beta2);
    const torch::Tensor scaled =
        parameter.second_moment.sqrt().div_(factors.second_bias).add_(factors.epsilon);
    parameter.value.mul_(factors.decay)
        .addcdiv_(parameter.first_moment, scaled, -factors.learning_rate / factors.first_bias);
    parameter.average.lerp_(parameter.value, 1 - factors.ema);
}

}  // namespace

double optimizer_step(Parameters& parameters, const OptimizerStep& step, bool fused) {
    const torch::NoGradGuard no_gradients;
    const double norm = gradient_norm(parameters);
    if (std::isfinite(norm)) {
        const auto n = static_cast<double>(parameters.steps++);
        AdamwFactors factors{.learning_rate = static_cast<float>(step.learning_rate),
                             .beta1 = static_cast<float>(step.beta1),
                             .beta2 = static_cast<float>(step.beta2),
                             .epsilon = static_cast<float>(step.epsilon),
                             .clip = static_cast<float>(
                                 step.clip_norm > 0 && norm > step.clip_norm ? step.clip_norm / norm : 1),
                             .first_bias = static_cast<float>(1 - std::pow(step.beta1, n + 1)),
                             .second_bias = static_cast<float>(std::sqrt(1 - std::pow(step.beta2, n + 1))),
                             .ema = static_cast<float>(std::min(step.ema, (1 + n) / (10 + n)))};
        for (Parameter& parameter : parameters.all()) {
            if (!parameter.first_moment.defined()) {
                parameter.first_moment = torch::zeros_like(parameter.average);
                parameter.second_moment = torch::zeros_like(parameter.average);
            }
            if (!parameter.value.grad().defined()) continue;
            factors.decay =
                parameter.decays() ? static_cast<float>(1 - step.learning_rate * step.weight_decay) : 1;
            update(parameter, factors, fused);
        }
    }
    for (Parameter& parameter : parameters.all()) parameter.value.mutable_grad() = torch::Tensor();
    return norm;
}

std::vector<NamedTensor> optimizer_state(const Parameters& parameters) {
    std::vector<NamedTensor> tensors;
    tensors.push_back({steps_name,
                       {2},
                       {static_cast<float>(parameters.steps % steps_base),
                        static_cast<float>(parameters.steps / steps_base)}});
    for (const Parameter& parameter : parameters.all()) {
        if (!parameter.first_moment.defined()) continue;
        tensors.push_back(to_named(first_prefix + parameter.name, parameter.first_moment));
        tensors.push_back(to_named(second_prefix + parameter.name, parameter.second_moment));
    }
    return tensors;
}

void set_optimizer_state(Parameters& parameters, const std::vector<NamedTensor>& tensors,
                         const std::string& name) {
    GivenTensors given(tensors, name);
    const torch::Tensor count = given.take(steps_name, {2});
    const float low = count[0].item<float>(), high = count[1].item<float>();
    const auto whole = [](float value) {
        return value >= 0 && value < steps_base && std::floor(value) == value;
    };
    if (!whole(low) || !whole(high))
        throw InputError(name, fmt::format("'{}' is not a number of steps", steps_name),
                         "resume from another checkpoint");
    const std::int64_t steps = static_cast<std::int64_t>(high) * steps_base + static_cast<std::int64_t>(low);
    std::vector<std::pair<torch::Tensor, torch::Tensor>> moments(parameters.all().size());
    if (steps > 0)
        for (std::size_t i = 0; i < moments.size(); ++i) {
            const Parameter& parameter = parameters.all()[i];
            const torch::Device device = parameter.value.device();
            moments[i].first = given.take(first_prefix + parameter.name, parameter.value.sizes()).to(device);
            moments[i].second =
                given.take(second_prefix + parameter.name, parameter.value.sizes()).to(device);
        }
    given.finish();
    for (std::size_t i = 0; i < moments.size(); ++i) {
        parameters.all()[i].first_moment = moments[i].first;
        parameters.all()[i].second_moment = moments[i].second;
    }
    parameters.steps = steps;
}

}  // namespace tracebench::diffusion
