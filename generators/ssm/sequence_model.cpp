#include "generators/ssm/sequence_model.h"

#include "base/error.h"
#include "base/shared_library.h"

namespace tracebench::ssm {
namespace {

constexpr const char* library_name = "libtracebench_ssm.so";

using Factory = SequenceModel*(const ModelConfig*, const ComputeOptions*, std::uint64_t);

}  // namespace

bool sequence_model_available() {
    return !find_program_library(library_name).empty();
}

std::unique_ptr<SequenceModel> make_sequence_model(const ModelConfig& config, const ComputeOptions& compute,
                                                   std::uint64_t seed) {
    if (!sequence_model_available())
        throw InputError("generator", "'ssm' needs LibTorch, which this build does not have",
                         "build with TRACEBENCH_TORCH=ON, or use another generator");
    static Factory* const factory =
        reinterpret_cast<Factory*>(load_program_symbol(library_name, "tracebench_make_sequence_model"));
    return std::unique_ptr<SequenceModel>(factory(&config, &compute, seed));
}

}  // namespace tracebench::ssm
