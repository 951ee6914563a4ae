#pragma once
/// How much each row is to count in training, so that rare kinds of packets are learned too: SYNs, FINs and
/// resets are a few in a hundred, but flows hang on them.

#include <span>
#include <vector>

#include "generators/diffusion/training/training_set.h"

namespace tracebench::diffusion {

/// For every row of the set (those of `rows` count, the others get what their kind gets) its kind's share of
/// `rows` to the power of -`exponent` (0: all count alike), at most about `most_row_weight` times the mean,
/// scaled to a mean of 1 over `rows`. Kinds are told apart by transport, TCP flags and whether the row begins
/// a flow.
std::vector<float> row_weights(const TrainingSet& set, std::span<const std::size_t> rows, double exponent);
/// A single broken packet is not to be learned by heart.
inline constexpr double most_row_weight = 16;

}  // namespace tracebench::diffusion
