#include "generators/diffusion/model/optimizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace tracebench::diffusion {
namespace {

constexpr const char* steps_name = "optimizer.steps";
constexpr const char* first_prefix = "optimizer.first.";
constexpr const char* second_prefix = "optimizer.second.";
/// A step count is stored as two floats below this, so that each is exact.
constexpr std::int64_t steps_base = 1 << 20;

double gradient_norm(const Parameters& parameters) {
    double squares = 0;
    for (const Parameter& parameter : parameters.all())
        if (parameter.value.grad().defined())
            squares += parameter.value.grad().square().sum(torch::kDouble).item<double>();
    return std::sqrt(squares);
}

void update(Parameter& parameter, const OptimizerStep& step, double clip, double t, double ema) {
    torch::Tensor gradient = parameter.value.grad();
    if (clip != 1) gradient.mul_(clip);
    parameter.first_moment.mul_(step.beta1).add_(gradient, 1 - step.beta1);
    parameter.second_moment.mul_(step.beta2).addcmul_(gradient, gradient, 1 - step.beta2);
    const torch::Tensor scaled =
        parameter.second_moment.sqrt().div_(std::sqrt(1 - std::pow(step.beta2, t))).add_(step.epsilon);
    if (parameter.decays()) parameter.value.mul_(1 - step.learning_rate * step.weight_decay);
    parameter.value.addcdiv_(parameter.first_moment, scaled,
                             -step.learning_rate / (1 - std::pow(step.beta1, t)));
    parameter.average.lerp_(parameter.value, 1 - ema);
}

}  // namespace

double optimizer_step(Parameters& parameters, const OptimizerStep& step) {
    const torch::NoGradGuard no_gradients;
    const double norm = gradient_norm(parameters);
    if (std::isfinite(norm)) {
        const double clip = step.clip_norm > 0 && norm > step.clip_norm ? step.clip_norm / norm : 1;
        const auto n = static_cast<double>(parameters.steps++);
        const double ema = std::min(step.ema, (1 + n) / (10 + n));
        for (Parameter& parameter : parameters.all()) {
            if (!parameter.first_moment.defined()) {
                parameter.first_moment = torch::zeros_like(parameter.average);
                parameter.second_moment = torch::zeros_like(parameter.average);
            }
            if (parameter.value.grad().defined()) update(parameter, step, clip, n + 1, ema);
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
