/// The model on our CPU kernels: each block, and both ends, is one custom autograd function.

#include <stdexcept>

#include "generators/ssm/kernels/block.h"
#include "generators/ssm/kernels/decode.h"
#include "generators/ssm/kernels/head.h"
#include "generators/ssm/model/torch_model.h"

namespace tracebench::ssm {
namespace {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Where autograd keeps no pointers, it keeps integers.
template <typename T>
void keep(AutogradContext* context, const char* name, T* object) {
    context->saved_data[name] = reinterpret_cast<std::int64_t>(object);
}
template <typename T>
T& kept(AutogradContext* context, const char* name) {
    return *reinterpret_cast<T*>(context->saved_data.at(name).toInt());
}

BlockArrays<const float> values_of(const BlockTensors& block) {
    return {.norm = block.norm.data_ptr<float>(),
            .in_proj = block.in_proj.data_ptr<float>(),
            .conv_weight = block.conv_weight.data_ptr<float>(),
            .conv_bias = block.conv_bias.data_ptr<float>(),
            .dt_bias = block.dt_bias.data_ptr<float>(),
            .a_log = block.a_log.data_ptr<float>(),
            .d = block.d.data_ptr<float>(),
            .gate_norm = block.gate_norm.data_ptr<float>(),
            .out_proj = block.out_proj.data_ptr<float>()};
}

BlockArrays<float> gradients_of(const BlockTensors& block) {
    const auto gradient = [](const Tensor& tensor) { return tensor.grad().data_ptr<float>(); };
    return {.norm = gradient(block.norm),
            .in_proj = gradient(block.in_proj),
            .conv_weight = gradient(block.conv_weight),
            .conv_bias = gradient(block.conv_bias),
            .dt_bias = gradient(block.dt_bias),
            .a_log = gradient(block.a_log),
            .d = gradient(block.d),
            .gate_norm = gradient(block.gate_norm),
            .out_proj = gradient(block.out_proj)};
}

/// One layer's part in a call. Functions add parameters' gradients themselves, straight into grad(), and give
/// autograd only the residual stream's: at 768 x 24 that spares a copy of all weights a step.
struct BlockCall {
    BlockKernel* kernel;
    const BlockTensors* block;
    LayerState* state;
    std::unique_ptr<BlockTape>* tape;  ///< null: no backward will follow
};

class FusedBlock : public torch::autograd::Function<FusedBlock> {
  public:
    static Tensor forward(AutogradContext* context, const Tensor& input, BlockCall* call) {
        const Tensor output = torch::empty_like(input);
        LayerState after{torch::empty_like(call->state->conv), torch::empty_like(call->state->ssm)};
        call->kernel->forward(values_of(*call->block), input.size(0), input.size(1), input.data_ptr<float>(),
                              {call->state->conv.data_ptr<float>(), call->state->ssm.data_ptr<float>()},
                              output.data_ptr<float>(),
                              {after.conv.data_ptr<float>(), after.ssm.data_ptr<float>()}, call->tape);
        *call->state = after;
        keep(context, "call", call);
        return output;
    }
    static variable_list backward(AutogradContext* context, variable_list gradients) {
        const BlockCall& call = kept<BlockCall>(context, "call");
        // In place: it comes from the function above, which has no more use for it.
        call.kernel->backward(values_of(*call.block), gradients_of(*call.block), **call.tape,
                              gradients[0].data_ptr<float>());
        return {gradients[0], Tensor()};
    }
};

struct HeadCall {
    HeadKernel* kernel;
    const Parameters* parameters;
    const Batch* batch;
    const double* normaliser;
    HeadLoss loss;
};

class FusedEmbedding : public torch::autograd::Function<FusedEmbedding> {
  public:
    static Tensor forward(AutogradContext* context, const Tensor& embedding, HeadCall* call) {
        const Tensor output = torch::empty({call->batch->rows, call->batch->length, embedding.size(1)});
        call->kernel->embed(embedding.data_ptr<float>(), call->batch->inputs, output.data_ptr<float>());
        keep(context, "call", call);
        return output;
    }
    static variable_list backward(AutogradContext* context, variable_list gradients) {
        const HeadCall& call = kept<HeadCall>(context, "call");
        call.kernel->embed_backward(call.batch->inputs, gradients[0].data_ptr<float>(),
                                    call.parameters->embedding().grad().data_ptr<float>());
        return {Tensor(), Tensor()};
    }
};

/// The loss as a number nobody differentiates further: forward has the gradient ready for backward.
class FusedLoss : public torch::autograd::Function<FusedLoss> {
  public:
    static Tensor forward(AutogradContext* context, const Tensor& input, HeadCall* call) {
        const Parameters& parameters = *call->parameters;
        const bool train = call->normaliser != nullptr;
        Tensor gradient = train ? torch::empty_like(input) : Tensor();
        const auto gradient_of = [&](const Tensor& tensor) {
            return train ? tensor.grad().data_ptr<float>() : nullptr;
        };
        call->loss = call->kernel->loss(
            parameters.embedding().data_ptr<float>(), parameters.final_norm().data_ptr<float>(),
            input.data_ptr<float>(), call->batch->targets, train ? *call->normaliser : 1,
            train ? gradient.data_ptr<float>() : nullptr, gradient_of(parameters.embedding()),
            gradient_of(parameters.final_norm()), call->batch->weights);
        if (train) context->saved_data["gradient"] = gradient;
        return torch::scalar_tensor(call->loss.nats);
    }
    static variable_list backward(AutogradContext* context, variable_list) {
        return {context->saved_data.at("gradient").toTensor(), Tensor()};
    }
};

class FusedDecoder : public StepDecoder {
  public:
    FusedDecoder(const ModelConfig& config, const DecodeKernelOptions& options, const Parameters& parameters,
                 std::int64_t rows)
        : vocabulary_(config.vocab_size), rows_(rows) {
        std::vector<BlockArrays<const float>> blocks;
        for (std::int64_t layer = 0; layer < config.n_layer; ++layer)
            blocks.push_back(values_of(parameters.block(layer)));
        kernel_ = std::make_unique<DecodeKernel>(config, options, parameters.embedding().data_ptr<float>(),
                                                 blocks, parameters.final_norm().data_ptr<float>(), rows);
    }
    std::int64_t rows() const override { return rows_; }
    void step(std::span<const Token> tokens, std::span<float> logits) override {
        if (static_cast<std::int64_t>(tokens.size()) != rows_ ||
            static_cast<std::int64_t>(logits.size()) != rows_ * vocabulary_)
            throw std::invalid_argument("a step's tokens or logits are not one a row");
        for (const Token token : tokens)
            if (token >= vocabulary_) throw std::invalid_argument("a token past the vocabulary");
        kernel_->step(tokens, logits);
    }
    void reset(std::int64_t row) override { kernel_->reset(row); }

