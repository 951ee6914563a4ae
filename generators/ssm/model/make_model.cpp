/// What is looked for in this library by its name (sequence_model.cpp, compute_measurement.cpp).

#include <fmt/format.h>

#include "base/error.h"
#include "base/parallel.h"
#include "generators/ssm/kernels/matmul.h"
#include "generators/ssm/model/torch_model.h"

namespace tracebench::ssm {
namespace {

/// The fastest of 32 to 256 on two cores with AVX-512; `doctor` says what is on another machine.
constexpr std::int64_t default_chunk = 64;
constexpr std::int64_t longest_chunk = 4096;

ComputeOptions resolved(ComputeOptions compute) {
    const InputError unknown("device", fmt::format("'{}' is not there", compute.device),
                             "use 'cpu', or a device that this build of LibTorch has");
    try {
        const torch::Device device(compute.device);
        torch::zeros(1, device);
        if (compute.backend == Backend::fused && !device.is_cpu())
            throw InputError("device", fmt::format("the fused kernels do not run on '{}'", compute.device),
                             "use the plain backend there");
    } catch (const c10::Error&) {
        throw unknown;
    }
    if (compute.threads < 0 || compute.threads > 1024)
        throw InputError("threads", fmt::format("is {}", compute.threads),
                         "use 1 to 1024, or 0 for all processors");
    if (compute.chunk < 0 || compute.chunk > longest_chunk)
        throw InputError("chunk", fmt::format("is {}", compute.chunk),
                         fmt::format("use 1 to {} tokens, or 0 for the default", longest_chunk));
    if (compute.threads == 0) compute.threads = static_cast<int>(usable_cores());
    if (compute.chunk == 0) compute.chunk = default_chunk;
    return compute;
}

}  // namespace
}  // namespace tracebench::ssm

/// The caller owns the result. Throws InputError.
extern "C" tracebench::ssm::SequenceModel* tracebench_make_sequence_model(
    const tracebench::ssm::ModelConfig* config, const tracebench::ssm::ComputeOptions* compute,
    std::uint64_t seed) {
    using namespace tracebench::ssm;
    const ComputeOptions options = resolved(*compute);
    return with_torch(options.threads, [&] {
        return (options.backend == Backend::fused ? make_fused_model(*config, options, seed)
                                                  : make_plain_model(*config, options, seed))
            .release();
    });
}

extern "C" void tracebench_measure_products(bool on) {
    tracebench::ssm::measure_matmul(on);
}
extern "C" double tracebench_product_seconds() {
    return tracebench::ssm::matmul_seconds();
}
extern "C" bool tracebench_bfloat16_products() {
    return tracebench::ssm::bfloat16_available();
}
