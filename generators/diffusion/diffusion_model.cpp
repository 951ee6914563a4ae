#include "generators/diffusion/diffusion_model.h"

#include "base/error.h"
#include "base/shared_library.h"

namespace tracebench::diffusion {
namespace {

constexpr const char* library = "libtracebench_diffusion.so";
using Factory = DiffusionModel*(const ModelConfig*, const ComputeOptions*, std::uint64_t);

}  // namespace

bool diffusion_model_available() {
    return !find_program_library(library).empty();
}

std::unique_ptr<DiffusionModel> make_diffusion_model(const ModelConfig& config, const ComputeOptions& compute,
                                                     std::uint64_t seed) {
    if (!diffusion_model_available())
        throw InputError("generator", "'diffusion' needs LibTorch, which this build does not have",
                         "build with TRACEBENCH_TORCH=ON, or use another generator");
    static Factory* const factory =
        reinterpret_cast<Factory*>(load_program_symbol(library, "tracebench_make_diffusion_model"));
    return std::unique_ptr<DiffusionModel>(factory(&config, &compute, seed));
}

}  // namespace tracebench::diffusion
