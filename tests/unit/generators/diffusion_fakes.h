#pragma once
/// A diffusion model small enough to see through, for tests of what works with any.

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/random.h"
#include "generators/diffusion/diffusion_model.h"
#include "generators/diffusion/model_rows.h"
#include "support.h"

namespace tracebench::diffusion::testing {

/// Learns nothing but the mean of each column: the autoencoder over all rows, the denoiser by class. A row
/// that it makes has the nearest ternary value of its class's means, with one column flipped at random. Steps
/// have momentum, so that a resume without the moments shows.
class FakeModel : public DiffusionModel {
  public:
    FakeModel(const ModelConfig& config, std::uint64_t seed) : config_(config) {
        Random random(seed);
        parts_[at(Part::autoencoder)] = {tensor("mean", 1, random)};
        parts_[at(Part::denoiser)] = parts_[at(Part::averaged)] = {tensor("means", config.classes, random)};
    }

    const ModelConfig& config() const override { return config_; }
    const ComputeOptions& compute() const override { return compute_; }

    StepResult train_step(Stage stage, const RowBatch& batch, const OptimizerStep& step,
                          std::uint64_t seed) override {
        stages.push_back(stage);
        learning_rates.push_back(step.learning_rate);
        rows_seen.push_back(batch.samples * batch.rows);
        with_control += !batch.control.empty();
        StepResult result;
        result.loss = loss_of(stage, batch);
        result.gradient_norm = diverge ? std::nan("") : 1;
        if (diverge) return result;
        Random random(seed);
        NamedTensor& values = trained(stage);
        std::vector<float>& moments = moments_[static_cast<std::size_t>(stage)];
        moments.resize(values.values.size());
        each_value(stage, batch, [&](std::size_t i, float value) {
            moments[i] = 0.5F * moments[i] + (value - values.values[i]) / static_cast<float>(batch.rows);
        });
        for (std::size_t i = 0; i < moments.size(); ++i)
            values.values[i] += static_cast<float>(step.learning_rate) *
                                (moments[i] + static_cast<float>(1e-3 * random.normal()));
        if (stage == Stage::denoiser) parts_[at(Part::averaged)] = parts_[at(Part::denoiser)];
        return result;
    }
    Loss evaluate(Stage stage, const RowBatch& batch, std::uint64_t) override {
        return loss_of(stage, batch);
    }
    void standardise_latents(const RowBatch& batch) override { standardised = batch.rows; }
    /// Latents are the columns themselves.
    std::vector<float> encode(const RowBatch& batch) override {
        return {batch.ternary.begin(), batch.ternary.end()};
    }

    void add_control() override { parts_[at(Part::control)] = {{"strength", {1}, {0.F}}}; }
    bool has_control() const override { return !parts_[at(Part::control)].empty(); }
    void add_adapter(const AdapterConfig& adapter, std::uint64_t seed) override {
        Random random(seed);
        adapter_ = adapter;
        parts_[at(Part::adapter)] = {tensor("new", std::max<std::int64_t>(1, adapter.new_classes), random)};
    }
    void set_adapter(const AdapterConfig& adapter, const std::vector<NamedTensor>& tensors,
                     const std::string& name) override {
        add_adapter(adapter, 1);
        set_parameters(Part::adapter, tensors, name);
    }
    std::optional<AdapterConfig> adapter() const override { return adapter_; }
    void merge_adapter() override {
        const std::size_t count = static_cast<std::size_t>(adapter_->new_classes * config_.columns());
        for (const Part part : {Part::denoiser, Part::averaged}) {
            NamedTensor& means = parts_[at(part)][0];
            const auto& added = parts_[at(Part::adapter)][0].values;
            means.values.insert(means.values.end(), added.begin(), added.begin() + static_cast<long>(count));
            means.shape[0] += adapter_->new_classes;
        }
        config_.classes += adapter_->new_classes;
        adapter_.reset();
        parts_[at(Part::adapter)].clear();
    }

    std::vector<SampledRows> sample(std::span<const SampleRequest> requests,
                                    const SamplingOptions& options) override {
        asked.insert(asked.end(), requests.begin(), requests.end());
        for (std::size_t i = 0; i < requests.size(); ++i)
            controls.emplace_back(requests[i].control.begin(), requests[i].control.end());
        std::vector<SampledRows> all;
        for (const SampleRequest& request : requests) {
            Random random(request.seed);
            const std::vector<float> means = class_means(request.class_id);
            SampledRows& rows = all.emplace_back();
            for (std::int64_t i = 0; i < request.rows; ++i) {
                const std::size_t begin = rows.ternary.size(), flipped = random.below(kNprintColumns);
                for (const float mean : means)
                    rows.ternary.push_back(static_cast<std::int8_t>(std::clamp(std::lround(mean), -1L, 1L)));
                rows.ternary[begin + flipped] =
                    static_cast<std::int8_t>(rows.ternary[begin + flipped] == 1 ? 0 : 1);
                rows.ternary[begin + model_column::there] = 1;
                rows.ternary[begin + model_column::new_flow] = i == 0;
                rows.gaps.push_back(i == 0 ? -1.F : static_cast<float>(random.uniform(-1, 0)));
            }
            for (std::size_t i = 0; i < options.preview_steps.size(); ++i)
                rows.previews.push_back(rows.ternary);
        }
        if (options.progress) options.progress(1);
        return all;
    }
    SampledRows reconstruct(const RowBatch& batch) override {
        SampledRows rows{
            {batch.ternary.begin(), batch.ternary.end()}, {batch.gaps.begin(), batch.gaps.end()}, {}};
        rows.ternary[0] = static_cast<std::int8_t>(rows.ternary[0] == 1 ? 0 : 1);
        return rows;
    }

