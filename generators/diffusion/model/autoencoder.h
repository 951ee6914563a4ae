#pragma once
/// The row autoencoder: ternary columns to a latent on the sphere and back. The gap needs none: it is the
/// latent's last channel as it is.

#include <span>
#include <vector>

#include "generators/diffusion/model/operations.h"
#include "generators/diffusion/model/parameters.h"

namespace tracebench::diffusion {

class Autoencoder {
  public:
    explicit Autoencoder(const ModelConfig& config);

    /// [rows, 2, learned columns]: whether a column is present (1, -1) and its bit (1, -1; 0 where absent).
    torch::Tensor inputs(std::span<const std::int8_t> ternary) const;

    /// [rows, 2, learned columns] to [rows, latent - 1], each row of mean 0 and variance 1.
    torch::Tensor encode(const Weights& weights, const torch::Tensor& inputs,
                         const Operations& operations) const;
    /// To logits [rows, 2, learned columns]: of being present, and of being 1 if present.
    torch::Tensor decode(const Weights& weights, const torch::Tensor& latent,
                         const Operations& operations) const;
    /// Nats of all rows together, each column's as many times as the configuration says.
    torch::Tensor cross_entropy(const torch::Tensor& logits, const torch::Tensor& inputs) const;
    /// The most likely values of all columns, fixed ones included, written to rows * columns.
    void write_rows(const torch::Tensor& logits, std::span<std::int8_t> ternary) const;

  private:
    ModelConfig config_;
    std::vector<std::int64_t> learned_;
    torch::Tensor emphasis_;  ///< [learned columns]; undefined: all once
};

}  // namespace tracebench::diffusion
