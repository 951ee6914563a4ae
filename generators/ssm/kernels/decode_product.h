#pragma once
/// Matrix products of the decoding kernel; included like decode_lanes.h.

#include "generators/ssm/kernels/decode_lanes.h"

namespace tracebench::ssm::decode::TRACEBENCH_DECODE_NAMESPACE {

/// Bytes by which weights are asked for ahead where one or two passes go over them: memory is many products
/// away, and the processor's own prefetching stops at every page.
constexpr std::int64_t kWeightsAhead = 4096;

/// Inputs between two requests for what is read next.
constexpr std::int64_t kRequestStep = 4;
constexpr std::int64_t kLine = 64;

/// Memory that will be read.
struct Region {
    const void* from = nullptr;
    std::int64_t bytes = 0;

    /// One of `count` about equal parts, in whole lines.
    Region share(std::int64_t index, std::int64_t count) const {
        const std::int64_t lines = (bytes + kLine - 1) / kLine;
        const std::int64_t begin = lines * index / count, end = lines * (index + 1) / count;
        return {static_cast<const char*>(from) + begin * kLine, (end - begin) * kLine};
    }
};

/// What a pass over a panel asks the memory for.
enum class Ahead {
    same,  ///< its own weights, a little ahead
    next   ///< a region, evenly, into the second-level cache: what is asked for at once has to queue
};

/// `Rows` sequences by `Panels` panels of `Blocks` blocks, `distance` elements apart. Each sum is a single
/// chain over the inputs in order, so that its rounding does not depend on how many are worked on at once.
/// `sums`: [Rows, Panels * Blocks].
template <int Rows, int Blocks, int Panels, Ahead Which, typename T>
void tile(const T* weights, std::size_t distance, std::int64_t inputs, const float* activation, Region next,
          Lanes* sums) {
    constexpr int step = sizeof(T) == sizeof(float) ? 1 : 2, all = Panels * Blocks;
    Lanes sum[Rows * all] = {}, even[all], odd[all];
    const std::int64_t lines = (next.bytes / kLine * kRequestStep + inputs - 1) / inputs;
    const char* request = static_cast<const char*>(next.from);
    for (std::int64_t k = 0; k < inputs;) {
        if constexpr (Which == Ahead::next)
            for (std::int64_t i = 0; i < lines; ++i, request += kLine) prefetch_far(request, 0);
        for (const std::int64_t end = k + kRequestStep; k < end;
             k += step, weights += step * Blocks * kLanes) {
            unrolled<all>([&](auto b) {
                const T* const from = weights + b / Blocks * distance + step * (b % Blocks) * kLanes;
                if constexpr (Which == Ahead::same) prefetch(from, kWeightsAhead);
                if constexpr (step == 1) {
                    load(even[b], from);
                } else {
                    load(even[b], odd[b], from);
                }
            });
            unrolled<Rows>([&](auto r) {
                const float* const a = activation + r * inputs + k;
                unrolled<all>([&](auto b) { add_product(sum[r * all + b], even[b], a[0]); });
                if constexpr (step == 2)
                    unrolled<all>([&](auto b) { add_product(sum[r * all + b], odd[b], a[1]); });
            });
        }
    }
    unrolled<Rows * all>([&](auto i) { sums[i] = sum[i]; });
}

template <int Blocks, int Rows = kTileRows, typename T>
TRACEBENCH_INLINE void tile_of(std::int64_t rows, const T* weights, std::int64_t inputs,
                               const float* activation, Lanes* sums) {
    if constexpr (Rows > 1) {
        if (rows < Rows) return tile_of<Blocks, Rows - 1>(rows, weights, inputs, activation, sums);
    }
    tile<Rows, Blocks, 1, Ahead::same>(weights, 0, inputs, activation, {}, sums);
}

template <typename T>
TRACEBENCH_INLINE Region region_of(const PackedMatrix& matrix, const T* weights, const Panel& panel) {
    return {weights + panel.offset, panel.blocks * kLanes * matrix.inputs() * std::int64_t{sizeof(T)}};
}

/// Multiplies the part's share of a matrix by `rows` activations [rows, inputs]; hands over what it gets as
/// sink(row, first output, sixteen values). `following`: what the thread reads after it, if it is known.
template <typename T, typename Sink>
TRACEBENCH_INLINE void product(const PackedMatrix& matrix, const T* weights, int part, std::int64_t rows,
                               const float* activation, const Region& following, const Sink& sink) {
    static_assert(kPanelBlocks == 3 && kLanes % kRequestStep == 0);
    const std::int64_t inputs = matrix.inputs(), full = rows / kTileRows;
    const auto [first, last] = matrix.part(part);
    Lanes sums[kTileRows * kPanelBlocks];
    for (std::size_t p = first; p < last; ++p) {
        const Panel& panel = matrix.panels()[p];
        const T* const from = weights + panel.offset;
        // One sequence alone has too few sums on the way to hide how long an addition takes.
        if (rows == 1 && p + 1 < last && matrix.panels()[p + 1].blocks == 3) {
            const Panel& other = matrix.panels()[++p];
            tile<1, 3, 2, Ahead::same>(from, other.offset - panel.offset, inputs, activation, {}, sums);
            for (int b = 0; b < 6; ++b) sink(0, (panel.block + b) * kLanes, sums[b]);
            continue;
        }
        // With so many the products of a panel take longer than the next one takes to come.
        const bool many = full > 2;
        const Region next = p + 1 < last ? region_of(matrix, weights, matrix.panels()[p + 1]) : following;
        for (std::int64_t row = 0; row < rows; row += kTileRows) {
            const std::int64_t count = std::min<std::int64_t>(rows - row, kTileRows);
            const float* const in = activation + row * inputs;
            if (panel.blocks == 3 && count == kTileRows && many && (row > 0 || p > first)) {
                tile<kTileRows, 3, 1, Ahead::next>(from, 0, inputs, in, next.share(row / kTileRows, full),
                                                   sums);
            } else if (panel.blocks == 3) {
                tile_of<3>(count, from, inputs, in, sums);
            } else if (panel.blocks == 2) {
                tile_of<2>(count, from, inputs, in, sums);
            } else {
                tile_of<1>(count, from, inputs, in, sums);
            }
            for (std::int64_t r = 0; r < count; ++r)
                for (int b = 0; b < panel.blocks; ++b)
                    sink(row + r, (panel.block + b) * kLanes, sums[r * panel.blocks + b]);
        }
    }
}

}  // namespace tracebench::ssm::decode::TRACEBENCH_DECODE_NAMESPACE
