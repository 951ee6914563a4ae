#pragma once
/// Products of bfloat16 weights on a processor's matrix units (Intel AMX); included like decode_lanes.h.
///
/// Activations are not rounded to bfloat16: each is split into two such numbers, whose products are added one
/// after the other, so that 16 digits of its mantissa count.

#include "generators/ssm/kernels/decode_product.h"

namespace tracebench::ssm::decode::TRACEBENCH_DECODE_NAMESPACE {

/// Rows of a tile; inputs of one step over two tiles.
constexpr std::int64_t kTile = 16, kTileInputs = 2 * kTile;

/// The shapes of all tile registers, as LDTILECFG takes them (Intel SDM volume 1, section 18.2): rows of
/// 64 bytes. Activations and sums have as many as there are sequences, up to 16; weights have 16. With one
/// group of sequences registers 0-2 are sums, 3-5 weights, 6 and 7 activations; with more, 0-2 are sums of
/// one group, 3-5 of another, 6 is activations and 7 weights.
class TileShapes {
  public:
    explicit TileShapes(std::int64_t rows) {
        alignas(64) struct {
            std::uint8_t palette = 1, start = 0, reserved[14] = {};
            std::uint16_t bytes[16] = {};
            std::uint8_t rows[16] = {};
        } shapes;
        for (int i = 0; i < 8; ++i) {
            shapes.bytes[i] = 64;
            const bool weights = rows > kTile ? i == 7 : i >= 3 && i <= 5;
            shapes.rows[i] = static_cast<std::uint8_t>(weights || rows > kTile ? kTile : rows);
        }
        // GCC 12 takes LDTILECFG to read eight bytes and would leave out what writes the others.
        asm volatile("" ::"r"(&shapes) : "memory");
        _tile_loadconfig(&shapes);
    }
    ~TileShapes() { _tile_release(); }
    TileShapes(const TileShapes&) = delete;
    TileShapes& operator=(const TileShapes&) = delete;
};

/// Activations [rows, inputs] as upper and lower parts: each [rows, inputs padded to kTileInputs].
class SplitActivations {
  public:
    SplitActivations(Bfloat16* memory, std::int64_t rows, std::int64_t inputs)
        : upper_(memory),
          width_((inputs + kTileInputs - 1) / kTileInputs * kTileInputs),
          lower_(memory + padded_rows(rows) * width_) {}

    void split(const float* activation, std::int64_t rows, std::int64_t inputs) {
        for (std::int64_t r = 0; r < rows; ++r) {
            Bfloat16 *const upper = upper_ + r * width_, *const lower = lower_ + r * width_;
            const float* const from = activation + r * inputs;
#pragma GCC ivdep
            for (std::int64_t i = 0; i < inputs; ++i) {
                upper[i] = from_float<Bfloat16>(from[i]);
                lower[i] = from_float<Bfloat16>(from[i] - to_float(upper[i]));
            }
            for (std::int64_t i = inputs; i < width_; ++i) upper[i] = lower[i] = {0};
        }
    }
    /// Groups of 16 come in twos, unless there is one.
    static std::int64_t padded_rows(std::int64_t rows) {
        return rows <= kTile ? kTile : (rows + 2 * kTile - 1) / (2 * kTile) * (2 * kTile);
    }
    const Bfloat16* upper(std::int64_t row) const {
        return upper_ + row * width_;
    }
    const Bfloat16* lower(std::int64_t row) const {
        return lower_ + row * width_;
    }
    std::int64_t width() const {
        return width_;
    }

