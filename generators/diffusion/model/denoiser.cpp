#include "generators/diffusion/model/denoiser.h"

#include <fmt/format.h>

#include <cmath>

namespace tracebench::diffusion {
namespace {

/// Sines and cosines of the time in thousandths, wavelengths from 2 pi to 20000 pi (Vaswani et al. 2017).
torch::Tensor time_features(const torch::Tensor& times) {
    constexpr std::int64_t half = kTimeFeatures / 2;
    const torch::Tensor rates = (torch::arange(half, times.options()) * (-std::log(10000.0) / half)).exp();
    const torch::Tensor angles = 1000 * times.unsqueeze(1) * rates;
    return torch::cat({angles.sin(), angles.cos()}, 1);
}

torch::Tensor affine(const Weights& weights, const std::string& name, const torch::Tensor& x) {
    return at::linear(x, weights[name + ".weight"], weights[name + ".bias"]);
}

}  // namespace

torch::Tensor Denoiser::convolution(const Weights& weights, const std::string& name,
                                    const torch::Tensor& x) const {
    return convolve(x, weights[name + ".weight"], weights[name + ".bias"], operations_);
}

torch::Tensor Denoiser::embed(const Weights& weights, const torch::Tensor& times,
                              const torch::Tensor& classes) const {
    const torch::Tensor time =
        affine(weights, "time.1", at::silu(affine(weights, "time.0", time_features(times))));
    return at::silu(time + weights["class.weight"].index_select(0, classes));
}

torch::Tensor Denoiser::block(const Weights& weights, const std::string& name, const torch::Tensor& x,
                              const torch::Tensor& embedding, const torch::Tensor& mask) const {
    torch::Tensor h =
        norm_silu(x, weights[name + ".norm.scale"], weights[name + ".norm.shift"], mask, operations_);
    h = convolution(weights, name + ".conv1", h);
    const torch::Tensor film = affine(weights, name + ".film", embedding);
    const std::int64_t channels = h.size(2);
    h = norm_silu(h, film.narrow(1, 0, channels), film.narrow(1, channels, channels), mask, operations_);
    h = convolution(weights, name + ".conv2", h);
    return h + (x.size(2) == channels ? x : convolution(weights, name + ".skip", x));
}

torch::Tensor Denoiser::first_layer(const Weights& weights, const std::string& prefix, const torch::Tensor& z,
                                    const Places& places) const {
    const torch::Tensor mask = places.masks.front().unsqueeze(2);
    return convolution(weights, prefix + "in", torch::cat({z, places.features}, 2) * mask);
}

Residuals Denoiser::encode(const Weights& weights, const std::string& prefix, torch::Tensor x,
                           const Places& places, const torch::Tensor& embedding) const {
    Residuals residuals;
    for (std::int64_t level = 0; level < config_.levels; ++level) {
        const torch::Tensor& mask = places.masks[static_cast<std::size_t>(level)];
        for (std::int64_t k = 0; k < config_.blocks; ++k) {
            x = block(weights, fmt::format("{}down.{}.{}", prefix, level, k), x, embedding, mask);
            residuals.skips.push_back(x);
        }
        if (level + 1 == config_.levels) break;
        const torch::Tensor groups =
            (x * mask.unsqueeze(2)).reshape({x.size(0), x.size(1) / kPool, kPool * x.size(2)});
        x = convolution(weights, fmt::format("{}down.{}.pool", prefix, level), groups);
    }
    const torch::Tensor& mask = places.masks.back();
    x = block(weights, prefix + "mid.0", x, embedding, mask);
    const std::string attention = prefix + "mid.attention.";
    const torch::Tensor h =
        norm_silu(x, weights[attention + "norm.scale"], weights[attention + "norm.shift"], mask, operations_);
    x = x + convolution(weights, attention + "out", attend(convolution(weights, attention + "qkv", h), mask));
    residuals.middle = block(weights, prefix + "mid.1", x, embedding, mask);
    return residuals;
}

Residuals Denoiser::control(const Weights& weights, const torch::Tensor& z, const Places& places,
                            const torch::Tensor& embedding, const torch::Tensor& layout,
                            double strength) const {
    const torch::Tensor& mask = places.masks.front();
    const torch::Tensor hint = at::silu(convolution(weights, "control.hint.0", layout)) * mask.unsqueeze(2);
    const torch::Tensor x =
        first_layer(weights, "control.", z, places) + convolution(weights, "control.hint.1", hint);
    Residuals residuals = encode(weights, "control.", x, places, embedding);
    for (std::size_t i = 0; i < residuals.skips.size(); ++i) {
        const auto blocks = static_cast<std::size_t>(config_.blocks);
        residuals.skips[i] = convolution(weights, fmt::format("control.zero.{}.{}", i / blocks, i % blocks),
                                         residuals.skips[i]) *
                             strength;
    }
    residuals.middle = convolution(weights, "control.zero.mid", residuals.middle) * strength;
    return residuals;
}

torch::Tensor Denoiser::forward(const Weights& weights, const torch::Tensor& z, const Places& places,
                                const torch::Tensor& embedding, const Residuals* control) const {
    Residuals encoded = encode(weights, "", first_layer(weights, "", z, places), places, embedding);
    torch::Tensor x = encoded.middle;
    if (control != nullptr) {
        x = x + control->middle;
        for (std::size_t i = 0; i < encoded.skips.size(); ++i)
            encoded.skips[i] = encoded.skips[i] + control->skips[i];
    }
    for (std::int64_t level = config_.levels - 1; level >= 0; --level) {
        const torch::Tensor& mask = places.masks[static_cast<std::size_t>(level)];
        if (level + 1 < config_.levels)
            x = convolution(weights, fmt::format("up.{}.expand", level), x)
                    .reshape({x.size(0), x.size(1) * kPool, level_channels(config_, level)});
        for (std::int64_t k = 0; k < config_.blocks; ++k) {
            x = block(weights, fmt::format("up.{}.{}", level, k), torch::cat({x, encoded.skips.back()}, 2),
                      embedding, mask);
            encoded.skips.pop_back();
        }
    }
    const torch::Tensor h =
        norm_silu(x, weights["out.norm.scale"], weights["out.norm.shift"], places.masks.front(), operations_);
    return convolution(weights, "out", h);
}

}  // namespace tracebench::diffusion
