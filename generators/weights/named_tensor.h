#pragma once
/// A parameter on its way between a file and a model: 32-bit floats on the host.

#include <cstdint>
#include <string>
#include <vector>

namespace tracebench {

struct NamedTensor {
    std::string name;  ///< as in mamba_ssm: `backbone.layers.0.mixer.in_proj.weight`
    std::vector<std::int64_t> shape;
    std::vector<float> values;  ///< row-major

    std::int64_t size() const {
        std::int64_t product = 1;
        for (const std::int64_t extent : shape) product *= extent;
        return product;
    }
};

}  // namespace tracebench
