#include "generators/ssm/kernels/decode_matrix.h"

#include <algorithm>

namespace tracebench::ssm::decode {

void PackedMatrix::plan(std::int64_t blocks, int parts) {
    std::size_t offset = 0;
    for (int p = 0; p < parts; ++p) {
        part_.push_back(panels_.size());
        const std::int64_t end = blocks * (p + 1) / parts;
        for (std::int64_t block = blocks * p / parts; block < end;) {
            const auto count = static_cast<int>(std::min<std::int64_t>(kPanelBlocks, end - block));
            panels_.push_back({block, count, offset});
            offset += static_cast<std::size_t>(count * kLanes * inputs_);
            block += count;
        }
    }
    part_.push_back(panels_.size());
}

}  // namespace tracebench::ssm::decode
