#pragma once
/// Softmax cross-entropy of a few tokens, on the calling thread.

#include <cstdint>

namespace tracebench::ssm {

struct UnitLoss {
    double nats = 0;
    std::int64_t targets = 0;
};

/// Of logits [rows, vocabulary] (overwritten) against targets [rows], those below 0 left out. Where
/// `gradient` is given it gets scale * weight * (softmax - one-hot), 0 in rows without target. `weights`
/// [rows]; null: all 1.
template <typename T>
UnitLoss cross_entropy(std::int64_t rows, std::int64_t vocabulary, float* logits, const std::int32_t* targets,
                       const float* weights, float scale, T* gradient);

}  // namespace tracebench::ssm