  private:
    std::int64_t vocabulary_, rows_;
    std::unique_ptr<DecodeKernel> kernel_;
};

class FusedModel : public TorchModel {
  public:
    FusedModel(const ModelConfig& config, const ComputeOptions& compute, std::uint64_t seed)
        : TorchModel(config, compute, seed),
          kernel_(config, options(compute)),
          head_(config, options(compute)),
          tapes_(static_cast<std::size_t>(config.n_layer)) {}

  protected:
    Loss run(const Batch& batch, CarriedState& state, const double* normaliser) override {
        HeadCall head{&head_, &tensors(), &batch, normaliser, {}};
        std::vector<BlockCall> calls;
        for (std::int64_t layer = 0; layer < config().n_layer; ++layer)
            calls.push_back({&kernel_, &tensors().block(layer), &state.layer(layer),
                             normaliser == nullptr ? nullptr : &tapes_[static_cast<std::size_t>(layer)]});
        Tensor hidden = FusedEmbedding::apply(tensors().embedding(), &head);
        for (BlockCall& call : calls) hidden = FusedBlock::apply(hidden, &call);
        const Tensor loss = FusedLoss::apply(hidden, &head);
        hidden = Tensor();
        if (normaliser != nullptr) loss.backward();
        return {head.loss.nats, head.loss.targets};
    }

    std::unique_ptr<StepDecoder> make_decoder(std::int64_t rows) override {
        const DecodeKernelOptions options{
            .bfloat16 = bfloat16(), .half_states = compute().half_states, .threads = compute().threads};
        return std::make_unique<FusedDecoder>(config(), options, tensors(), rows);
    }

  private:
    static KernelOptions options(const ComputeOptions& compute) {
        return {.bfloat16 = compute.precision == Precision::bfloat16,
                .chunk = compute.chunk,
                .threads = compute.threads};
    }

    BlockKernel kernel_;
    HeadKernel head_;
    std::vector<std::unique_ptr<BlockTape>> tapes_;
};

}  // namespace

std::unique_ptr<SequenceModel> make_fused_model(const ModelConfig& config, const ComputeOptions& compute,
                                                std::uint64_t seed) {
    return std::make_unique<FusedModel>(config, compute, seed);
}

}  // namespace tracebench::ssm
