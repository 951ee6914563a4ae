#pragma once
/// What rows keep from one call to the next, so that a sequence of any length is worked through in segments.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "generators/ssm/model/torch.h"
#include "generators/ssm/model_config.h"
#include "generators/weights/named_tensor.h"

namespace tracebench::ssm {

struct LayerState {
    torch::Tensor conv;  ///< [rows, d_conv - 1, conv_channels]: the last inputs of the convolution
    torch::Tensor ssm;   ///< [rows, heads, headdim, d_state]
};

class CarriedState {
  public:
    CarriedState(const ModelConfig& config, const torch::Device& device) : config_(config), device_(device) {}

    std::int64_t rows() const { return rows_; }
    LayerState& layer(std::int64_t index) { return layers_[static_cast<std::size_t>(index)]; }
    const LayerState& layer(std::int64_t index) const { return layers_[static_cast<std::size_t>(index)]; }

    /// Before a call: `continues` as in Batch. Throws std::invalid_argument where a row continues that was
    /// not there in the last call.
    void begin(std::int64_t rows, std::span<const std::uint8_t> continues);
    void forget() { resize(0); }
    void forget_row(std::int64_t row);

    /// `carried.LAYER.conv`, `carried.LAYER.ssm`; nothing where there are no rows.
    void save(std::vector<NamedTensor>& tensors) const;
    static bool is_name(const std::string& tensor) { return tensor.starts_with("carried."); }
    /// From those of `tensors` that are carried state. Throws InputError naming `file` and the tensor.
    void load(const std::vector<const NamedTensor*>& tensors, const std::string& file);

  private:
    void resize(std::int64_t rows);

    ModelConfig config_;
    torch::Device device_;
    std::int64_t rows_ = 0;
    std::vector<LayerState> layers_;
};

}  // namespace tracebench::ssm
