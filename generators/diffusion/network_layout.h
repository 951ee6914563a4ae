#pragma once
/// Names and shapes of the diffusion model's tensors: what its files hold and what its size is counted from.

#include <cstdint>
#include <string>
#include <vector>

#include "generators/diffusion/diffusion_model_config.h"

namespace tracebench::diffusion {

enum class Initial {
    zeros,
    uniform,  ///< within 1 / sqrt(inputs of one output), PyTorch's default of Linear and Conv1d
    normal,   ///< of standard deviation 0.1
};

struct TensorLayout {
    std::string name;
    std::vector<std::int64_t> shape;  ///< [out], [out, in] or [out, in, width]
    Initial initial = Initial::zeros;

    std::int64_t size() const;
    /// Inputs of one output.
    std::int64_t inputs() const;
};

/// Channels of the denoiser's input beside the latent: where in the sample a row is.
inline constexpr std::int64_t kPositionFeatures = 16;
/// Sines and cosines of the time.
inline constexpr std::int64_t kTimeFeatures = 64;
inline constexpr std::int64_t kConvolutionWidth = 3;
/// Rows that become one at the next level.
inline constexpr std::int64_t kPool = 4;

/// Values of a row that the encoder sees: two a learned column, up to a multiple of 16.
std::int64_t encoder_inputs(const ModelConfig& config);
/// Channels at this level, from 0.
std::int64_t level_channels(const ModelConfig& config, std::int64_t level);

std::vector<TensorLayout> autoencoder_layout(const ModelConfig& config);
std::vector<TensorLayout> denoiser_layout(const ModelConfig& config);
/// The copied part has the denoiser's names behind `control.`.
std::vector<TensorLayout> control_layout(const ModelConfig& config);
/// Factors NAME.a [rank, inputs] and NAME.b [out, rank] beside every matrix of the denoiser but its classes,
/// and `class.new` [new classes, embedding].
std::vector<TensorLayout> adapter_layout(const ModelConfig& config, std::int64_t rank,
                                         std::int64_t new_classes);
/// Whether an adapter has factors beside this tensor of the denoiser.
bool is_adapted(const TensorLayout& tensor);

}  // namespace tracebench::diffusion
