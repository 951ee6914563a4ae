#include "generators/diffusion/model/torch_diffusion_model.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <stdexcept>

#include "base/error.h"
#include "base/random.h"

namespace tracebench::diffusion {
namespace {

constexpr const char* averaged_prefix = "averaged.";

std::vector<NamedTensor> both(const Parameters& parameters) {
    std::vector<NamedTensor> tensors = parameters.values();
    for (NamedTensor& tensor : parameters.averages(averaged_prefix)) tensors.push_back(std::move(tensor));
    return tensors;
}

std::vector<torch::Tensor> take(GivenTensors& given, const Parameters& parameters,
                                const std::string& prefix) {
    std::vector<torch::Tensor> taken;
    for (const Parameter& parameter : parameters.all())
        taken.push_back(given.take(prefix + parameter.name, parameter.value.sizes()));
    return taken;
}

void set(Parameters& parameters, const std::vector<torch::Tensor>* values,
         const std::vector<torch::Tensor>* averages) {
    const torch::NoGradGuard no_gradients;
    for (std::size_t i = 0; i < parameters.all().size(); ++i) {
        if (values != nullptr) parameters.all()[i].value.copy_((*values)[i]);
        if (averages != nullptr) parameters.all()[i].average.copy_((*averages)[i]);
    }
}

/// All or nothing, values and averages.
void set_both(Parameters& parameters, GivenTensors& given) {
    const auto values = take(given, parameters, ""), averages = take(given, parameters, averaged_prefix);
    given.finish();
    set(parameters, &values, &averages);
}

}  // namespace

void use_threads(int threads) {
    if (at::get_num_threads() != threads) at::set_num_threads(threads);
}

void rethrow(const c10::Error& error) {
    const std::string text = error.what_without_backtrace();
    const std::string line = text.substr(0, text.find('\n'));
    if (line.find("not enough memory") != std::string::npos ||
        line.find("out of memory") != std::string::npos)
        throw InputError("memory", line, "use fewer rows at once or a smaller model");
    throw std::runtime_error(fmt::format("LibTorch: {}", line));
}

torch::Tensor normal_numbers(torch::IntArrayRef shape, std::uint64_t seed) {
    return at::randn(shape, at::make_generator<at::CPUGeneratorImpl>(seed), torch::kFloat);
}

TorchDiffusionModel::TorchDiffusionModel(const ModelConfig& config, const ComputeOptions& compute,
                                         const Operations& operations, std::uint64_t seed)
    : config_(config),
      compute_(compute),
      operations_(operations),
      device_(compute.device),
      rows_(config),
      network_(config, operations),
      autoencoder_(autoencoder_layout(config), device_, stream_seed(seed, "autoencoder")),
      denoiser_(denoiser_layout(config), device_, stream_seed(seed, "denoiser")),
      latent_mean_(torch::zeros(config.latent, device_)),
      latent_scale_(torch::ones(config.latent, device_)) {}

void TorchDiffusionModel::add_control() {
    with_torch([&] {
        const torch::NoGradGuard no_gradients;
        Parameters control(control_layout(config_), device_, 0);
        const std::string prefix = "control.";
        for (Parameter& copy : control.all())
            for (const Parameter& parameter : denoiser_.all())
                if (copy.name == prefix + parameter.name) {
                    copy.value.copy_(parameter.average);
                    copy.average.copy_(parameter.average);
                }
        for (Parameter& parameter : denoiser_.all()) parameter.value.copy_(parameter.average);
        control_ = std::move(control);
    });
}

void TorchDiffusionModel::add_adapter(const AdapterConfig& config, std::uint64_t seed) {
    check(config);
    with_torch([&] { adapter_ = make_adapter(config_, config, denoiser_, seed); });
}

void TorchDiffusionModel::set_adapter(const AdapterConfig& config, const std::vector<NamedTensor>& tensors,
                                      const std::string& name) {
    check(config);
    with_torch([&] {
        Adapter adapter = make_adapter(config_, config, denoiser_, 0);
        GivenTensors given(tensors, name);
        set_both(adapter.parameters, given);
        adapter_ = std::move(adapter);
    });
}

std::optional<AdapterConfig> TorchDiffusionModel::adapter() const {
    return adapter_ ? std::optional(adapter_->config) : std::nullopt;
}

void TorchDiffusionModel::merge_adapter() {
    if (!adapter_) throw std::invalid_argument("there is no adapter to merge");
    with_torch([&] {
        const torch::NoGradGuard no_gradients;
        Weights merged;
        add_adapted(merged, denoiser_, *adapter_, true);
        for (Parameter& parameter : denoiser_.all()) {
            parameter.average = merged[parameter.name].clone();
            parameter.value = parameter.average.clone();
            parameter.value.requires_grad_();
            parameter.first_moment = parameter.second_moment = torch::Tensor();
        }
        denoiser_.steps = 0;
        config_.classes += adapter_->config.new_classes;
        adapter_.reset();
    });
}

std::vector<NamedTensor> TorchDiffusionModel::parameters(Part part) const {
    return with_torch([&]() -> std::vector<NamedTensor> {
        switch (part) {
            case Part::autoencoder: {
                std::vector<NamedTensor> tensors = both(autoencoder_);
                tensors.push_back(to_named("latent.mean", latent_mean_));
                tensors.push_back(to_named("latent.scale", latent_scale_));
                return tensors;
            }
            case Part::denoiser:
                return denoiser_.values();
            case Part::averaged:
                return denoiser_.averages();
            case Part::control:
                return both(stage_parameters(Stage::control));
            case Part::adapter:
                return both(stage_parameters(Stage::adapter));
        }
        return {};
    });
}

void TorchDiffusionModel::set_parameters(Part part, const std::vector<NamedTensor>& tensors,
                                         const std::string& name) {
    with_torch([&] {
        GivenTensors given(tensors, name);
        switch (part) {
            case Part::autoencoder: {
                const torch::Tensor mean = given.take("latent.mean", latent_mean_.sizes());
                const torch::Tensor scale = given.take("latent.scale", latent_scale_.sizes());
                if (!scale.gt(0).all().item<bool>())
                    throw InputError(name, "'latent.scale' has a value that is not above 0",
                                     "use an undamaged copy");
                set_both(autoencoder_, given);
                latent_mean_ = mean.to(device_);
                latent_scale_ = scale.to(device_);
                return;
            }
            case Part::denoiser: {
                const auto values = take(given, denoiser_, "");
                given.finish();
                set(denoiser_, &values, &values);
                return;
            }
            case Part::averaged: {
                const auto averages = take(given, denoiser_, "");
                given.finish();
                set(denoiser_, nullptr, &averages);
                return;
            }
            case Part::control: {
                Parameters control(control_layout(config_), device_, 0);
                set_both(control, given);
                control_ = std::move(control);
                return;
            }
            case Part::adapter:
                set_both(stage_parameters(Stage::adapter), given);
                return;
        }
    });
}

std::vector<NamedTensor> TorchDiffusionModel::training_state(Stage stage) const {
    return with_torch([&] { return optimizer_state(stage_parameters(stage)); });
}

void TorchDiffusionModel::set_training_state(Stage stage, const std::vector<NamedTensor>& tensors,
                                             const std::string& name) {
    with_torch([&] { set_optimizer_state(stage_parameters(stage), tensors, name); });
}

}  // namespace tracebench::diffusion
