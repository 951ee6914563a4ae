#include "base/error.h"
#include "generators/weights/weight_file.h"

namespace tracebench {

std::vector<NamedTensor> read_weights(const std::filesystem::path& folder) {
    const auto safetensors = folder / "model.safetensors", pytorch = folder / "pytorch_model.bin";
    std::error_code unreadable;
    if (std::filesystem::exists(safetensors, unreadable)) return read_safetensors(safetensors);
    if (std::filesystem::exists(pytorch, unreadable)) return read_pytorch_bin(pytorch);
    throw InputError(folder.string(), "holds neither model.safetensors nor pytorch_model.bin",
                     "name a folder with the weights of a model");
}

}  // namespace tracebench
