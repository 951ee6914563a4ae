#include "generators/ssm/kernels/head.h"

#include <omp.h>

#include <algorithm>
#include <cmath>

#include "generators/ssm/kernels/buffer.h"
#include "generators/ssm/kernels/head_passes.h"
#include "generators/ssm/kernels/matmul.h"
#include "generators/ssm/kernels/passes.h"

namespace tracebench::ssm {

struct HeadKernel::Impl {
    virtual ~Impl() = default;
    virtual HeadLoss loss(const float* embedding, const float* norm, const float* in,
                          std::span<const std::int32_t> targets, double normaliser, float* gradient,
                          float* embedding_gradient, float* norm_gradient,
                          std::span<const float> weights) = 0;
    Impl(const ModelConfig& config_, const KernelOptions& options_) : config(config_), options(options_) {
        options.threads = std::max(options.threads, 1);
    }
    ModelConfig config;
    KernelOptions options;
    std::vector<std::int64_t> first_of;  ///< by token: where its positions begin in `positions`
    std::vector<std::int64_t> positions;
};

namespace {

/// Tokens whose logits a thread holds at a time.
constexpr std::int64_t unit = 128;
/// Tokens between updates of the embedding's gradient: bounds what is kept of the logits.
constexpr std::int64_t block = 4096;
/// Rows of the embedding's gradient that a thread takes at a time.
constexpr std::int64_t panel = 64;

template <typename T>
class TypedHead : public HeadKernel::Impl {
  public:
    TypedHead(const ModelConfig& config_, const KernelOptions& options_)
        : Impl(config_, options_), spaces_(static_cast<std::size_t>(options.threads)) {}

    HeadLoss loss(const float* embedding, const float* norm, const float* in,
                  std::span<const std::int32_t> targets, double normaliser, float* gradient,
                  float* embedding_gradient, float* norm_gradient, std::span<const float> weights) override {
        const std::int64_t tokens = std::ssize(targets), model = config.d_model,
                           vocabulary = config.vocab_size;
        const std::int64_t units = (tokens + unit - 1) / unit, room = std::min(tokens, block);
        const auto scale = static_cast<float>(1 / normaliser);
        normed_.reserve(room * model);
        if (gradient) slopes_.reserve(room * vocabulary);
        losses_.assign(static_cast<std::size_t>(units), {});
        float* norm_sums = norm_sums_.reserve(units * model);

#pragma omp parallel num_threads(options.threads)
        {
            const KernelThread thread;
            Space& space = spaces_[static_cast<std::size_t>(omp_get_thread_num())];
            float* logits = space.logits.reserve(unit * vocabulary);
            float* back = space.back.reserve(unit * model);
#pragma omp for schedule(dynamic)
            for (int side = 0; side < (gradient ? 2 : 1); ++side) {
                if (side == 0)
                    forward_.pack(model, vocabulary, {embedding, model, true});
                else
                    backward_.pack(vocabulary, model, {embedding, model});
            }
            for (std::int64_t start = 0; start < tokens; start += block) {
                const std::int64_t stop = std::min(start + block, tokens);
#pragma omp for schedule(dynamic)
                for (std::int64_t first = start; first < stop; first += unit) {
                    const std::int64_t count = std::min(unit, stop - first), index = first / unit;
                    T* normed = normed_.data() + (first - start) * model;
                    rms_norm(count, model, in + first * model, norm, normed);
                    forward_.multiply(count, {normed, model}, logits, vocabulary);
                    T* slopes = gradient ? slopes_.data() + (first - start) * vocabulary : nullptr;
                    losses_[static_cast<std::size_t>(index)] =
                        cross_entropy(count, vocabulary, logits, targets.data() + first,
                                      weights.empty() ? nullptr : weights.data() + first, scale, slopes);
                    if (!gradient) continue;
                    backward_.multiply(count, {slopes, vocabulary}, back, model);
                    float* sums = norm_sums + index * model;
                    std::fill(sums, sums + model, 0.f);
                    std::fill(gradient + first * model, gradient + (first + count) * model, 0.f);
                    rms_norm_backward(count, model, in + first * model, norm, back, gradient + first * model,
                                      sums, normed);
                }
                if (!gradient) continue;
#pragma omp for schedule(dynamic)
                for (std::int64_t row = 0; row < vocabulary; row += panel)
                    multiply<T, float>(std::min(panel, vocabulary - row), model, stop - start,
                                       {slopes_.data() + row, vocabulary, true}, {normed_.data(), model},
                                       embedding_gradient + row * model, model, true);
            }
        }
        HeadLoss total;
        for (const UnitLoss& part : losses_) {
            total.nats += part.nats;
            total.targets += part.targets;
        }
        if (gradient)
            for (std::int64_t index = 0; index < units; ++index)
                add(model, norm_sums + index * model, norm_gradient);
        return total;
    }

