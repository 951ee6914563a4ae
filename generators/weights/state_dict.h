#pragma once
/// What the pickle of a PyTorch state dict says: which tensors, as views of which storages.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "generators/weights/float_formats.h"

namespace tracebench {

/// A tensor as torch._utils._rebuild_tensor_v2 gets it. Its elements lie within its storage, and it has no
/// more of them than that.
struct TensorView {
    std::string name;
    std::string storage;  ///< the member of the archive, below `data/`
    FloatFormat format = FloatFormat::float32;
    std::uint64_t storage_size = 0;     ///< in elements, as is what follows
    std::uint64_t offset = 0;           ///< of the first
    std::vector<std::int64_t> shape;    ///< at most 8 dimensions; empty: a scalar
    std::vector<std::int64_t> strides;  ///< one a dimension

    /// Its elements, row-major. `bytes` are those of the storage.
    std::vector<float> gather(std::span<const std::uint8_t> bytes) const;
};

/// In the order of the dict. Together they have at most twice the elements of their storages (tied weights),
/// whose sizes are as claimed: the caller compares them with what is there before it gathers anything.
/// Throws InputError beginning with `name`: see read_pytorch_bin().
std::vector<TensorView> read_state_dict(std::string_view pickle, const std::string& name);

}  // namespace tracebench
