#include "generators/ssm/kernels/decode.h"

#include <omp.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "generators/ssm/kernels/decode_context.h"

namespace tracebench::ssm {
namespace decode {
namespace {

/// [size] to [padded], and [outer, size] to [outer, padded].
AlignedArray<float> pad(const float* from, std::int64_t outer, std::int64_t size, std::int64_t to) {
    AlignedArray<float> result(static_cast<std::size_t>(outer * to));
    for (std::int64_t i = 0; i < outer; ++i) std::copy_n(from + i * size, size, result.data() + i * to);
    return result;
}

/// Where a value of the padded layout comes from; -1: padding.
class Order {
  public:
    void add(std::int64_t blocks, std::int64_t size, std::int64_t to) {
        for (std::int64_t i = 0; i < blocks; ++i) {
            for (std::int64_t j = 0; j < to; ++j) source_.push_back(j < size ? next_ + j : -1);
            next_ += size;
        }
    }
    std::int64_t operator[](std::int64_t i) const { return source_[static_cast<std::size_t>(i)]; }

  private:
    std::vector<std::int64_t> source_;
    std::int64_t next_ = 0;
};

struct Orders {
    explicit Orders(const Layout& layout) {
        inner.add(layout.heads, layout.headdim, layout.head());
        channels.add(layout.heads, layout.headdim, layout.head());
        channels.add(2 * layout.groups, layout.d_state, layout.state());
        projection.add(2 * layout.heads, layout.headdim, layout.head());
        projection.add(2 * layout.groups, layout.d_state, layout.state());
        projection.add(1, layout.heads, padded(layout.heads));
    }
    Order inner, channels, projection;
};

Layer make_layer(const Layout& layout, const Orders& orders, const BlockArrays<const float>& block,
                 bool bfloat16, int parts) {
    Layer layer{
        .norm = pad(block.norm, 1, layout.d_model, layout.model()),
        .conv_weight = AlignedArray<float>(static_cast<std::size_t>(layout.d_conv * layout.channels())),
        .conv_bias = AlignedArray<float>(static_cast<std::size_t>(layout.channels())),
        .dt_bias = pad(block.dt_bias, 1, layout.heads, layout.heads),
        .a = pad(block.a_log, 1, layout.heads, layout.heads),
        .d = pad(block.d, 1, layout.heads, layout.heads),
        .gate_norm = AlignedArray<float>(static_cast<std::size_t>(layout.inner())),
        .in_proj = PackedMatrix(layout.projection(), layout.model(), bfloat16, parts,
                                [&](std::int64_t n, std::int64_t k) {
                                    const std::int64_t from = orders.projection[n];
                                    return from < 0 || k >= layout.d_model
                                               ? 0.f
                                               : block.in_proj[from * layout.d_model + k];
                                }),
        .out_proj = PackedMatrix(layout.model(), layout.inner(), bfloat16, parts,
                                 [&](std::int64_t n, std::int64_t k) {
                                     const std::int64_t from = orders.inner[k];
                                     return from < 0 || n >= layout.d_model
                                                ? 0.f
                                                : block.out_proj[n * layout.heads * layout.headdim + from];
                                 }),
    };
    for (float& a : std::span(layer.a.data(), layer.a.size())) a = -std::exp(a);
    for (std::int64_t c = 0; c < layout.channels(); ++c) {
        const std::int64_t from = orders.channels[c];
        if (from < 0) continue;
        layer.conv_bias[static_cast<std::size_t>(c)] = block.conv_bias[from];
        for (std::int64_t k = 0; k < layout.d_conv; ++k)
            layer.conv_weight[static_cast<std::size_t>(k * layout.channels() + c)] =
                block.conv_weight[from * layout.d_conv + k];
    }
    for (std::int64_t i = 0; i < layout.inner(); ++i)
        if (orders.inner[i] >= 0)
            layer.gate_norm[static_cast<std::size_t>(i)] = block.gate_norm[orders.inner[i]];
    return layer;
}

Model make_model(const ModelConfig& config, bool bfloat16, int parts, const float* embedding,
                 const std::vector<BlockArrays<const float>>& blocks, const float* final_norm) {
    const Layout layout(config);
    Model model{.layout = layout,
                .bfloat16 = bfloat16,
                .embedding = pad(embedding, layout.vocabulary, layout.d_model, layout.model()),
                .final_norm = pad(final_norm, 1, layout.d_model, layout.model()),
                .output = PackedMatrix(padded(layout.vocabulary), layout.model(), bfloat16, parts,
                                       [&](std::int64_t n, std::int64_t k) {
                                           return n >= layout.vocabulary || k >= layout.d_model
                                                      ? 0.f
                                                      : embedding[n * layout.d_model + k];
                                       }),
                .layers = {}};
    const Orders orders(layout);
    for (const BlockArrays<const float>& block : blocks)
        model.layers.push_back(make_layer(layout, orders, block, bfloat16, parts));
    return model;
}

Context make_context(Model model, std::int64_t rows, int parts) {
    const Layout layout = model.layout;
    State state(layout, static_cast<std::int64_t>(model.layers.size()), rows, model.bfloat16);
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
    return {std::move(model), std::move(state), std::move(step), std::move(scratch), {}, parts};
}

Pass choose_pass(DecodeProcessor processor) {
#if defined(__x86_64__)
    const bool any = processor == DecodeProcessor::this_one;
    if ((any || processor == DecodeProcessor::avx512) && __builtin_cpu_supports("avx512f") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl"))
        return avx512::pass;
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
};

DecodeKernel::DecodeKernel(const ModelConfig& config, const DecodeKernelOptions& options,
                           const float* embedding, const std::vector<BlockArrays<const float>>& blocks,
                           const float* final_norm, std::int64_t rows) {
    const int parts = std::max(options.threads, 1);
    impl_.reset(new Impl{
        decode::make_context(
            decode::make_model(config, options.bfloat16, parts, embedding, blocks, final_norm), rows, parts),
        decode::choose_pass(options.processor)});
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
    if (context.parts == 1) {
        impl_->pass(context, 0, 1);
    } else {
#pragma omp parallel num_threads(context.parts)
        impl_->pass(context, omp_get_thread_num(), omp_get_num_threads());
    }
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
    const std::int64_t size = model.bfloat16 ? 2 : 4;
    const auto layers = static_cast<std::int64_t>(model.layers.size());
    return layers * (matrices * size + vectors * 4) + layout.vocabulary * layout.d_model * size +
           layout.d_model * 4;
}

}  // namespace tracebench::ssm
