#pragma once
/// The rows that are learned from, and batches of them.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "generators/diffusion/diffusion_model.h"
#include "generators/diffusion/model_rows.h"

namespace tracebench::diffusion {

/// For a row which of nPrint's 136 bytes have a bit that is not -1: {0, 1}, kImageBytes of them. As the rows
/// are learned: IPv6 packets have the bytes of the IPv4 header that they use.
void row_layout(std::span<const std::int8_t, kTernary> row, std::span<std::uint8_t, kImageBytes> layout);

/// A run of rows of one sample.
struct Piece {
    std::size_t sample = 0, first = 0, rows = 0;
    bool operator==(const Piece&) const = default;
};

/// The memory behind a RowBatch.
struct BatchBuffer {
    std::vector<std::int8_t> ternary;
    std::vector<float> gaps, latents, weights;
    std::vector<std::uint8_t> mask, control;
    std::vector<std::int32_t> classes;
    std::vector<std::int64_t> first_row, lengths;
    /// What was filled in last; valid until it is filled again.
    RowBatch batch;
};

/// Samples as model rows, four columns a byte: 278 bytes a row.
class TrainingSet {
  public:
    struct Sample {
        std::string label;
        std::int32_t class_id = 0;
        std::size_t first = 0, rows = 0;  ///< place among all rows
    };

    void add(const std::string& label, std::int32_t class_id, const ModelRows& rows);
    const std::vector<Sample>& samples() const { return samples_; }
    std::size_t rows() const { return gaps_.size(); }
    void row(std::size_t row, std::span<std::int8_t, kTernary> out) const;
    /// As fixed_columns() of all rows of all samples.
    std::vector<std::int8_t> fixed() const;
    /// SHA-256 over all of it.
    std::string hash() const;

    /// Single rows, by their place among all, as one sample: for the autoencoder.
    const RowBatch& fill(std::span<const std::size_t> rows, BatchBuffer& buffer) const;
    /// One piece a sample, padded to the same multiple of `padding` rows (at most kImageRows), which do not
    /// count. Requires pieces of at least one row within their samples. `latents`: what the model's encode()
    /// says of every row of the set, to fill in instead of columns and gaps; or empty. `weights`: of every
    /// row of the set; or empty.
    const RowBatch& fill(std::span<const Piece> pieces, std::size_t padding, bool with_control,
                         BatchBuffer& buffer, std::span<const float> latents = {},
                         std::span<const float> weights = {}) const;

  private:
    std::vector<Sample> samples_;
    std::vector<std::uint8_t> packed_;
    std::vector<float> gaps_;
};

/// The pieces of an epoch, in an order drawn from `seed`: each sample gives one for every `crop` rows it has
/// or has begun, wherever it lies; the first and the last row are in at
/// least half as many pieces as those between. A sample no longer than
/// that is one piece. `samples`: indices into the set's.
std::vector<Piece> plan_pieces(const TrainingSet& set, std::span<const std::size_t> samples, std::size_t crop,
                               std::uint64_t seed);

}  // namespace tracebench::diffusion
