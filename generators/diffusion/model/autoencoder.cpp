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
    if (config.emphasis.empty()) return;
    emphasis_ = torch::empty(static_cast<std::int64_t>(learned_.size()), torch::kFloat);
    for (std::size_t i = 0; i < learned_.size(); ++i)
        emphasis_.data_ptr<float>()[i] = config.emphasis[static_cast<std::size_t>(learned_[i])];
}

torch::Tensor Autoencoder::inputs(std::span<const std::int8_t> ternary) const {
    const std::int64_t columns = config_.columns(), width = static_cast<std::int64_t>(learned_.size());
    const std::int64_t rows = static_cast<std::int64_t>(ternary.size()) / columns;
    torch::Tensor tensor = torch::empty({rows, 2, width}, torch::kFloat);
    float* present = tensor.data_ptr<float>();
    for (std::int64_t row = 0; row < rows; ++row, present += 2 * width) {
        const std::int8_t* values = ternary.data() + row * columns;
        float* bits = present + width;
        for (std::size_t i = 0; i < learned_.size(); ++i) {
            const std::int8_t value = values[learned_[i]];
            present[i] = value < 0 ? -1.f : 1.f;
            bits[i] = value < 0 ? 0.f : value > 0 ? 1.f : -1.f;
        }
    }
    return tensor;
}

torch::Tensor Autoencoder::encode(const Weights& weights, const torch::Tensor& inputs,
                                  const Operations& operations) const {
    const torch::Tensor flat = inputs.view({inputs.size(0), -1});
    const torch::Tensor padded = at::constant_pad_nd(flat, {0, encoder_inputs(config_) - flat.size(1)});
    const torch::Tensor latent =
        affine(weights, "encoder.out", hidden(weights, "encoder", padded, operations), operations);
    return at::layer_norm(latent, latent.size(1));
}

torch::Tensor Autoencoder::decode(const Weights& weights, const torch::Tensor& latent,
                                  const Operations& operations) const {
    return affine(weights, "decoder.out", hidden(weights, "decoder", latent, operations), operations)
        .view({latent.size(0), 2, static_cast<std::int64_t>(learned_.size())});
}

torch::Tensor Autoencoder::cross_entropy(const torch::Tensor& logits, const torch::Tensor& inputs) const {
    // -ln sigmoid(l) for a true value of 1, -ln sigmoid(-l) for -1, nothing for 0.
    const torch::Tensor nats = at::softplus(-logits * inputs) * inputs.square();
    return emphasis_.defined() ? (nats * emphasis_.to(nats.device())).sum() : nats.sum();
}

void Autoencoder::write_rows(const torch::Tensor& logits, std::span<std::int8_t> ternary) const {
    const torch::Tensor host = logits.to(torch::kCPU).contiguous();
    const auto width = static_cast<std::int64_t>(learned_.size());
    const float* present = host.data_ptr<float>();
    const std::size_t columns = config_.fixed.size();
    for (std::int64_t row = 0; row < host.size(0); ++row, present += 2 * width) {
        const std::span<std::int8_t> out = ternary.subspan(static_cast<std::size_t>(row) * columns, columns);
        std::copy(config_.fixed.begin(), config_.fixed.end(), out.begin());
        for (std::size_t i = 0; i < learned_.size(); ++i)
            out[static_cast<std::size_t>(learned_[i])] =
                present[i] < 0 ? -1
                               : static_cast<std::int8_t>(present[width + static_cast<std::int64_t>(i)] > 0);
    }
}

}  // namespace tracebench::diffusion