  private:
    Bfloat16* upper_;
    std::int64_t width_;
    Bfloat16* lower_;
};

/// One panel of `Blocks` blocks by up to 16 sequences. `sums`: [Blocks, 16, 16]. Where the inputs are no
/// multiple of kTileInputs it also reads weights behind the panel's, which meet zeros.
template <int Blocks>
void tile_sums(const Bfloat16* weights, const SplitActivations& activations, float* sums) {
    const std::int64_t stride = activations.width() * std::int64_t{sizeof(Bfloat16)};
    constexpr std::int64_t weight_stride = Blocks * 64;
    asm volatile("" ::: "memory");
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    for (std::int64_t k = 0; k < activations.width(); k += kTileInputs) {
        for (std::int64_t i = 0; i < Blocks * kTile; ++i) prefetch(weights + 32 * i, kWeightsAhead);
        _tile_loadd(6, activations.upper(0) + k, stride);
        _tile_loadd(3, weights, weight_stride);
        _tile_dpbf16ps(0, 6, 3);
        if constexpr (Blocks > 1) {
            _tile_loadd(4, weights + 32, weight_stride);
            _tile_dpbf16ps(1, 6, 4);
        }
        if constexpr (Blocks > 2) {
            _tile_loadd(5, weights + 64, weight_stride);
            _tile_dpbf16ps(2, 6, 5);
        }
        _tile_loadd(7, activations.lower(0) + k, stride);
        _tile_dpbf16ps(0, 7, 3);
        if constexpr (Blocks > 1) _tile_dpbf16ps(1, 7, 4);
        if constexpr (Blocks > 2) _tile_dpbf16ps(2, 7, 5);
        weights += Blocks * kTile * kTileInputs;
    }
    _tile_stored(0, sums, 64);
    if constexpr (Blocks > 1) _tile_stored(1, sums + 256, 64);
    if constexpr (Blocks > 2) _tile_stored(2, sums + 512, 64);
    asm volatile("" ::: "memory");
}

/// The same by two groups of 16, from `row` on. `sums`: [2, Blocks, 16, 16].
template <int Blocks>
void two_tile_sums(const Bfloat16* weights, const SplitActivations& activations, std::int64_t row,
                   float* sums) {
    const std::int64_t stride = activations.width() * std::int64_t{sizeof(Bfloat16)};
    constexpr std::int64_t weight_stride = Blocks * 64;
    asm volatile("" ::: "memory");
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    _tile_zero(4);
    _tile_zero(5);
    for (std::int64_t k = 0; k < activations.width(); k += kTileInputs) {
        for (std::int64_t i = 0; i < Blocks * kTile; ++i) prefetch(weights + 32 * i, kWeightsAhead);
        for (const bool lower : {false, true}) {
            const Bfloat16* const in = (lower ? activations.lower(row) : activations.upper(row)) + k;
            _tile_loadd(6, in, stride);
            _tile_loadd(7, weights, weight_stride);
            _tile_dpbf16ps(0, 6, 7);
            if constexpr (Blocks > 1) {
                _tile_loadd(7, weights + 32, weight_stride);
                _tile_dpbf16ps(1, 6, 7);
            }
            if constexpr (Blocks > 2) {
                _tile_loadd(7, weights + 64, weight_stride);
                _tile_dpbf16ps(2, 6, 7);
            }
            _tile_loadd(6, in + kTile * activations.width(), stride);
            if constexpr (Blocks > 2) _tile_dpbf16ps(5, 6, 7);
            if constexpr (Blocks > 1) {
                _tile_loadd(7, weights + 32, weight_stride);
                _tile_dpbf16ps(4, 6, 7);
            }
            _tile_loadd(7, weights, weight_stride);
            _tile_dpbf16ps(3, 6, 7);
        }
        weights += Blocks * kTile * kTileInputs;
    }
    float* const second = sums + Blocks * 256;
    _tile_stored(0, sums, 64);
    _tile_stored(3, second, 64);
    if constexpr (Blocks > 1) {
        _tile_stored(1, sums + 256, 64);
        _tile_stored(4, second + 256, 64);
    }
    if constexpr (Blocks > 2) {
        _tile_stored(2, sums + 512, 64);
        _tile_stored(5, second + 512, 64);
    }
    asm volatile("" ::: "memory");
}

/// As product().
template <typename Sink>
TRACEBENCH_INLINE void tile_product(const PackedMatrix& matrix, const Bfloat16* weights, int part,
                                    std::int64_t rows, const SplitActivations& activations,
                                    const Sink& sink) {
    const auto [first, last] = matrix.part(part);
    alignas(64) float sums[2 * kPanelBlocks * kTile * kTile];
    for (std::size_t p = first; p < last; ++p) {
        const Panel& panel = matrix.panels()[p];
        const Bfloat16* const from = weights + panel.offset;
        for (std::int64_t row = 0; row < rows; row += 2 * kTile) {
            if (rows > kTile) {
                if (panel.blocks == 3) two_tile_sums<3>(from, activations, row, sums);
                if (panel.blocks == 2) two_tile_sums<2>(from, activations, row, sums);
                if (panel.blocks == 1) two_tile_sums<1>(from, activations, row, sums);
            } else {
                if (panel.blocks == 3) tile_sums<3>(from, activations, sums);
                if (panel.blocks == 2) tile_sums<2>(from, activations, sums);
                if (panel.blocks == 1) tile_sums<1>(from, activations, sums);
            }
            const std::int64_t count = std::min(rows - row, 2 * kTile);
            for (std::int64_t r = 0; r < count; ++r) {
                for (int b = 0; b < panel.blocks; ++b) {
                    Lanes sum;
                    load(sum, sums + ((r / kTile * panel.blocks + b) * kTile + r % kTile) * kTile);
                    sink(row + r, (panel.block + b) * kLanes, sum);
                }
            }
        }
    }
}

}  // namespace tracebench::ssm::decode::TRACEBENCH_DECODE_NAMESPACE
