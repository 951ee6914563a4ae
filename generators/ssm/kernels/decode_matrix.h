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
/// stand side by side; in bfloat16 two inputs at a time, each row's two as one 32-bit word.
///
/// (VDPBF16PS would take them so. It is not used: where it was measured it does half the products a second
/// that two unpacked fused multiply-adds do, and it would round the activations too.)
struct Panel {
    std::int64_t block = 0;
    int blocks = 0;
    std::size_t offset = 0;  ///< elements from the start of the data
};

class PackedMatrix {
  public:
    /// `value(n, k)` for padded indices: output n of `outputs` (a multiple of 16), input k of `inputs`
    /// (even). `parts`: how many threads share a product; their work is even to a block.
    template <typename Value>
    PackedMatrix(std::int64_t outputs, std::int64_t inputs, bool bfloat16, int parts, Value value)
        : inputs_(inputs) {
        plan(outputs / kLanes, parts);
        const auto size = static_cast<std::size_t>(outputs * inputs);
        if (bfloat16) {
            half_ = AlignedArray<Bfloat16>(size);
        } else {
            single_ = AlignedArray<float>(size);
        }
        const std::int64_t pair = bfloat16 ? 2 : 1;
        for (const Panel& panel : panels_) {
            std::size_t at = panel.offset;
            for (std::int64_t k = 0; k < inputs; k += pair) {
                for (std::int64_t n = 0; n < panel.blocks * kLanes; ++n) {
                    for (std::int64_t i = 0; i < pair; ++i, ++at) {
                        const float weight = value(panel.block * kLanes + n, k + i);
                        if (bfloat16) {
                            half_[at] = from_float<Bfloat16>(weight);
                        } else {
                            single_[at] = weight;
                        }
                    }
                }
            }
        }
    }

    std::int64_t inputs() const { return inputs_; }
    const std::vector<Panel>& panels() const { return panels_; }
    /// Panels [first, second) of a thread.
    std::pair<std::size_t, std::size_t> part(int index) const {
        return {part_[static_cast<std::size_t>(index)], part_[static_cast<std::size_t>(index) + 1]};
    }
    /// Empty when the other is not.
    const float* single() const { return single_.data(); }
    const Bfloat16* half() const { return half_.data(); }

  private:
    void plan(std::int64_t blocks, int parts);

    std::int64_t inputs_;
    std::vector<Panel> panels_;
    std::vector<std::size_t> part_;
    AlignedArray<float> single_;
    AlignedArray<Bfloat16> half_;
};

}  // namespace tracebench::ssm::decode
