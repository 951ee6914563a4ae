#pragma once
/// Matrices of the decoding kernel, repacked so that a product reads them once, from end to end.

#include <cstdint>
#include <utility>
#include <vector>

#include "generators/ssm/kernels/decode_layout.h"
#include "generators/ssm/kernels/decode_memory.h"
#include "generators/ssm/kernels/vector_math.h"

namespace tracebench::ssm::decode {

/// Blocks of 16 output rows that a panel interleaves at most: as many registers of weights as leave room for
/// the sums of eight sequences.
constexpr int kPanelBlocks = 3;

/// Output rows [16 * block, 16 * (block + blocks)) of a matrix. For each input k, in order, their weights
/// stand side by side; in bfloat16 two inputs at a time, each row's two as one 32-bit word, as matrix units
/// take them (decode_tiles.h).
///
/// (VDPBF16PS would take them so. It is not used: where it was measured it does half the products a second
/// that two unpacked fused multiply-adds do, and it would round the activations too.)
struct Panel {
    std::int64_t block = 0;
    int blocks = 0;
    std::size_t offset = 0;  ///< elements from the matrix's first
};

/// Where packed weights go: one array for all of a model, of which the system then makes huge pages.
struct WeightStore {
    WeightStore(std::size_t size, bool rounded)
        : single(rounded ? 0 : size), half(rounded ? size + kReadBehind : 0), bfloat16(rounded) {}

    /// Matrix units read so many behind a matrix at most (decode_tiles.h).
    static constexpr std::size_t kReadBehind = 16 * kPanelBlocks * kLanes;

    AlignedArray<float> single;
    AlignedArray<Bfloat16> half;
    bool bfloat16;
    std::size_t used = 0;
};

class PackedMatrix {
  public:
    /// Takes outputs * inputs places of the store. `value(n, k)` is the weight of output n (of a multiple of
    /// 16) and input k (of an even number). `parts`: how many shares threads divide a product into.
    template <typename Value>
    PackedMatrix(WeightStore& store, std::int64_t outputs, std::int64_t inputs, int parts, Value value)
        : inputs_(inputs), first_(store.used) {
        plan(outputs / kLanes, parts);
        const std::int64_t step = store.bfloat16 ? 2 : 1;
        for (const Panel& panel : panels_) {
            for (std::int64_t k = 0; k < inputs; k += step) {
                for (std::int64_t n = 0; n < panel.blocks * kLanes; ++n) {
                    for (std::int64_t i = 0; i < step; ++i, ++store.used) {
                        const float weight = value(panel.block * kLanes + n, k + i);
                        if (store.bfloat16) {
                            store.half[store.used] = from_float<Bfloat16>(weight);
                        } else {
                            store.single[store.used] = weight;
                        }
                    }
                }
            }
        }
    }

    std::int64_t inputs() const { return inputs_; }
    /// Of its weights in the store.
    std::size_t first() const { return first_; }
    const std::vector<Panel>& panels() const { return panels_; }
    /// Panels [first, second) of a share.
    std::pair<std::size_t, std::size_t> part(int index) const {
        return {part_[static_cast<std::size_t>(index)], part_[static_cast<std::size_t>(index) + 1]};
    }

  private:
    void plan(std::int64_t blocks, int parts);

    std::int64_t inputs_;
    std::size_t first_;
    std::vector<Panel> panels_;
    std::vector<std::size_t> part_;
};

}  // namespace tracebench::ssm::decode
