#include "generators/ssm/kernels/decode.h"

#include <omp.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>

#include "generators/ssm/kernels/decode_context.h"
#include "generators/ssm/kernels/decode_team.h"

namespace tracebench::ssm {
namespace decode {
namespace {

Context make_context(Model model, bool half_states, std::int64_t rows, int parts) {
    const Layout layout = model.layout;
    State state(layout, static_cast<std::int64_t>(model.layers.size()), rows, half_states);
    const auto array = [&](std::int64_t width) {
        return AlignedArray<float>(static_cast<std::size_t>(rows * width));
    };
    Step step{.rows = {},
              .embedded = {},
              .logits = {},
              .projection = array(layout.projection()),
              .gated = array(layout.inner()),
              .residual = array(layout.model())};
    std::vector<Scratch> scratch;
    for (int p = 0; p < parts; ++p) scratch.emplace_back(layout, rows);
    return {std::move(model),   std::move(state),   std::move(step),
            std::move(scratch), SpinBarrier(parts), parts};
}

Pass choose_pass(DecodeProcessor processor, bool use_tiles) {
#if defined(__x86_64__)
    const bool any = processor == DecodeProcessor::this_one;
    if ((any || processor == DecodeProcessor::avx512) && __builtin_cpu_supports("avx512f") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl")) {
        const bool tiles = any && use_tiles && __builtin_cpu_supports("amx-tile") &&
                           __builtin_cpu_supports("amx-bf16") && amx::allowed();
        return tiles ? amx::pass : avx512::pass;
    }
    if (processor != DecodeProcessor::portable && __builtin_cpu_supports("avx2") &&
        __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c"))
        return avx2::pass;
#endif
    return portable::pass;
}

}  // namespace
}  // namespace decode

struct DecodeKernel::Impl {
    decode::Context context;
    decode::Pass pass;
    decode::TeamChooser chooser;
};

DecodeKernel::DecodeKernel(const ModelConfig& config, const DecodeKernelOptions& options,
                           const float* embedding, const std::vector<BlockArrays<const float>>& blocks,
                           const float* final_norm, std::int64_t rows) {
    const int parts = std::max(options.threads, 1);
    // One sequence alone waits for memory only, and vectors wait less.
    const bool use_tiles = options.bfloat16 && rows > 1;
    impl_.reset(new Impl{decode::make_context(decode::make_model(config, options.bfloat16, parts, embedding,
                                                                 blocks, final_norm),
                                              options.bfloat16 || options.half_states, rows, parts),
                         decode::choose_pass(options.processor, use_tiles), decode::TeamChooser(parts)});
}

DecodeKernel::~DecodeKernel() = default;

void DecodeKernel::step(std::span<const std::int32_t> tokens, std::span<float> logits) {
    decode::Context& context = impl_->context;
    const decode::Layout& layout = context.model.layout;
    const std::size_t rows = context.state.count.size();
    const auto vocabulary = static_cast<std::size_t>(layout.vocabulary);
    if (tokens.size() != rows || logits.size() != rows * vocabulary)
        throw std::invalid_argument("DecodeKernel::step: not one token and one row of logits for each row");
    if (std::ranges::any_of(tokens, [&](std::int32_t token) { return token >= layout.vocabulary; }))
        throw std::invalid_argument("DecodeKernel::step: a token outside the vocabulary");

    decode::Step& step = context.step;
    step.rows.clear();
    step.embedded.clear();
    step.logits.clear();
    for (std::size_t row = 0; row < rows; ++row) {
        if (tokens[row] < 0) continue;
        step.rows.push_back(static_cast<std::int64_t>(row));
        step.embedded.push_back(context.model.embedding.data() + tokens[row] * layout.model());
        step.logits.push_back(logits.data() + row * vocabulary);
    }
    if (step.rows.empty()) return;
    const int team = impl_->chooser.team();
    const auto start = std::chrono::steady_clock::now();
    if (team == 1) {
        impl_->pass(context, 0, 1);
    } else {
        context.barrier.reset();
#pragma omp parallel num_threads(team)
        impl_->pass(context, omp_get_thread_num(), omp_get_num_threads());
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    impl_->chooser.report(took.count(), static_cast<double>(step.rows.size()));
    for (const std::int64_t row : step.rows) ++context.state.count[static_cast<std::size_t>(row)];
}

void DecodeKernel::reset(std::int64_t row) {
    impl_->context.state.count.at(static_cast<std::size_t>(row)) = 0;
}

std::int64_t DecodeKernel::weight_bytes() const {
    const decode::Model& model = impl_->context.model;
    const decode::Layout& layout = model.layout;
    const std::int64_t inner = layout.heads * layout.headdim, shared = 2 * layout.groups * layout.d_state;
    const std::int64_t matrices =
        (2 * inner + shared + layout.heads) * layout.d_model + layout.d_model * inner;
    const std::int64_t vectors =
        layout.d_model + (layout.d_conv + 1) * (inner + shared) + 3 * layout.heads + inner;
    const std::int64_t size = model.weights.bfloat16 ? 2 : 4;
    const auto layers = static_cast<std::int64_t>(model.layers.size());
    return layers * (matrices * size + vectors * 4) + layout.vocabulary * layout.d_model * size +
           layout.d_model * 4;
}

}  // namespace tracebench::ssm
