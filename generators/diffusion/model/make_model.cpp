/// What is looked for in this library by its name (diffusion_model.cpp).

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/parallel.h"
#include "generators/diffusion/model/torch_diffusion_model.h"

namespace tracebench::diffusion {
namespace {

ComputeOptions resolved(ComputeOptions compute) {
    try {
        torch::zeros(1, torch::Device(compute.device));
    } catch (const c10::Error&) {
        throw InputError("device", fmt::format("'{}' is not there", compute.device),
                         "use 'cpu', or a device that this build of LibTorch has");
    }
    if (compute.threads < 0 || compute.threads > 1024)
        throw InputError("threads", fmt::format("is {}", compute.threads),
                         "use 1 to 1024, or 0 for all processors");
    if (compute.threads == 0) compute.threads = static_cast<int>(usable_cores());
    return compute;
}

DiffusionModel* make(const ModelConfig& config, const ComputeOptions& compute, bool fused,
                     std::uint64_t seed) {
    // The same limits for a config made by us as for one from a file.
    ModelConfig::from_json(config.to_json(), "the diffusion model's config");
    const ComputeOptions options = resolved(compute);
    use_threads(options.threads);
    const Operations operations{options.precision == Precision::bfloat16, fused};
    try {
        return std::make_unique<TorchDiffusionModel>(config, options, operations, seed).release();
    } catch (const c10::Error& error) {
        rethrow(error);
    }
}

}  // namespace
}  // namespace tracebench::diffusion

/// The caller owns the result. Throws InputError.
extern "C" tracebench::diffusion::DiffusionModel* tracebench_make_diffusion_model(
    const tracebench::diffusion::ModelConfig* config, const tracebench::diffusion::ComputeOptions* compute,
    std::uint64_t seed) {
    return tracebench::diffusion::make(*config, *compute, true, seed);
}

/// The same network in LibTorch's operations only, to measure and to test by.
extern "C" tracebench::diffusion::DiffusionModel* tracebench_make_plain_diffusion_model(
    const tracebench::diffusion::ModelConfig* config, const tracebench::diffusion::ComputeOptions* compute,
    std::uint64_t seed) {
    return tracebench::diffusion::make(*config, *compute, false, seed);
}
