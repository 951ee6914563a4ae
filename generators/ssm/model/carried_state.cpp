#include "generators/ssm/model/carried_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "base/error.h"
#include "generators/ssm/model/parameters.h"

namespace tracebench::ssm {

void CarriedState::resize(std::int64_t rows) {
    layers_.clear();
    rows_ = rows;
    if (rows == 0) return;
    for (std::int64_t layer = 0; layer < config_.n_layer; ++layer)
        layers_.push_back({torch::zeros({rows, config_.d_conv - 1, config_.conv_channels()}, device_),
                           torch::zeros({rows, config_.heads(), config_.headdim, config_.d_state}, device_)});
}

void CarriedState::begin(std::int64_t rows, std::span<const std::uint8_t> continues) {
    const bool any = std::ranges::any_of(continues, [](std::uint8_t value) { return value != 0; });
    if (!continues.empty() && static_cast<std::int64_t>(continues.size()) != rows)
        throw std::invalid_argument(
            fmt::format("{} rows, {} of them said to continue or not", rows, continues.size()));
    if (any && rows != rows_)
        throw std::invalid_argument(
            fmt::format("a row continues, but the last call had {} rows, not {}", rows_, rows));
    if (!any) return resize(rows);
    for (std::int64_t row = 0; row < rows; ++row)
        if (continues[static_cast<std::size_t>(row)] == 0) forget_row(row);
}

void CarriedState::forget_row(std::int64_t row) {
    for (LayerState& layer : layers_) {
        layer.conv.select(0, row).zero_();
        layer.ssm.select(0, row).zero_();
    }
}

void CarriedState::save(std::vector<NamedTensor>& tensors) const {
    for (std::size_t layer = 0; layer < layers_.size(); ++layer) {
        tensors.push_back(to_named(fmt::format("carried.{}.conv", layer), layers_[layer].conv));
        tensors.push_back(to_named(fmt::format("carried.{}.ssm", layer), layers_[layer].ssm));
    }
}

void CarriedState::load(const std::vector<const NamedTensor*>& tensors, const std::string& file) {
    if (tensors.empty()) return forget();
    const auto find = [&](const std::string& name) -> const NamedTensor& {
        const auto found =
            std::ranges::find_if(tensors, [&](const NamedTensor* t) { return t->name == name; });
        if (found == tensors.end())
            throw InputError(file, fmt::format("tensor '{}' is missing", name),
                             "resume from another checkpoint");
        return **found;
    };
    if (static_cast<std::int64_t>(tensors.size()) != 2 * config_.n_layer)
        throw InputError(
            file, fmt::format("carried state of {} tensors, not {}", tensors.size(), 2 * config_.n_layer),
            "resume from another checkpoint");
    const NamedTensor& first = find("carried.0.ssm");
    const std::int64_t rows = first.shape.empty() ? 0 : first.shape.front();
    // A row has values, so this bounds what is allocated by what was already read.
    if (rows < 1 || rows > static_cast<std::int64_t>(first.values.size()))
        throw InputError(file, fmt::format("tensor '{}' has {} rows", first.name, rows),
                         "resume from another checkpoint");
    std::vector<LayerState> layers;
    for (std::int64_t layer = 0; layer < config_.n_layer; ++layer) {
        const NamedTensor& conv = find(fmt::format("carried.{}.conv", layer));
        const NamedTensor& ssm = find(fmt::format("carried.{}.ssm", layer));
        layers.push_back(
            {from_named(conv, {rows, config_.d_conv - 1, config_.conv_channels()}, file).to(device_),
             from_named(ssm, {rows, config_.heads(), config_.headdim, config_.d_state}, file).to(device_)});
    }
    rows_ = rows;
    layers_ = std::move(layers);
}

}  // namespace tracebench::ssm
