#pragma once
/// How the decoding kernel lays a model out in memory: everything in blocks of 16 floats, so that no loop has
/// a remainder. What pads a block is zero and stays zero.

#include <cstdint>

#include "generators/ssm/model_config.h"

namespace tracebench::ssm::decode {

constexpr std::int64_t kLanes = 16;
/// A token in so many folds what was kept apart into a row's states (decode_state.h).
constexpr std::int64_t kRing = 8;
/// Tokens kept apart at most.
constexpr std::int64_t kKept = kRing - 1;

constexpr std::int64_t padded(std::int64_t size) {
    return (size + kLanes - 1) / kLanes * kLanes;
}

struct Layout {
    explicit Layout(const ModelConfig& config)
        : d_model(config.d_model),
          heads(config.heads()),
          headdim(config.headdim),
          d_state(config.d_state),
          groups(config.ngroups),
          d_conv(config.d_conv),
          vocabulary(config.vocab_size) {}

    std::int64_t d_model, heads, headdim, d_state, groups, d_conv, vocabulary;

    std::int64_t model() const { return padded(d_model); }
    std::int64_t head() const { return padded(headdim); }
    /// B or C of one group.
    std::int64_t state() const { return padded(d_state); }
    /// Every head one after the other: z, x, y.
    std::int64_t inner() const { return heads * head(); }
    /// What is convolved: x, then B of each group, then C of each group.
    std::int64_t channels() const { return inner() + 2 * groups * state(); }
    /// in_proj's result: z, the channels, dt.
    std::int64_t projection() const { return inner() + channels() + padded(heads); }
    std::int64_t heads_per_group() const { return heads / groups; }
};

}  // namespace tracebench::ssm::decode
