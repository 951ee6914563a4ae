#include "generators/diffusion/network_layout.h"

#include <fmt/format.h>

#include <algorithm>

namespace tracebench::diffusion {
namespace {

constexpr std::int64_t multiple = 16;

class Layout {
  public:
    void affine(const std::string& name, std::int64_t out, std::int64_t in,
                Initial initial = Initial::uniform) {
        add(name + ".weight", {out, in}, initial);
        add(name + ".bias", {out}, Initial::zeros);
    }
    void convolution(const std::string& name, std::int64_t out, std::int64_t in,
                     Initial initial = Initial::uniform) {
        add(name + ".weight", {out, in, kConvolutionWidth}, initial);
        add(name + ".bias", {out}, Initial::zeros);
    }
    void norm(const std::string& name, std::int64_t channels) {
        add(name + ".scale", {channels}, Initial::zeros);
        add(name + ".shift", {channels}, Initial::zeros);
    }
    /// Its second convolution begins at zero: a block that adds nothing yet.
    void block(const std::string& name, std::int64_t in, std::int64_t out, std::int64_t embedding) {
        norm(name + ".norm", in);
        convolution(name + ".conv1", out, in);
        affine(name + ".film", 2 * out, embedding, Initial::zeros);
        convolution(name + ".conv2", out, out, Initial::zeros);
        if (in != out) affine(name + ".skip", out, in);
    }
    void add(std::string name, std::vector<std::int64_t> shape, Initial initial) {
        tensors.push_back({std::move(name), std::move(shape), initial});
    }

    std::vector<TensorLayout> tensors;
};

/// What the control branch copies.
void encoder(Layout& layout, const ModelConfig& config, const std::string& prefix) {
    layout.convolution(prefix + "in", config.channels, config.latent + kPositionFeatures);
    for (std::int64_t level = 0; level < config.levels; ++level) {
        const std::int64_t channels = level_channels(config, level);
        for (std::int64_t k = 0; k < config.blocks; ++k)
            layout.block(fmt::format("{}down.{}.{}", prefix, level, k), channels, channels, config.embedding);
        if (level + 1 < config.levels)
            layout.affine(fmt::format("{}down.{}.pool", prefix, level), level_channels(config, level + 1),
                          kPool * channels);
    }
    const std::int64_t channels = level_channels(config, config.levels - 1);
    layout.block(prefix + "mid.0", channels, channels, config.embedding);
    layout.norm(prefix + "mid.attention.norm", channels);
    layout.affine(prefix + "mid.attention.qkv", 3 * channels, channels);
    layout.affine(prefix + "mid.attention.out", channels, channels, Initial::zeros);
    layout.block(prefix + "mid.1", channels, channels, config.embedding);
}

}  // namespace

std::int64_t TensorLayout::size() const {
    std::int64_t product = 1;
    for (const std::int64_t extent : shape) product *= extent;
    return product;
}

std::int64_t TensorLayout::inputs() const {
    return size() / std::max<std::int64_t>(shape.front(), 1);
}

std::int64_t encoder_inputs(const ModelConfig& config) {
    return (2 * config.learned_columns() + multiple - 1) / multiple * multiple;
}

std::int64_t level_channels(const ModelConfig& config, std::int64_t level) {
    return config.channels << level;
}

std::vector<TensorLayout> autoencoder_layout(const ModelConfig& config) {
    Layout layout;
    // The last channel of the latent is the gap itself.
    const std::int64_t bits = config.latent - 1, width = config.encoder_width;
    layout.affine("encoder.in", width, encoder_inputs(config));
    layout.affine("encoder.hidden", width, width);
    layout.affine("encoder.out", bits, width);
    layout.affine("decoder.in", width, bits);
    layout.affine("decoder.hidden", width, width);
    layout.affine("decoder.out", 2 * config.learned_columns(), width);
    return std::move(layout.tensors);
}

std::vector<TensorLayout> denoiser_layout(const ModelConfig& config) {
    Layout layout;
    layout.affine("time.0", config.embedding, kTimeFeatures);
    layout.affine("time.1", config.embedding, config.embedding);
    layout.add("class.weight", {config.classes + 1, config.embedding}, Initial::normal);
    encoder(layout, config, "");
    for (std::int64_t level = config.levels - 1; level >= 0; --level) {
        const std::int64_t channels = level_channels(config, level);
        if (level + 1 < config.levels)
            layout.affine(fmt::format("up.{}.expand", level), kPool * channels,
                          level_channels(config, level + 1));
        for (std::int64_t k = 0; k < config.blocks; ++k)
            layout.block(fmt::format("up.{}.{}", level, k), 2 * channels, channels, config.embedding);
    }
    layout.norm("out.norm", config.channels);
    layout.convolution("out", config.latent, config.channels, Initial::zeros);
    return std::move(layout.tensors);
}

std::vector<TensorLayout> control_layout(const ModelConfig& config) {
    Layout layout;
    layout.affine("control.hint.0", config.channels, config.control);
    layout.convolution("control.hint.1", config.channels, config.channels, Initial::zeros);
    encoder(layout, config, "control.");
    for (std::int64_t level = 0; level < config.levels; ++level) {
        const std::int64_t channels = level_channels(config, level);
        for (std::int64_t k = 0; k < config.blocks; ++k)
            layout.affine(fmt::format("control.zero.{}.{}", level, k), channels, channels, Initial::zeros);
    }
    const std::int64_t channels = level_channels(config, config.levels - 1);
    layout.affine("control.zero.mid", channels, channels, Initial::zeros);
    return std::move(layout.tensors);
}

bool is_adapted(const TensorLayout& tensor) {
    return tensor.shape.size() > 1 && tensor.name != "class.weight";
}

std::vector<TensorLayout> adapter_layout(const ModelConfig& config, std::int64_t rank,
                                         std::int64_t new_classes) {
    Layout layout;
    for (const TensorLayout& tensor : denoiser_layout(config)) {
        if (!is_adapted(tensor)) continue;
        layout.add(tensor.name + ".a", {rank, tensor.inputs()}, Initial::uniform);
        layout.add(tensor.name + ".b", {tensor.shape.front(), rank}, Initial::zeros);
    }
    if (new_classes > 0) layout.add("class.new", {new_classes, config.embedding}, Initial::zeros);
    return std::move(layout.tensors);
}

}  // namespace tracebench::diffusion
