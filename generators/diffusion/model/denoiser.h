#pragma once
/// The denoiser: a 1-D U-Net over the rows of a sample. Each level is a quarter as long as the one above and
/// twice as wide; the lowest sees the whole sample by attention. What it computes for a row does not depend
/// on how many rows past the end follow.

#include <span>
#include <vector>

#include "generators/diffusion/model/operations.h"
#include "generators/diffusion/model/parameters.h"

namespace tracebench::diffusion {

/// Where in their samples the rows of a batch are.
struct Places {
    torch::Tensor features;            ///< [samples, rows, kPositionFeatures]
    std::vector<torch::Tensor> masks;  ///< a level each: [samples, rows of that level], 1 inside the sample
};

/// `inside` is [samples, rows] with rows a multiple of row_multiple(). Row i of a sample is its row first + i
/// of `length`.
Places places(const ModelConfig& config, const torch::Tensor& inside, std::span<const std::int64_t> first,
              std::span<const std::int64_t> lengths);
/// Rows of a batch are padded to a multiple of this.
std::int64_t row_multiple(const ModelConfig& config);

/// What the encoder hands to the decoder, or a control branch adds to that.
struct Residuals {
    std::vector<torch::Tensor> skips;  ///< in the encoder's order
    torch::Tensor middle;
};

class Denoiser {
  public:
    Denoiser(const ModelConfig& config, const Operations& operations)
        : config_(config), operations_(operations) {}

    /// [samples, embedding] of times in [0, 1] and of classes as rows of `class.weight`.
    torch::Tensor embed(const Weights& weights, const torch::Tensor& times,
                        const torch::Tensor& classes) const;
    /// What the control branch adds for this layout, [samples, rows, control].
    Residuals control(const Weights& weights, const torch::Tensor& z, const Places& places,
                      const torch::Tensor& embedding, const torch::Tensor& layout, double strength) const;
    /// v of the noisy latents z, both [samples, rows, latent].
    torch::Tensor forward(const Weights& weights, const torch::Tensor& z, const Places& places,
                          const torch::Tensor& embedding, const Residuals* control) const;

  private:
    torch::Tensor convolution(const Weights& weights, const std::string& name, const torch::Tensor& x) const;
    torch::Tensor block(const Weights& weights, const std::string& name, const torch::Tensor& x,
                        const torch::Tensor& embedding, const torch::Tensor& mask) const;
    torch::Tensor first_layer(const Weights& weights, const std::string& prefix, const torch::Tensor& z,
                              const Places& places) const;
    Residuals encode(const Weights& weights, const std::string& prefix, torch::Tensor x, const Places& places,
                     const torch::Tensor& embedding) const;

    ModelConfig config_;
    Operations operations_;
};

}  // namespace tracebench::diffusion