    std::vector<NamedTensor> parameters(Part part) const override { return parts_[at(part)]; }
    void set_parameters(Part part, const std::vector<NamedTensor>& tensors,
                        const std::string& name) override {
        if (part == Part::control && !has_control()) add_control();
        std::vector<NamedTensor>& own = parts_[at(part)];
        if (tensors.size() != 1 || tensors[0].name != own[0].name || tensors[0].shape != own[0].shape)
            throw InputError(name, "does not hold " + own[0].name);
        own = tensors;
        if (part == Part::denoiser) parts_[at(Part::averaged)] = own;
    }
    std::vector<NamedTensor> training_state(Stage stage) const override {
        const std::vector<float>& moments = moments_[static_cast<std::size_t>(stage)];
        return {{"moments", {static_cast<std::int64_t>(moments.size())}, moments}};
    }
    void set_training_state(Stage stage, const std::vector<NamedTensor>& tensors,
                            const std::string&) override {
        moments_[static_cast<std::size_t>(stage)] = tensors.at(0).values;
    }

    // What it was asked.
    std::vector<Stage> stages;
    std::vector<double> learning_rates;
    std::vector<std::int64_t> rows_seen;
    std::vector<SampleRequest> asked;
    std::vector<std::vector<std::uint8_t>> controls;
    std::int64_t standardised = 0, with_control = 0;
    bool diverge = false;

  private:
    static std::size_t at(Part part) { return static_cast<std::size_t>(part); }
    NamedTensor tensor(const std::string& name, std::int64_t rows, Random& random) const {
        NamedTensor tensor{name, {rows, config_.columns()}, {}};
        for (std::int64_t i = 0; i < tensor.size(); ++i)
            tensor.values.push_back(static_cast<float>(0.1 * random.normal()));
        return tensor;
    }
    NamedTensor& trained(Stage stage) {
        const Part part = stage == Stage::autoencoder ? Part::autoencoder
                          : stage == Stage::denoiser  ? Part::denoiser
                          : stage == Stage::control   ? Part::control
                                                      : Part::adapter;
        return parts_[at(part)].at(0);
    }
    std::vector<float> class_means(std::int32_t id) const {
        const bool added = id >= config_.classes;
        const NamedTensor& means = parts_[at(added ? Part::adapter : Part::averaged)].at(0);
        const auto begin = means.values.begin() + (id - (added ? config_.classes : 0)) * config_.columns();
        return {begin, begin + config_.columns()};
    }
    /// The value that each number of the stage's tensor should have, as each row that counts says.
    template <typename Use>
    void each_value(Stage stage, const RowBatch& batch, const Use& use) const {
        if (stage == Stage::control) return;
        const std::int64_t columns = config_.columns();
        for (std::int64_t s = 0; s < batch.samples; ++s)
            for (std::int64_t r = 0; r < batch.rows; ++r) {
                const std::int64_t row = s * batch.rows + r;
                if (!batch.mask.empty() && batch.mask[static_cast<std::size_t>(row)] == 0) continue;
                std::int64_t place = 0;
                if (stage == Stage::denoiser) place = batch.classes[static_cast<std::size_t>(s)];
                if (stage == Stage::adapter) {
                    place = batch.classes[static_cast<std::size_t>(s)] - config_.classes;
                    if (place < 0) continue;
                }
                for (std::int64_t c = 0; c < columns; ++c) {
                    const auto from = static_cast<std::size_t>(row * columns + c);
                    use(static_cast<std::size_t>(place * columns + c),
                        batch.ternary.empty() ? batch.latents[from]
                                              : static_cast<float>(batch.ternary[from]));
                }
            }
    }
    Loss loss_of(Stage stage, const RowBatch& batch) {
        Loss loss;
        std::int64_t count = 0;
        const NamedTensor& values = trained(stage);
        each_value(stage, batch, [&](std::size_t i, float value) {
            loss.mean += std::pow(static_cast<double>(value - values.values[i]), 2);
            ++count;
        });
        if (count > 0) loss.mean /= static_cast<double>(count);
        loss.rows = std::max<std::int64_t>(1, count / config_.columns());
        return loss;
    }

    ModelConfig config_;
    ComputeOptions compute_;
    std::vector<NamedTensor> parts_[5];
    std::vector<float> moments_[4];
    std::optional<AdapterConfig> adapter_;
};

inline ModelConfig fake_config(std::int64_t classes) {
    ModelConfig config;
    config.classes = classes;
    config.fixed.assign(kTernary, kVaries);
    return config;
}

/// Rows of a made-up session, repeated until there are `count`.
inline ModelRows rows_of(std::uint16_t number, std::size_t count) {
    const ModelRows once = model_rows(packet_image(tracebench::testing::web_session(number)));
    ModelRows rows;
    for (std::size_t i = 0; i < count; ++i) {
        const auto row = once.row(i % once.rows());
        rows.ternary.insert(rows.ternary.end(), row.begin(), row.end());
        rows.log_gap.push_back(once.log_gap[i % once.rows()]);
    }
    return rows;
}

}  // namespace tracebench::diffusion::testing
