#pragma once
/// How the samples of one epoch are cut into batches: rows of several samples, segment by segment.
///
/// A sample longer than a segment goes through the model in several calls with its state carried, so memory
/// is that of one segment however long the sample is. Rows are never cut short within a call while they go
/// on: a padded row's state would be spoiled.

#include <cstdint>
#include <span>
#include <vector>

#include "generators/ssm/sequence_model.h"
#include "generators/ssm/training/token_noise.h"

namespace tracebench::ssm {

/// Lengths of calls are multiples of this: few distinct shapes, since kernels are set up per shape.
inline constexpr std::int64_t length_multiple = 64;

struct BatchShape {
    std::int64_t batch_tokens = 4096;  ///< rows * length of a call, at most (but at least one row)
    std::int64_t segment = 1024;       ///< tokens of a row in one call; a multiple of length_multiple
};

/// What one row does in one call: `count` input tokens of a sample from `offset` on.
struct RowSegment {
    std::int64_t sample = -1;  ///< negative: idle, all padding
    std::int64_t offset = 0, count = 0;
};

struct SegmentBatch {
    std::int64_t length = 0;
    std::vector<RowSegment> rows;

    /// Input tokens that are not padding.
    std::int64_t tokens() const;
};

/// One epoch over samples of which each has lengths[i] targets (one less than its tokens). Every target is
/// in exactly one call. Samples that fit into one segment are batched with others of about their length;
/// longer ones are dealt out to rows in waves, the longest first to the row with least to do; a row goes on
/// with the next sample where one ends. Calls of a wave follow one another, all else is in random order.
/// Same arguments, same batches. Samples without targets are left out.
std::vector<SegmentBatch> plan_batches(std::span<const std::int64_t> lengths, const BatchShape& shape,
                                       std::uint64_t seed);

/// The token arrays of a call, reused from call to call.
class BatchBuffers {
  public:
    /// `weights` by token id, of tokens as targets (1 beyond the end); those of weight 0 are given to the
    /// model but are no targets.
    explicit BatchBuffers(std::vector<float> weights = {}) : weight_of_(std::move(weights)) {}

    /// How many targets count.
    std::int64_t targets(const SegmentBatch& batch, std::span<const std::span<const Token>> samples) const;
    /// The view is valid until the next call. `samples[i]` holds lengths[i] + 1 tokens or more.
    Batch fill(const SegmentBatch& batch, std::span<const std::span<const Token>> samples);
    /// The same with inputs, never targets, replaced by what `noise` draws from `random`.
    Batch fill(const SegmentBatch& batch, std::span<const std::span<const Token>> samples,
               const TokenNoise& noise, Random& random);

  private:
    float weight_of(Token target) const {
        const auto id = static_cast<std::size_t>(target);
        return id < weight_of_.size() ? weight_of_[id] : 1;
    }

    std::vector<float> weight_of_;
    std::vector<Token> inputs_, targets_;
    std::vector<std::uint8_t> continues_;
    std::vector<float> weights_;
};

}  // namespace tracebench::ssm
