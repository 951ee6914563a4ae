#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "generators/diffusion/model/torch_diffusion_model.h"

namespace tracebench::diffusion {
namespace {

constexpr std::int64_t rows_at_once = 4096;  // of the autoencoder where no gradient is asked for
constexpr double least_scale = 1e-4;

std::vector<std::uint8_t> mask_or_ones(const RowBatch& batch) {
    if (!batch.mask.empty()) return {batch.mask.begin(), batch.mask.end()};
    return std::vector<std::uint8_t>(static_cast<std::size_t>(batch.samples * batch.rows), 1);
}

/// The rows that count, one after another.
std::vector<std::int8_t> counting_rows(const RowBatch& batch, std::size_t columns) {
    const std::vector<std::uint8_t> mask = mask_or_ones(batch);
    std::vector<std::int8_t> ternary;
    for (std::size_t row = 0; row < mask.size(); ++row)
        if (mask[row] != 0) {
            const auto values = batch.ternary.subspan(row * columns, columns);
            ternary.insert(ternary.end(), values.begin(), values.end());
        }
    return ternary;
}

torch::Tensor floats(const std::vector<std::uint8_t>& values, torch::IntArrayRef shape) {
    torch::Tensor tensor = torch::empty(shape, torch::kFloat);
    std::copy(values.begin(), values.end(), tensor.data_ptr<float>());
    return tensor;
}

/// Half of the rows take each of their bits from another row of the batch with this chance, where both have
/// it: so the autoencoder learns to carry values that no row of the training has together.
constexpr double crossed_bits = 0.1;
constexpr double turned_bits = 0.02;

void cross_over(torch::Tensor& inputs, std::uint64_t seed) {
    const std::int64_t rows = inputs.size(0), width = inputs.size(2);
    const torch::Tensor whole = inputs.clone();
    const float* from = whole.data_ptr<float>();
    float* to = inputs.data_ptr<float>();
    Random random(seed);
    const auto gap = static_cast<std::uint64_t>(2 / crossed_bits);
    for (std::int64_t row = 0; row < rows; row += 2)
        for (auto i = static_cast<std::int64_t>(random.below(gap)); i < width;
             i += 1 + static_cast<std::int64_t>(random.below(gap))) {
            const auto other = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(rows)));
            const float bit = from[(2 * other + 1) * width + i];
            float& mine = to[(2 * row + 1) * width + i];
            if (bit != 0 && mine != 0) mine = random.chance(turned_bits) ? -mine : bit;
        }
}

}  // namespace

Weights TorchDiffusionModel::stage_weights(Stage stage, bool training) const {
    Weights weights;
    if (stage == Stage::adapter) {
        add_adapted(weights, denoiser_, adapter_.value(), !training);
    } else if (stage == Stage::control) {
        denoiser_.add_averages(weights);
        training ? stage_parameters(stage).add_values(weights)
                 : stage_parameters(stage).add_averages(weights);
    } else {
        training ? stage_parameters(stage).add_values(weights)
                 : stage_parameters(stage).add_averages(weights);
    }
    return weights;
}

torch::Tensor TorchDiffusionModel::autoencoder_loss(const Weights& weights, const RowBatch& batch,
                                                    std::uint64_t* noise_seed, Loss& loss) const {
    const std::vector<std::int8_t> ternary = counting_rows(batch, config_.fixed.size());
    const std::int64_t rows = static_cast<std::int64_t>(ternary.size()) / config_.columns();
    loss.rows = rows;
    if (rows == 0) return {};
    torch::Tensor inputs = rows_.inputs(ternary);
    if (noise_seed != nullptr) cross_over(inputs, stream_seed(*noise_seed, "rows"));
    inputs = inputs.to(device_);
    torch::Tensor latent = rows_.encode(weights, inputs, operations_);
    if (noise_seed != nullptr)
        latent = latent + config_.latent_noise * normal_numbers(latent.sizes(), *noise_seed).to(device_);
    const torch::Tensor logits = rows_.decode(weights, latent, operations_);
    const torch::Tensor nats = rows_.cross_entropy(logits, inputs) / static_cast<double>(rows);
    loss.mean = nats.item<double>();
    return nats;
}

