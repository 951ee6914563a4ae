#pragma once
/// The JSON header of a safetensors file (https://huggingface.co/docs/safetensors): which tensors, and where.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "generators/weights/float_formats.h"

namespace tracebench {

struct SafetensorsEntry {
    std::string name;
    FloatFormat format = FloatFormat::float32;
    std::vector<std::int64_t> shape;   ///< empty: a scalar
    std::uint64_t begin = 0, end = 0;  ///< bytes of the data, which follow the header
};

/// Entries in the order of the header; together they cover `data_size` bytes without gap or overlap, each as
/// many as its shape and type need. `__metadata__` is checked, and kept if `metadata` is given. Memory grows
/// with what is kept of `text`, never with what it claims. Throws InputError naming `name` and the tensor:
/// not JSON, another layout, a name twice, a type other than F32, F16, BF16 and F64, over 131,072 tensors or
/// 8 dimensions.
std::vector<SafetensorsEntry> parse_safetensors_header(
    std::string_view text, std::uint64_t data_size, const std::string& name,
    std::map<std::string, std::string>* metadata = nullptr);

}  // namespace tracebench
