#include "generators/diffusion/model/autoencoder.h"

#include <algorithm>

namespace tracebench::diffusion {
namespace {

/// A product of [rows, in] with [out, in], as a convolution: oneDNN's is faster than the BLAS that is there.
torch::Tensor affine(const Weights& weights, const std::string& name, const torch::Tensor& x,
                     const Operations& operations) {
    return convolve(x.unsqueeze(0), weights[name + ".weight"], weights[name + ".bias"], operations)
        .squeeze(0);
}

/// Two hidden layers, the second beside a shortcut.
torch::Tensor hidden(const Weights& weights, const std::string& name, const torch::Tensor& x,
                     const Operations& operations) {
    const torch::Tensor first = at::silu(affine(weights, name + ".in", x, operations));
    return first + at::silu(affine(weights, name + ".hidden", first, operations));
}

}  // namespace

Autoencoder::Autoencoder(const ModelConfig& config) : config_(config) {
    for (std::size_t i = 0; i < config.fixed.size(); ++i)
        if (config.fixed[i] == kVaries) learned_.push_back(static_cast<std::int64_t>(i));
}

torch::Tensor Autoencoder::inputs(std::span<const std::int8_t> ternary) const {
    const std::int64_t columns = config_.columns(), width = encoder_inputs(config_);
    const std::int64_t rows = static_cast<std::int64_t>(ternary.size()) / columns;
    torch::Tensor tensor = torch::zeros({rows, width}, torch::kFloat);
    float* out = tensor.data_ptr<float>();
    for (std::int64_t row = 0; row < rows; ++row, out += width) {
        const std::int8_t* values = ternary.data() + row * columns;
        for (std::size_t i = 0; i < learned_.size(); ++i) {
            const std::int8_t value = values[learned_[i]];
            out[2 * i] = value < 0 ? 0.f : value > 0 ? 1.f : -1.f;
            out[2 * i + 1] = value < 0 ? -1.f : 1.f;
        }
    }
    return tensor;
}

torch::Tensor Autoencoder::targets(std::span<const std::int8_t> ternary) const {
    const std::int64_t columns = config_.columns();
    const std::int64_t rows = static_cast<std::int64_t>(ternary.size()) / columns;
    torch::Tensor tensor = torch::empty({rows, static_cast<std::int64_t>(learned_.size())}, torch::kLong);
    std::int64_t* out = tensor.data_ptr<std::int64_t>();
    for (std::int64_t row = 0; row < rows; ++row)
        for (const std::int64_t column : learned_)
            *out++ = ternary[static_cast<std::size_t>(row * columns + column)] + 1;
    return tensor;
}

torch::Tensor Autoencoder::encode(const Weights& weights, const torch::Tensor& inputs,
                                  const Operations& operations) const {
    const torch::Tensor latent =
        affine(weights, "encoder.out", hidden(weights, "encoder", inputs, operations), operations);
    return at::layer_norm(latent, latent.size(1));
}

torch::Tensor Autoencoder::decode(const Weights& weights, const torch::Tensor& latent,
                                  const Operations& operations) const {
    return affine(weights, "decoder.out", hidden(weights, "decoder", latent, operations), operations)
        .view({latent.size(0), 3, static_cast<std::int64_t>(learned_.size())});
}

void Autoencoder::write_rows(const torch::Tensor& logits, std::span<std::int8_t> ternary) const {
    const torch::Tensor best = logits.argmax(1).to(torch::kCPU).contiguous();
    const std::int64_t* values = best.data_ptr<std::int64_t>();
    const std::size_t columns = config_.fixed.size();
    for (std::int64_t row = 0; row < best.size(0); ++row) {
        const std::span<std::int8_t> out = ternary.subspan(static_cast<std::size_t>(row) * columns, columns);
        std::copy(config_.fixed.begin(), config_.fixed.end(), out.begin());
        for (const std::int64_t column : learned_)
            out[static_cast<std::size_t>(column)] = static_cast<std::int8_t>(*values++ - 1);
    }
}

}  // namespace tracebench::diffusion
