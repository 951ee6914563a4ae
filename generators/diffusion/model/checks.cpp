#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "base/error.h"
#include "generators/diffusion/model/torch_diffusion_model.h"

namespace tracebench::diffusion {
namespace {

[[noreturn]] void refuse(const std::string& problem) {
    throw std::invalid_argument(problem);
}

template <typename T>
void check_size(std::string_view what, std::span<const T> values, std::int64_t expected, bool optional) {
    if (optional && values.empty()) return;
    if (static_cast<std::int64_t>(values.size()) != expected)
        refuse(fmt::format("a batch with {} {}, not {}", values.size(), what, expected));
}

void check_binary(std::string_view what, std::span<const std::uint8_t> values) {
    if (std::any_of(values.begin(), values.end(), [](std::uint8_t value) { return value > 1; }))
        refuse(fmt::format("{} that is neither 0 nor 1", what));
}

}  // namespace

std::int64_t TorchDiffusionModel::all_classes() const {
    return config_.classes + (adapter_ ? adapter_->config.new_classes : 0);
}

const Parameters& TorchDiffusionModel::stage_parameters(Stage stage) const {
    switch (stage) {
        case Stage::autoencoder:
            return autoencoder_;
        case Stage::denoiser:
            return denoiser_;
        case Stage::control:
            if (!control_) refuse("there is no control branch");
            return *control_;
        case Stage::adapter:
            if (!adapter_) refuse("there is no adapter");
            return adapter_->parameters;
    }
    refuse("an unknown stage");
}

Parameters& TorchDiffusionModel::stage_parameters(Stage stage) {
    return const_cast<Parameters&>(std::as_const(*this).stage_parameters(stage));
}

void TorchDiffusionModel::check(Stage stage, const RowBatch& batch) const {
    if (batch.samples < 1 || batch.rows < 1)
        refuse(fmt::format("a batch of {} samples of {} rows", batch.samples, batch.rows));
    if (stage != Stage::autoencoder && batch.rows > config_.longest)
        refuse(fmt::format("samples of {} rows; the longest is {}", batch.rows, config_.longest));
    const std::int64_t rows = batch.samples * batch.rows;
    const bool encoded = !batch.latents.empty() && stage != Stage::autoencoder;
    check_size("columns", batch.ternary, rows * config_.columns(), encoded);
    check_size("gaps", batch.gaps, rows, encoded);
    check_size("latent values", batch.latents, encoded ? rows * config_.latent : 0, false);
    check_size("mask values", batch.mask, rows, true);
    check_size("weights", batch.weights, rows, true);
    check_size("classes", batch.classes, batch.samples, true);
    check_size("first rows", batch.first_row, batch.samples, true);
    check_size("lengths", batch.lengths, batch.samples, true);
    check_size("control values", batch.control, rows * config_.control, stage != Stage::control);
    check_binary("a mask value", batch.mask);
    check_binary("a control value", batch.control);
    for (const std::int8_t value : batch.ternary)
        if (value < -1 || value > 1) refuse(fmt::format("a column of value {}", value));
    for (const float gap : batch.gaps)
        if (!std::isfinite(gap)) refuse(fmt::format("a gap of {}", gap));
    for (const float value : batch.latents)
        if (!std::isfinite(value)) refuse(fmt::format("a latent value of {}", value));
    for (const float weight : batch.weights)
        if (!(weight > 0 && std::isfinite(weight))) refuse(fmt::format("a weight of {}", weight));
    for (const std::int32_t value : batch.classes)
        if (value < -1 || value >= all_classes()) refuse(fmt::format("class {} of {}", value, all_classes()));
    for (std::size_t i = 0; i < batch.first_row.size(); ++i)
        if (batch.first_row[i] < 0 || batch.first_row[i] >= config_.longest)
            refuse(fmt::format("first row {} of {}", batch.first_row[i], config_.longest));
    for (const std::int64_t length : batch.lengths)
        if (length < 1 || length > config_.longest)
            refuse(fmt::format("a sample of {} rows; the longest is {}", length, config_.longest));
}

void TorchDiffusionModel::check(const SampleRequest& request) const {
    if (request.rows < 1 || request.rows > config_.longest)
        refuse(fmt::format("a sample of {} rows; the longest is {}", request.rows, config_.longest));
    if (request.class_id < -1 || request.class_id >= all_classes())
        refuse(fmt::format("class {} of {}", request.class_id, all_classes()));
    if (request.control.empty()) return;
    check_size("control values", request.control, request.rows * config_.control, false);
    check_binary("a control value", request.control);
    if (!control_)
        throw InputError("control", "this model was trained without a control branch",
                         "train one, or sample without control");
}

void TorchDiffusionModel::check(const SamplingOptions& options) const {
    if (options.steps < 1 || options.steps > 1000) refuse(fmt::format("{} steps", options.steps));
    if (!(options.guidance >= 0 && options.guidance <= 20))
        refuse(fmt::format("a guidance of {}", options.guidance));
    if (!(options.control_strength >= 0 && options.control_strength <= 2))
        refuse(fmt::format("a control strength of {}", options.control_strength));
    if (options.rows_at_once < 1) refuse(fmt::format("{} rows at once", options.rows_at_once));
    if (!std::is_sorted(options.preview_steps.begin(), options.preview_steps.end()))
        refuse("preview steps that do not ascend");
}

void TorchDiffusionModel::check(const AdapterConfig& config) const {
    if (config.rank < 1 || config.rank > 256) refuse(fmt::format("an adapter of rank {}", config.rank));
    if (!(config.alpha > 0 && config.alpha <= 1e6))
        refuse(fmt::format("an adapter with alpha {}", config.alpha));
    if (config.new_classes < 0 || config.new_classes > 4096)
        refuse(fmt::format("an adapter with {} new classes", config.new_classes));
}

}  // namespace tracebench::diffusion