torch::Tensor TorchDiffusionModel::latents_of(const RowBatch& batch) const {
    const torch::NoGradGuard no_gradients;
    Weights weights;
    autoencoder_.add_averages(weights);
    const std::int64_t rows = batch.samples * batch.rows;
    if (!batch.latents.empty()) {
        torch::Tensor given = torch::empty({rows, config_.latent}, torch::kFloat);
        std::copy(batch.latents.begin(), batch.latents.end(), given.data_ptr<float>());
        return given.to(device_);
    }
    torch::Tensor latents = torch::empty({rows, config_.latent}, device_);
    for (std::int64_t first = 0; first < rows; first += rows_at_once) {
        const std::int64_t count = std::min(rows_at_once, rows - first);
        const auto ternary = batch.ternary.subspan(static_cast<std::size_t>(first * config_.columns()),
                                                   static_cast<std::size_t>(count * config_.columns()));
        latents.narrow(0, first, count)
            .narrow(1, 0, config_.latent - 1)
            .copy_(rows_.encode(weights, rows_.inputs(ternary).to(device_), operations_));
    }
    torch::Tensor gaps = torch::empty(rows, torch::kFloat);
    std::copy(batch.gaps.begin(), batch.gaps.end(), gaps.data_ptr<float>());
    latents.select(1, config_.latent - 1).copy_(gaps);
    return latents;
}

std::vector<float> TorchDiffusionModel::encode(const RowBatch& batch) {
    check(Stage::autoencoder, batch);
    return with_torch([&] {
        const torch::Tensor latents = latents_of(batch).to(torch::kCPU).contiguous();
        return std::vector<float>(latents.data_ptr<float>(), latents.data_ptr<float>() + latents.numel());
    });
}

void TorchDiffusionModel::standardise_latents(const RowBatch& batch) {
    check(Stage::autoencoder, batch);
    with_torch([&] {
        const torch::NoGradGuard no_gradients;
        const torch::Tensor mask =
            floats(mask_or_ones(batch), batch.samples * batch.rows).to(device_, torch::kDouble);
        const torch::Tensor count = mask.sum().clamp_min(1);
        const torch::Tensor latents = latents_of(batch).to(torch::kDouble);
        const torch::Tensor mean = (latents * mask.unsqueeze(1)).sum(0) / count;
        const torch::Tensor variance = ((latents - mean).square() * mask.unsqueeze(1)).sum(0) / count;
        const torch::Tensor scale = variance.sqrt();
        latent_mean_ = mean.to(torch::kFloat);
        latent_scale_ = at::where(scale < least_scale, torch::ones_like(scale), scale).to(torch::kFloat);
    });
}

TorchDiffusionModel::Sequences TorchDiffusionModel::sequences(Stage stage, const RowBatch& batch) const {
    const torch::NoGradGuard no_gradients;
    const std::int64_t multiple = row_multiple(config_);
    const std::int64_t padding = (multiple - batch.rows % multiple) % multiple;
    const torch::Tensor inside =
        at::constant_pad_nd(floats(mask_or_ones(batch), {batch.samples, batch.rows}), {0, padding});
    std::vector<std::int64_t> first(batch.first_row.begin(), batch.first_row.end());
    first.resize(static_cast<std::size_t>(batch.samples), 0);
    std::vector<std::int64_t> lengths(batch.lengths.begin(), batch.lengths.end());
    if (lengths.empty())
        for (std::int64_t i = 0; i < batch.samples; ++i)
            lengths.push_back(first[static_cast<std::size_t>(i)] +
                              static_cast<std::int64_t>(inside[i].sum().item<double>()));

    Sequences result;
    result.places = places(config_, inside.to(device_), first, lengths);
    const torch::Tensor latents = ((latents_of(batch) - latent_mean_) / latent_scale_)
                                      .view({batch.samples, batch.rows, config_.latent});
    result.latents =
        at::constant_pad_nd(latents, {0, 0, 0, padding}) * result.places.masks.front().unsqueeze(2);
    if (!batch.weights.empty()) {
        torch::Tensor weights = torch::empty({batch.samples, batch.rows, 1}, torch::kFloat);
        std::copy(batch.weights.begin(), batch.weights.end(), weights.data_ptr<float>());
        result.weights = at::constant_pad_nd(weights, {0, 0, 0, padding}).to(device_);
    }
    if (stage == Stage::control) {
        const torch::Tensor layout = floats({batch.control.begin(), batch.control.end()},
                                            {batch.samples, batch.rows, config_.control});
        result.layout = at::constant_pad_nd(layout, {0, 0, 0, padding}).to(device_);
    }
    return result;
}

