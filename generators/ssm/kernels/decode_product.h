#pragma once
/// Matrix products of the decoding kernel; included like decode_lanes.h.

#include "generators/ssm/kernels/decode_lanes.h"

namespace tracebench::ssm::decode::TRACEBENCH_DECODE_NAMESPACE {

/// `Rows` sequences by a panel of `Blocks` blocks. Each sum is a single chain over the inputs in order, so
/// that its rounding does not depend on how many sequences or blocks there are. `sums`: [Rows, Blocks].
template <int Rows, int Blocks>
void tile(const float* weights, std::int64_t inputs, const float* activation, Lanes* sums) {
    Lanes sum[Rows][Blocks] = {};
    for (std::int64_t k = 0; k < inputs; ++k, weights += Blocks * kLanes) {
        Lanes w[Blocks];
        for (int b = 0; b < Blocks; ++b) load(w[b], weights + b * kLanes);
        for (int r = 0; r < Rows; ++r)
            for (int b = 0; b < Blocks; ++b) add_product(sum[r][b], w[b], activation[r * inputs + k]);
    }
    for (int r = 0; r < Rows; ++r)
        for (int b = 0; b < Blocks; ++b) sums[r * Blocks + b] = sum[r][b];
}
template <int Rows, int Blocks>
void tile(const Bfloat16* weights, std::int64_t inputs, const Bfloat16* activation, Lanes* sums) {
    Lanes sum[Rows][Blocks] = {};
    for (std::int64_t k = 0; k < inputs; k += 2, weights += 2 * Blocks * kLanes) {
        LaneBits w[Blocks];
        std::memcpy(w, weights, sizeof w);
        for (int r = 0; r < Rows; ++r)
            for (int b = 0; b < Blocks; ++b) add_pairs(sum[r][b], w[b], activation + r * inputs + k);
    }
    for (int r = 0; r < Rows; ++r)
        for (int b = 0; b < Blocks; ++b) sums[r * Blocks + b] = sum[r][b];
}

template <int Blocks, int Rows = kTileRows, typename T>
TRACEBENCH_INLINE void tile_of(std::int64_t rows, const T* weights, std::int64_t inputs, const T* activation,
                               Lanes* sums) {
    if constexpr (Rows > 1) {
        if (rows < Rows) return tile_of<Blocks, Rows - 1>(rows, weights, inputs, activation, sums);
    }
    tile<Rows, Blocks>(weights, inputs, activation, sums);
}

/// Multiplies the part's share of a matrix by `rows` activations [rows, inputs]; hands over what it gets as
/// sink(row, first output, sixteen values).
template <typename T, typename Sink>
TRACEBENCH_INLINE void product(const PackedMatrix& matrix, const T* weights, int part, std::int64_t rows,
                               const T* activation, const Sink& sink) {
    const auto [first, last] = matrix.part(part);
    for (std::size_t p = first; p < last; ++p) {
        const Panel& panel = matrix.panels()[p];
        for (std::int64_t row = 0; row < rows; row += kTileRows) {
            const std::int64_t count = rows - row < kTileRows ? rows - row : kTileRows;
            const T* const in = activation + row * matrix.inputs();
            Lanes sums[kTileRows * kPanelBlocks];
            static_assert(kPanelBlocks == 3);
            if (panel.blocks == 3) {
                tile_of<3>(count, weights + panel.offset, matrix.inputs(), in, sums);
            } else if (panel.blocks == 2) {
                tile_of<2>(count, weights + panel.offset, matrix.inputs(), in, sums);
            } else {
                tile_of<1>(count, weights + panel.offset, matrix.inputs(), in, sums);
            }
            for (std::int64_t r = 0; r < count; ++r)
                for (int b = 0; b < panel.blocks; ++b)
                    sink(row + r, (panel.block + b) * kLanes, sums[r * panel.blocks + b]);
        }
    }
}

}  // namespace tracebench::ssm::decode::TRACEBENCH_DECODE_NAMESPACE
