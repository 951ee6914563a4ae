/// The model in plain LibTorch operations: any device, gradients by autograd.

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "generators/ssm/model/plain_block.h"
#include "generators/ssm/model/torch_model.h"

namespace tracebench::ssm {
namespace {

using torch::Tensor;

/// What cross_entropy_loss() leaves out.
constexpr std::int64_t ignored = -100;

Tensor to_tensor(std::span<const Token> tokens, torch::IntArrayRef shape, const torch::Device& device) {
    Tensor tensor = torch::empty(shape, torch::kLong);
    std::ranges::copy(tokens, tensor.data_ptr<std::int64_t>());
    return tensor.to(device);
}

Tensor to_tensor(std::span<const float> numbers, const torch::Device& device) {
    Tensor tensor = torch::empty({std::ssize(numbers)});
    std::ranges::copy(numbers, tensor.data_ptr<float>());
    return tensor.to(device);
}

class PlainDecoder : public StepDecoder {
  public:
    PlainDecoder(const ModelConfig& config, const PlainOptions& options, int threads,
                 const Parameters& parameters, const torch::Device& device, std::int64_t rows)
        : config_(config),
          options_(options),
          threads_(threads),
          device_(device),
          embedding_(parameters.embedding().detach().clone()),
          final_norm_(parameters.final_norm().detach().clone()),
          state_(config, device) {
        for (std::int64_t layer = 0; layer < config.n_layer; ++layer) {
            BlockTensors block = parameters.block(layer);
            for (Tensor* tensor : {&block.norm, &block.dt_bias, &block.a_log, &block.d, &block.in_proj,
                                   &block.conv_weight, &block.conv_bias, &block.gate_norm, &block.out_proj})
                *tensor = tensor->detach().clone();
            blocks_.push_back(block);
        }
        state_.begin(rows, {});
    }

    std::int64_t rows() const override { return state_.rows(); }

    void step(std::span<const Token> tokens, std::span<float> logits) override {
        if (static_cast<std::int64_t>(tokens.size()) != rows() ||
            static_cast<std::int64_t>(logits.size()) != rows() * config_.vocab_size)
            throw std::invalid_argument(fmt::format("a step of {} tokens and {} logits for {} rows",
                                                    tokens.size(), logits.size(), rows()));
        std::vector<std::int64_t> active;
        for (std::size_t row = 0; row < tokens.size(); ++row) {
            if (tokens[row] >= config_.vocab_size)
                throw std::invalid_argument(fmt::format("token {} of {}", tokens[row], config_.vocab_size));
            if (tokens[row] >= 0) active.push_back(static_cast<std::int64_t>(row));
        }
        if (active.empty()) return;
        with_torch(threads_, [&] { step_rows(tokens, active, logits); });
    }

    void reset(std::int64_t row) override {
        with_torch(threads_, [&] { state_.forget_row(row); });
    }

  private:
    void step_rows(std::span<const Token> tokens, const std::vector<std::int64_t>& active,
                   std::span<float> logits) {
        const torch::NoGradGuard no_gradients;
        const auto count = static_cast<std::int64_t>(active.size());
        std::vector<std::int64_t> ids;
        for (const std::int64_t row : active) ids.push_back(tokens[static_cast<std::size_t>(row)]);
        const bool all = count == rows();
        const Tensor index = torch::tensor(active, torch::kLong).to(device_);
        Tensor hidden = embedding_.index_select(0, torch::tensor(ids, torch::kLong).to(device_));
        for (std::size_t i = 0; i < blocks_.size(); ++i) {
            LayerState& kept = state_.layer(static_cast<std::int64_t>(i));
            if (all) {
                hidden = plain_block_step(config_, options_, blocks_[i], hidden, kept);
                continue;
            }
            LayerState part{kept.conv.index_select(0, index), kept.ssm.index_select(0, index)};
            hidden = plain_block_step(config_, options_, blocks_[i], hidden, part);
            kept.conv.index_copy_(0, index, part.conv);
            kept.ssm.index_copy_(0, index, part.ssm);
        }
        const Tensor result = plain_linear(rms_norm(hidden, final_norm_), embedding_, options_.bfloat16)
                                  .narrow(1, 0, config_.vocab_size)
                                  .to(torch::kCPU)
                                  .contiguous();
        const float* values = result.data_ptr<float>();
        for (const std::int64_t row : active) {
            std::copy_n(values, config_.vocab_size, logits.data() + row * config_.vocab_size);
            values += config_.vocab_size;
        }
    }

    ModelConfig config_;
    PlainOptions options_;
    int threads_;
    torch::Device device_;
    Tensor embedding_, final_norm_;
    std::vector<BlockTensors> blocks_;
    CarriedState state_;
};

class PlainModel : public TorchModel {
  public:
    using TorchModel::TorchModel;

  protected:
    Loss run(const Batch& batch, CarriedState& state, const double* normaliser) override {
        const Tensor inputs = to_tensor(batch.inputs, {batch.rows, batch.length}, device());
        Tensor targets = to_tensor(batch.targets, {batch.rows * batch.length}, device());
        targets.masked_fill_(targets < 0, ignored);

        Tensor hidden = at::embedding(tensors().embedding(), inputs);
        for (std::int64_t layer = 0; layer < config().n_layer; ++layer)
            hidden = plain_block(config(), options(), tensors().block(layer), hidden, state.layer(layer));
        // Padding of the vocabulary has rows in the embedding, but no probability.
        const Tensor logits =
            plain_linear(rms_norm(hidden, tensors().final_norm()), tensors().embedding(), bfloat16())
                .narrow(2, 0, config().vocab_size)
                .flatten(0, 1);
        const Tensor losses = at::cross_entropy_loss(logits, targets, {}, at::Reduction::None, ignored);
        if (normaliser != nullptr) {
            const Tensor weighted =
                batch.weights.empty() ? losses : losses * to_tensor(batch.weights, device());
            (weighted.sum() / *normaliser).backward();
        }
        return {losses.detach().to(torch::kDouble).sum().item<double>(),
                (targets != ignored).sum().item<std::int64_t>()};
    }

    std::unique_ptr<StepDecoder> make_decoder(std::int64_t rows) override {
        return std::make_unique<PlainDecoder>(config(), options(), compute().threads, tensors(), device(),
                                              rows);
    }

  private:
    PlainOptions options() const { return {.bfloat16 = bfloat16(), .chunk = compute().chunk}; }
};

}  // namespace

std::unique_ptr<SequenceModel> make_plain_model(const ModelConfig& config, const ComputeOptions& compute,
                                                std::uint64_t seed) {
    return std::make_unique<PlainModel>(config, compute, seed);
}

}  // namespace tracebench::ssm