  private:
    struct Space {
        Buffer<float> logits, back;
    };
    std::vector<Space> spaces_;
    WeightOperand<T> forward_, backward_;
    Buffer<T> normed_;  ///< [block, d_model]
    Buffer<T> slopes_;  ///< [block, vocabulary]: gradient of the logits
    Buffer<float> norm_sums_;
    std::vector<UnitLoss> losses_;
};

}  // namespace

HeadKernel::HeadKernel(const ModelConfig& config, const KernelOptions& options) {
    if (options.bfloat16 && bfloat16_available())
        impl_ = std::make_unique<TypedHead<Bfloat16>>(config, options);
    else
        impl_ = std::make_unique<TypedHead<float>>(config, options);
}

HeadKernel::~HeadKernel() = default;

void HeadKernel::embed(const float* embedding, std::span<const std::int32_t> tokens, float* out) {
    const std::int64_t model = impl_->config.d_model, count = std::ssize(tokens);
#pragma omp parallel for num_threads(impl_->options.threads) schedule(static)
    for (std::int64_t t = 0; t < count; ++t) {
        const float* row = embedding + tokens[static_cast<std::size_t>(t)] * model;
        std::copy(row, row + model, out + t * model);
    }
}

void HeadKernel::embed_backward(std::span<const std::int32_t> tokens, const float* gradient,
                                float* embedding_gradient) {
    const std::int64_t model = impl_->config.d_model, vocabulary = impl_->config.vocab_size;
    // Each row of the embedding is one thread's, and its positions are added in their order.
    std::vector<std::int64_t>& first_of = impl_->first_of;
    std::vector<std::int64_t>& positions = impl_->positions;
    first_of.assign(static_cast<std::size_t>(vocabulary) + 1, 0);
    positions.resize(tokens.size());
    for (const std::int32_t token : tokens) ++first_of[static_cast<std::size_t>(token) + 1];
    for (std::size_t token = 1; token < first_of.size(); ++token) first_of[token] += first_of[token - 1];
    std::vector<std::int64_t> next(first_of.begin(), first_of.end() - 1);
    for (std::size_t t = 0; t < tokens.size(); ++t)
        positions[static_cast<std::size_t>(next[static_cast<std::size_t>(tokens[t])]++)] =
            static_cast<std::int64_t>(t);
#pragma omp parallel for num_threads(impl_->options.threads) schedule(dynamic, 8)
    for (std::int64_t token = 0; token < vocabulary; ++token)
        for (std::int64_t at = first_of[static_cast<std::size_t>(token)];
             at < first_of[static_cast<std::size_t>(token) + 1]; ++at)
            add(model, gradient + positions[static_cast<std::size_t>(at)] * model,
                embedding_gradient + token * model);
}

HeadLoss HeadKernel::loss(const float* embedding, const float* norm, const float* in,
                          std::span<const std::int32_t> targets, double normaliser, float* gradient,
                          float* embedding_gradient, float* norm_gradient, std::span<const float> weights) {
    return impl_->loss(embedding, norm, in, targets, normaliser, gradient, embedding_gradient, norm_gradient,
                       weights);
}

}  // namespace tracebench::ssm
