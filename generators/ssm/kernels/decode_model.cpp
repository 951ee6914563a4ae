// A model's weights into the padded layout of the decoding kernel.

#include <cmath>
#include <span>

#include "generators/ssm/kernels/decode_context.h"

namespace tracebench::ssm::decode {
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
                 WeightStore& store, int parts) {
    Layer layer{
        .norm = pad(block.norm, 1, layout.d_model, layout.model()),
        .conv_weight = AlignedArray<float>(static_cast<std::size_t>(layout.d_conv * layout.channels())),
        .conv_bias = AlignedArray<float>(static_cast<std::size_t>(layout.channels())),
        .dt_bias = pad(block.dt_bias, 1, layout.heads, padded(layout.heads)),
        .a = pad(block.a_log, 1, layout.heads, padded(layout.heads)),
        .d = pad(block.d, 1, layout.heads, layout.heads),
        .gate_norm = AlignedArray<float>(static_cast<std::size_t>(layout.inner())),
        .in_proj = PackedMatrix(store, layout.projection(), layout.model(), parts,
                                [&](std::int64_t n, std::int64_t k) {
                                    const std::int64_t from = orders.projection[n];
                                    return from < 0 || k >= layout.d_model
                                               ? 0.f
                                               : block.in_proj[from * layout.d_model + k];
                                }),
        .out_proj = PackedMatrix(store, layout.model(), layout.inner(), parts,
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

}  // namespace

Model make_model(const ModelConfig& config, bool bfloat16, int parts, const float* embedding,
                 const std::vector<BlockArrays<const float>>& blocks, const float* final_norm) {
    const Layout layout(config);
    const std::int64_t vocabulary = padded(layout.vocabulary), model = layout.model();
    const auto layers = static_cast<std::int64_t>(blocks.size());
    WeightStore store(
        static_cast<std::size_t>((vocabulary + layers * (layout.projection() + layout.inner())) * model),
        bfloat16);
    const Orders orders(layout);
    std::vector<Layer> packed;
    for (const BlockArrays<const float>& block : blocks)
        packed.push_back(make_layer(layout, orders, block, store, parts));
    PackedMatrix output(store, vocabulary, model, parts, [&](std::int64_t n, std::int64_t k) {
        return n >= layout.vocabulary || k >= layout.d_model ? 0.f : embedding[n * layout.d_model + k];
    });
    return {.layout = layout,
            .weights = std::move(store),
            .embedding = pad(embedding, layout.vocabulary, layout.d_model, model),
            .final_norm = pad(final_norm, 1, layout.d_model, model),
            .output = std::move(output),
            .layers = std::move(packed)};
}

}  // namespace tracebench::ssm::decode
