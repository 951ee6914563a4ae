#pragma once
/// What the threads of a decoding step share, and what each has for itself.

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <vector>

#include "generators/ssm/kernels/block.h"
#include "generators/ssm/kernels/decode_barrier.h"
#include "generators/ssm/kernels/decode_layout.h"
#include "generators/ssm/kernels/decode_matrix.h"
#include "generators/ssm/kernels/decode_memory.h"
#include "generators/ssm/kernels/decode_state.h"

namespace tracebench::ssm::decode {

/// A block's weights in the padded layout.
struct Layer {
    AlignedArray<float> norm;         ///< [model]
    AlignedArray<float> conv_weight;  ///< [d_conv, channels], the current token's last
    AlignedArray<float> conv_bias;    ///< [channels]
    AlignedArray<float> dt_bias;      ///< [heads, padded]
    AlignedArray<float> a;            ///< [heads, padded] -exp(A_log)
    AlignedArray<float> d;            ///< [heads]
    AlignedArray<float> gate_norm;    ///< [inner]
    PackedMatrix in_proj;             ///< [projection, model]
    PackedMatrix out_proj;            ///< [model, inner]
};

struct Model {
    Layout layout;
    WeightStore weights;
    AlignedArray<float> embedding;   ///< [vocabulary, model]
    AlignedArray<float> final_norm;  ///< [model]
    PackedMatrix output;             ///< [vocabulary, model]: the embedding once more
    std::vector<Layer> layers;
};

/// Copies and repacks, for products in `parts` shares.
Model make_model(const ModelConfig& config, bool bfloat16, int parts, const float* embedding,
                 const std::vector<BlockArrays<const float>>& blocks, const float* final_norm);

/// A thread's own memory.
struct Scratch {
    Scratch(const Layout& layout, std::int64_t rows)
        : activation(static_cast<std::size_t>(rows * std::max(layout.model(), layout.inner()))),
          channels(static_cast<std::size_t>(layout.channels())),
          x(static_cast<std::size_t>(layout.inner())),
          dt(static_cast<std::size_t>(padded(layout.heads))),
          decay(dt.size()),
          taps(static_cast<std::size_t>(layout.d_conv)),
          products(static_cast<std::size_t>(layout.groups)),
          largest(products.size()) {
        // Groups of 16 rows in twos, inputs in pairs of blocks, and each value in two parts: decode_tiles.h.
        split = AlignedArray<Bfloat16>(static_cast<std::size_t>(
            2 * (padded(rows) + kLanes) * (std::max(layout.model(), layout.inner()) + kLanes)));
    }

    AlignedArray<float> activation;  ///< [active rows, inputs] of the product at hand
    AlignedArray<Bfloat16> split;    ///< the same for matrix units
    AlignedArray<float> channels;    ///< one row's x, B, C after the convolution
    AlignedArray<float> x;           ///< [inner] dt x of the same
    AlignedArray<float> dt, decay;   ///< [heads] of the same
    std::vector<const float*> taps;  ///< [d_conv] inputs of the convolution, the oldest first
    struct Products {
        float value[kRing];
    };
    std::vector<Products> products;  ///< [groups] B of each kept token, and last the current one's, times C
    std::vector<float> largest;      ///< [groups] largest absolute value of B
};

/// One token for each active row.
struct Step {
    std::vector<std::int64_t> rows;      ///< the active ones, ascending
    std::vector<const float*> embedded;  ///< [active] their tokens' embeddings
    std::vector<float*> logits;          ///< [active] vocabulary values each
    AlignedArray<float> projection;      ///< [active, projection]
    AlignedArray<float> gated;           ///< [active, inner] y silu(z)
    AlignedArray<float> residual;        ///< [active, model]
};

struct Context {
    Model model;
    State state;
    Step step;
    std::vector<Scratch> scratch;  ///< one a thread
    SpinBarrier barrier;
    int parts;  ///< shares of the products; results do not depend on it
};

/// Does the share of one of a team of threads in a step. All of them must call it, at the same time.
using Pass = void (*)(Context& context, int thread, int team);
/// The same for four kinds of processors; all but the last only on x86-64, where it has what they need.
namespace amx {
void pass(Context& context, int thread,
          int team);  ///< the same and AMX for bfloat16, which must be allowed()
bool allowed();       ///< by the system, to this process; asks for it
}  // namespace amx
namespace avx512 {
void pass(Context& context, int thread, int team);  ///< AVX-512 F, BW, DQ, VL
}
namespace avx2 {
void pass(Context& context, int thread, int team);  ///< AVX2, FMA, F16C
}
namespace portable {
void pass(Context& context, int thread, int team);
}

}  // namespace tracebench::ssm::decode
