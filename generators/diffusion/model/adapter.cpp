#include "generators/diffusion/model/adapter.h"

namespace tracebench::diffusion {

Adapter make_adapter(const ModelConfig& model, const AdapterConfig& config, Parameters& denoiser,
                     std::uint64_t seed) {
    const torch::NoGradGuard no_gradients;
    const torch::Tensor classes = denoiser["class.weight"].average;
    Adapter adapter{
        config, Parameters(adapter_layout(model, config.rank, config.new_classes), classes.device(), seed)};
    if (config.new_classes > 0) {
        const torch::Tensor mean = classes.narrow(0, 0, model.classes).mean(0, true);
        Parameter& added = adapter.parameters["class.new"];
        added.value.copy_(mean.expand_as(added.value));
        added.average.copy_(added.value);
    }
    return adapter;
}

void add_adapted(Weights& weights, const Parameters& denoiser, const Adapter& adapter, bool averages) {
    Weights factors;
    averages ? adapter.parameters.add_averages(factors) : adapter.parameters.add_values(factors);
    denoiser.add_averages(weights);
    const double scale = adapter.config.alpha / static_cast<double>(adapter.config.rank);
    for (const Parameter& parameter : denoiser.all()) {
        const torch::Tensor& base = parameter.average;
        if (is_adapted({parameter.name, base.sizes().vec(), {}})) {
            const torch::Tensor product =
                at::matmul(factors[parameter.name + ".b"], factors[parameter.name + ".a"]);
            weights.add(parameter.name, base + scale * product.view(base.sizes()));
        } else if (parameter.name == "class.weight" && adapter.config.new_classes > 0) {
            const std::int64_t classes = base.size(0) - 1;
            weights.add(parameter.name, torch::cat({base.narrow(0, 0, classes), factors["class.new"],
                                                    base.narrow(0, classes, 1)}));
        }
    }
}

}  // namespace tracebench::diffusion
