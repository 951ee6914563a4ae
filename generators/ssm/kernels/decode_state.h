#pragma once
/// What each sequence carries from token to token.
///
/// The state S of a head [d_state, headdim] is the bulk of it (19 MB a sequence at d_model 768, 24 layers),
/// and the recurrence S <- a S + (dt x) B^T would read and write all of it for every token. It is linear, so
/// S is kept as a base and the tokens since: S = a_1..a_f base + sum_j a_(j+1)..a_f (dt x)_j B_j^T, and only
/// every kRing tokens those are folded into the base. In between a token reads the base and writes none of
/// it.
///
/// In half precision the base is scaled by a power of two per head so that it can neither overflow nor
/// vanish. It is rounded once in kRing tokens, not every token.

#include <cstdint>
#include <vector>

#include "generators/ssm/kernels/decode_layout.h"
#include "generators/ssm/kernels/decode_memory.h"

namespace tracebench::ssm::decode {

/// The bits of an IEEE 754 half-precision value.
struct Half {
    std::uint16_t bits;
};

/// A head's view of the tokens since its base was folded last.
struct HeadRing {
    float decay = 1;            ///< of the base, up to now
    float scale = 1;            ///< what is stored times this is the base
    float bound = 0;            ///< no value of the base is larger
    float weight[kKept] = {};   ///< decay from each kept token to now
    float largest[kKept] = {};  ///< no value of a kept token's (dt x) B^T is larger
};

class State {
  public:
    State(const Layout& layout, std::int64_t layers, std::int64_t rows, bool half);

    /// Tokens a row has seen since it began.
    std::vector<std::int64_t> count;

    /// [d_conv, channels], a circular buffer of the convolution's inputs: the one of token t in place
    /// t % d_conv. Places of tokens before the first hold rubbish.
    float* history(std::int64_t layer, std::int64_t row) {
        return history_.data() + at(layer, row) * history_size_;
    }
    /// [kKept, inner] dt x of the kept tokens.
    float* ring_x(std::int64_t layer, std::int64_t row) {
        return ring_x_.data() + at(layer, row) * ring_x_size_;
    }
    /// [kKept, groups * state] B of the kept tokens.
    float* ring_b(std::int64_t layer, std::int64_t row) {
        return ring_b_.data() + at(layer, row) * ring_b_size_;
    }
    /// [heads]
    HeadRing* rings(std::int64_t layer, std::int64_t row) { return rings_.data() + at(layer, row) * heads_; }
    /// [heads, d_state, head]; rubbish while count is below kRing. Of the two only one is there.
    float* base_single(std::int64_t layer, std::int64_t row) {
        return single_.data() + at(layer, row) * base_size_;
    }
    bool half() const { return half_.size() > 0; }
    Half* base_half(std::int64_t layer, std::int64_t row) {
        return half_.data() + at(layer, row) * base_size_;
    }

  private:
    std::size_t at(std::int64_t layer, std::int64_t row) const {
        return static_cast<std::size_t>(layer) * count.size() + static_cast<std::size_t>(row);
    }

    std::size_t history_size_, ring_x_size_, ring_b_size_, heads_, base_size_;
    AlignedArray<float> history_, ring_x_, ring_b_, single_;
    AlignedArray<Half> half_;
    std::vector<HeadRing> rings_;
};

}  // namespace tracebench::ssm::decode
