#include <cmath>

#include "generators/diffusion/model/denoiser.h"

namespace tracebench::diffusion {
namespace {

/// Nearness to either end on three scales, the place and the length on a linear and a logarithmic one, and
/// waves of the logarithm of the place, which tell rows apart finely at the start and coarsely later on.
void write_features(double row, double length, double longest, float* out) {
    const double left = std::max(length - 1 - row, 0.0);
    const double scale = 1 / std::log1p(longest);
    const double log_row = std::log1p(row) * scale;
    const double features[kPositionFeatures] = {row < length ? 1.0 : 0.0, row / longest,
                                                left / longest,           log_row,
                                                std::log1p(left) * scale, std::log1p(length) * scale,
                                                std::exp(-row / 2),       std::exp(-row / 8),
                                                std::exp(-row / 32),      std::exp(-left / 2),
                                                std::exp(-left / 8),      std::exp(-left / 32),
                                                std::sin(12 * log_row),   std::cos(12 * log_row),
                                                std::sin(36 * log_row),   std::cos(36 * log_row)};
    for (std::int64_t i = 0; i < kPositionFeatures; ++i) out[i] = static_cast<float>(features[i]);
}

}  // namespace

std::int64_t row_multiple(const ModelConfig& config) {
    std::int64_t multiple = 1;
    for (std::int64_t level = 1; level < config.levels; ++level) multiple *= kPool;
    return multiple;
}

Places places(const ModelConfig& config, const torch::Tensor& inside, std::span<const std::int64_t> first,
              std::span<const std::int64_t> lengths) {
    const std::int64_t samples = inside.size(0), rows = inside.size(1);
    torch::Tensor features = torch::empty({samples, rows, kPositionFeatures}, torch::kFloat);
    float* out = features.data_ptr<float>();
    for (std::int64_t sample = 0; sample < samples; ++sample)
        for (std::int64_t row = 0; row < rows; ++row, out += kPositionFeatures)
            write_features(static_cast<double>(first[static_cast<std::size_t>(sample)] + row),
                           static_cast<double>(lengths[static_cast<std::size_t>(sample)]),
                           static_cast<double>(config.longest), out);
    Places result{features.to(inside.device()), {inside}};
    for (std::int64_t level = 1; level < config.levels; ++level)
        result.masks.push_back(result.masks.back().view({samples, -1, kPool}).amax(2).contiguous());
    return result;
}

}  // namespace tracebench::diffusion