torch::Tensor TorchDiffusionModel::class_rows(std::span<const std::int32_t> classes,
                                              std::int64_t samples) const {
    torch::Tensor rows = torch::full(samples, all_classes(), torch::kLong);
    for (std::size_t i = 0; i < classes.size(); ++i)
        if (classes[i] >= 0) rows[static_cast<std::int64_t>(i)] = classes[i];
    return rows;
}

torch::Tensor TorchDiffusionModel::denoising_loss(Stage stage, const Weights& weights, const RowBatch& batch,
                                                  std::uint64_t seed, double class_dropout, bool training,
                                                  Loss& loss) const {
    const Sequences given = sequences(stage, batch);
    Random random(stream_seed(seed, "times"));
    torch::Tensor classes = class_rows(batch.classes, batch.samples);
    torch::Tensor times = torch::empty(batch.samples), alphas = torch::empty({batch.samples, 1, 1}),
                  sigmas = torch::empty({batch.samples, 1, 1});
    const double offset = random.uniform();
    for (std::int64_t i = 0; i < batch.samples; ++i) {
        // One in each of as many equal parts: less spread between batches than independent times.
        const double part = training ? random.uniform() : offset;
        const double time = (static_cast<double>(i) + part) / static_cast<double>(batch.samples);
        const NoiseLevel level = noise_level(time);
        times[i] = time;
        alphas[i] = level.alpha;
        sigmas[i] = level.sigma;
        if (random.chance(class_dropout)) classes[i] = all_classes();
    }
    const torch::Tensor mask = given.places.masks.front().unsqueeze(2);
    const torch::Tensor noise =
        normal_numbers(given.latents.sizes(), stream_seed(seed, "noise")).to(device_) * mask;
    alphas = alphas.to(device_);
    sigmas = sigmas.to(device_);
    const torch::Tensor state = alphas * given.latents + sigmas * noise;
    const torch::Tensor target = alphas * noise - sigmas * given.latents;

    const torch::Tensor embedding = network_.embed(weights, times.to(device_), classes.to(device_));
    std::optional<Residuals> control;
    if (stage == Stage::control)
        control = network_.control(weights, state, given.places, embedding, given.layout, 1);
    const torch::Tensor v =
        network_.forward(weights, state, given.places, embedding, control ? &*control : nullptr);
    loss.rows = static_cast<std::int64_t>(std::llround(mask.sum().item<double>()));
    if (loss.rows == 0) return {};
    const double values = static_cast<double>(loss.rows * config_.latent);
    const torch::Tensor squares = ((v - target) * mask).square();
    loss.mean = squares.detach().sum().item<double>() / values;
    return (given.weights.defined() && training ? squares * given.weights : squares).sum() / values;
}

StepResult TorchDiffusionModel::train_step(Stage stage, const RowBatch& batch, const OptimizerStep& step,
                                           std::uint64_t seed) {
    check(stage, batch);
    Parameters& parameters = stage_parameters(stage);
    return with_torch([&] {
        StepResult result;
        const Weights weights = stage_weights(stage, true);
        const torch::Tensor loss =
            stage == Stage::autoencoder
                ? autoencoder_loss(weights, batch, &seed, result.loss)
                : denoising_loss(stage, weights, batch, seed, step.class_dropout, true, result.loss);
        if (!loss.defined()) return result;
        loss.backward();
        result.gradient_norm = optimizer_step(parameters, step, operations_.fused);
        return result;
    });
}

Loss TorchDiffusionModel::evaluate(Stage stage, const RowBatch& batch, std::uint64_t seed) {
    check(stage, batch);
    return with_torch([&] {
        const torch::NoGradGuard no_gradients;
        const Weights weights = stage_weights(stage, false);
        Loss loss;
        if (stage != Stage::autoencoder) {
            denoising_loss(stage, weights, batch, seed, 0, false, loss);
            return loss;
        }
        autoencoder_loss(weights, batch, nullptr, loss);
        const SampledRows again = reconstruct(batch);
        const std::vector<std::uint8_t> mask = mask_or_ones(batch);
        const std::size_t columns = config_.fixed.size();
        for (std::size_t row = 0; row < mask.size(); ++row) {
            if (mask[row] == 0) continue;
            std::int64_t wrong = 0;
            for (std::size_t i = row * columns; i < (row + 1) * columns; ++i)
                wrong += again.ternary[i] != batch.ternary[i];
            loss.wrong_columns += wrong;
            loss.wrong_rows += wrong > 0;
        }
        return loss;
    });
}

}  // namespace tracebench::diffusion
