#include "generators/ssm/sequence_model.h"

#include "base/error.h"
#include "base/shared_library.h"
#include "generators/ssm/model_library.h"

namespace tracebench::ssm {
namespace {

using Factory = SequenceModel*(const ModelConfig*, const ComputeOptions*, std::uint64_t);

}  // namespace

bool sequence_model_available() {
    return !find_program_library(model_library).empty();
}

std::unique_ptr<SequenceModel> make_sequence_model(const ModelConfig& config, const ComputeOptions& compute,
                                                   std::uint64_t seed) {
    if (!sequence_model_available())
        throw InputError("generator", "'ssm' needs LibTorch, which this build does not have",
                         "build with TRACEBENCH_TORCH=ON, or use another generator");
    static Factory* const factory =
        reinterpret_cast<Factory*>(load_program_symbol(model_library, "tracebench_make_sequence_model"));
    return std::unique_ptr<SequenceModel>(factory(&config, &compute, seed));
}

}  // namespace tracebench::ssm
