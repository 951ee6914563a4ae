#include "generators/ssm/model/optimizer.h"

#include <cmath>

#include "generators/ssm/kernels/head.h"
#include "generators/ssm/model/torch.h"

namespace tracebench::ssm {
namespace {

double gradient_norm(const Parameters& parameters, int threads) {
    double squares = 0;
    for (const Parameter& parameter : parameters.all()) {
        const torch::Tensor& gradient = parameter.value.grad();
        squares += threads > 0 ? sum_of_squares(static_cast<std::size_t>(gradient.numel()),
                                                gradient.data_ptr<float>(), threads)
                               : gradient.to(torch::kDouble).square().sum().item<double>();
    }
    return std::sqrt(squares);
}

void update(Parameter& parameter, const AdamW& adamw, float scale) {
    const torch::Tensor gradient = parameter.value.grad() * scale;
    parameter.first_moment.mul_(adamw.beta1).add_(gradient, 1 - adamw.beta1);
    parameter.second_moment.mul_(adamw.beta2).addcmul_(gradient, gradient, 1 - adamw.beta2);
    const double t = static_cast<double>(adamw.t);
    const double first_bias = 1 - std::pow(static_cast<double>(adamw.beta1), t);
    const double second_bias = 1 - std::pow(static_cast<double>(adamw.beta2), t);
    const torch::Tensor scaled =
        parameter.second_moment.sqrt().div_(std::sqrt(second_bias)).add_(adamw.epsilon);
    parameter.value.mul_(1 - static_cast<double>(adamw.learning_rate) * adamw.weight_decay);
    parameter.value.addcdiv_(parameter.first_moment, scaled, -adamw.learning_rate / first_bias);
}

}  // namespace

double adamw_step(Parameters& parameters, const OptimizerStep& step, std::int64_t t, int threads) {
    const torch::NoGradGuard no_gradients;
    const double norm = gradient_norm(parameters, threads);
    if (!std::isfinite(norm)) return norm;
    const bool clipped = step.clip_norm > 0 && norm > step.clip_norm;
    const float scale = clipped ? static_cast<float>(step.clip_norm / norm) : 1.0f;
    for (Parameter& parameter : parameters.all()) {
        if (!parameter.first_moment.defined()) {
            parameter.first_moment = torch::zeros_like(parameter.value, torch::requires_grad(false));
            parameter.second_moment = torch::zeros_like(parameter.value, torch::requires_grad(false));
        }
        const AdamW settings{
            .learning_rate = static_cast<float>(step.learning_rate),
            .beta1 = static_cast<float>(step.beta1),
            .beta2 = static_cast<float>(step.beta2),
            .epsilon = static_cast<float>(step.epsilon),
            .weight_decay = parameter.decays() ? static_cast<float>(step.weight_decay) : 0.0f,
            .t = t};
        if (threads > 0)
            adamw(settings, static_cast<std::size_t>(parameter.value.numel()),
                  parameter.value.data_ptr<float>(), parameter.value.grad().data_ptr<float>(), scale,
                  parameter.first_moment.data_ptr<float>(), parameter.second_moment.data_ptr<float>(),
                  threads);
        else
            update(parameter, settings, scale);
    }
    return norm;
}

}  // namespace tracebench::ssm
