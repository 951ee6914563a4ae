#include "generators/ssm/kernels/head.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/unit/ssm_kernels/reference_block.h"

namespace tracebench::ssm {
namespace {

ModelConfig sizes(std::int64_t model, std::int64_t vocabulary) {
    ModelConfig config;
    config.d_model = model;
    config.vocab_size = vocabulary;
    return config;
}

/// Summed cross-entropy as it is defined, in double.
double reference_loss(const ModelConfig& config, const Doubles& embedding, const Doubles& norm,
                      const Doubles& in, const std::vector<std::int32_t>& targets) {
    const auto model = static_cast<std::size_t>(config.d_model);
    const auto vocabulary = static_cast<std::size_t>(config.vocab_size);
    double nats = 0;
    for (std::size_t t = 0; t < targets.size(); ++t) {
        if (targets[t] < 0) continue;
        double squares = 0;
        for (std::size_t i = 0; i < model; ++i) squares += in[t * model + i] * in[t * model + i];
        const double root = std::sqrt(squares / static_cast<double>(model) + 1e-5);
        Doubles logits(vocabulary);
        double sum = 0;
        for (std::size_t v = 0; v < vocabulary; ++v) {
            for (std::size_t i = 0; i < model; ++i)
                logits[v] += embedding[v * model + i] * in[t * model + i] / root * norm[i];
            sum += std::exp(logits[v]);
        }
        nats += std::log(sum) - logits[static_cast<std::size_t>(targets[t])];
    }
    return nats;
}

template <typename Loss>
Doubles differences(Doubles& values, double scale, const Loss& at) {
    constexpr double step = 1e-5;
    Doubles slopes;
    for (double& value : values) {
        const double kept = value;
        value = kept + step;
        const double above = at();
        value = kept - step;
        slopes.push_back((above - at()) / (2 * step) * scale);
        value = kept;
    }
    return slopes;
}

struct Given {
    ModelConfig config;
    Doubles embedding, norm, in;
    std::vector<std::int32_t> targets;
    HeadLoss loss;
    Floats in_gradient, embedding_gradient, norm_gradient;
};

Given run_loss(std::int64_t model, std::int64_t vocabulary, std::size_t tokens, const KernelOptions& options,
               double normaliser) {
    std::mt19937 random(21);
    Given given;
    given.config = sizes(model, vocabulary);
    const auto width = static_cast<std::size_t>(model);
    given.embedding =
        random_values(static_cast<std::size_t>(given.config.padded_vocabulary()) * width, 0.7, random);
    given.norm = random_values(width, 1, random);
    given.in = random_values(tokens * width, 2, random);
    for (std::size_t t = 0; t < tokens; ++t)
        given.targets.push_back(
            t % 5 == 2 ? -1 : static_cast<std::int32_t>(random() % static_cast<unsigned>(vocabulary)));
    given.in_gradient.assign(given.in.size(), 9.f);  // overwritten
    given.embedding_gradient.assign(given.embedding.size(), 0.f);
    given.norm_gradient.assign(width, 0.f);
    const Floats embedding = to_float(given.embedding), norm = to_float(given.norm), in = to_float(given.in);
    HeadKernel kernel(given.config, options);
    given.loss =
        kernel.loss(embedding.data(), norm.data(), in.data(), given.targets, normaliser,
                    given.in_gradient.data(), given.embedding_gradient.data(), given.norm_gradient.data());
    const HeadLoss evaluated = kernel.loss(embedding.data(), norm.data(), in.data(), given.targets,
                                           normaliser, nullptr, nullptr, nullptr);
    EXPECT_EQ(evaluated.nats, given.loss.nats);
    EXPECT_EQ(evaluated.targets, given.loss.targets);
    return given;
}

TEST(Head, LossAndGradientsAreThoseOfTheDefinition) {
    Given given = run_loss(6, 11, 23, {.threads = 2}, 7);
    const auto at = [&] {
        return reference_loss(given.config, given.embedding, given.norm, given.in, given.targets);
    };
    EXPECT_EQ(given.loss.targets, 18);
    EXPECT_NEAR(given.loss.nats, at(), 1e-4 * at());
    EXPECT_LT(relative_error(given.in_gradient, differences(given.in, 1. / 7, at)), 1e-4);
    EXPECT_LT(relative_error(given.norm_gradient, differences(given.norm, 1. / 7, at)), 1e-4);
    // The rows of padding stay as they are: no token, no gradient.
    EXPECT_LT(relative_error(given.embedding_gradient, differences(given.embedding, 1. / 7, at)), 1e-4);
}

TEST(Head, ManyUnitsAndBlocks) {
    const Given given = run_loss(8, 37, 4500, {.threads = 2}, 1);
    const double expected =
        reference_loss(given.config, given.embedding, given.norm, given.in, given.targets);
    EXPECT_NEAR(given.loss.nats, expected, 1e-5 * expected);
    const Given alone = run_loss(8, 37, 4500, {.threads = 1}, 1);
    EXPECT_EQ(alone.loss.nats, given.loss.nats);
    EXPECT_EQ(alone.in_gradient, given.in_gradient);
    EXPECT_EQ(alone.embedding_gradient, given.embedding_gradient);
    EXPECT_EQ(alone.norm_gradient, given.norm_gradient);
}

TEST(Head, Bfloat16IsClose) {
    const Given exact = run_loss(32, 40, 300, {.threads = 2}, 300);
    const Given rounded = run_loss(32, 40, 300, {.bfloat16 = true, .threads = 2}, 300);
    EXPECT_NEAR(rounded.loss.nats, exact.loss.nats, 2e-2 * exact.loss.nats);
    const auto doubles = [](const Floats& values) { return Doubles(values.begin(), values.end()); };
    EXPECT_LT(relative_error(rounded.in_gradient, doubles(exact.in_gradient)), 3e-2);
    EXPECT_LT(relative_error(rounded.embedding_gradient, doubles(exact.embedding_gradient)), 3e-2);
}

// A weight is as if the target were there so many times: gradients are linear in the targets.
TEST(Head, WeightsMultiplyGradientsAndLeaveTheLossAlone) {
    const ModelConfig config = sizes(6, 11);
    std::mt19937 random(4);
    const Floats embedding = to_float(
                     random_values(static_cast<std::size_t>(config.padded_vocabulary()) * 6, 0.7, random)),
                 norm = to_float(random_values(6, 1, random)), in = to_float(random_values(4 * 6, 2, random));
    HeadKernel kernel(config, {});
    const auto gradients = [&](const std::vector<std::int32_t>& targets, const Floats& weights) {
        Floats gradient(in.size()), embedding_gradient(embedding.size()), norm_gradient(6);
        const HeadLoss loss =
            kernel.loss(embedding.data(), norm.data(), in.data(), targets, 1, gradient.data(),
                        embedding_gradient.data(), norm_gradient.data(), weights);
        embedding_gradient.insert(embedding_gradient.end(), norm_gradient.begin(), norm_gradient.end());
        return std::pair{loss.nats, embedding_gradient};
    };
    const auto [all, weighted] = gradients({3, 0, 10, 7}, {1, 4, 0.5, 1});
    EXPECT_EQ(all, gradients({3, 0, 10, 7}, {}).first);
    const auto outer = gradients({3, -1, -1, 7}, {}).second, second = gradients({-1, 0, -1, -1}, {}).second,
               third = gradients({-1, -1, 10, -1}, {}).second;
    for (std::size_t i = 0; i < weighted.size(); ++i)
        EXPECT_NEAR(weighted[i], outer[i] + 4 * second[i] + 0.5 * third[i], 1e-5) << i;
}

TEST(Head, NoTargetNoLoss) {
    ModelConfig config = sizes(4, 5);
    HeadKernel kernel(config, {});
    const Floats embedding(64, 1.f), norm(4, 1.f), in(8, 1.f);
    const std::vector<std::int32_t> targets = {-1, -100};
    Floats gradient(8, 3.f), embedding_gradient(64, 0.f), norm_gradient(4, 0.f);
    const HeadLoss loss = kernel.loss(embedding.data(), norm.data(), in.data(), targets, 1, gradient.data(),
                                      embedding_gradient.data(), norm_gradient.data());
    EXPECT_EQ(loss.nats, 0);
    EXPECT_EQ(loss.targets, 0);
    EXPECT_EQ(gradient, Floats(8, 0.f));
    EXPECT_EQ(embedding_gradient, Floats(64, 0.f));
    const HeadLoss empty = kernel.loss(embedding.data(), norm.data(), in.data(), {}, 1, gradient.data(),
                                       embedding_gradient.data(), norm_gradient.data());
    EXPECT_EQ(empty.targets, 0);
}

TEST(Head, EmbeddingIsGatheredAndItsGradientScattered) {
    const ModelConfig config = sizes(2, 4);
    HeadKernel kernel(config, {.threads = 2});
    const Floats embedding = {0, 1, 10, 11, 20, 21, 30, 31};
    const std::vector<std::int32_t> tokens = {3, 0, 3, 1};
    Floats out(8);
    kernel.embed(embedding.data(), tokens, out.data());
    EXPECT_EQ(out, (Floats{30, 31, 0, 1, 30, 31, 10, 11}));
    Floats gradient = {1, 1, 1, 1, 1, 1, 1, 1};
    kernel.embed_backward(tokens, Floats{1, 2, 3, 4, 5, 6, 7, 8}.data(), gradient.data());
    EXPECT_EQ(gradient, (Floats{4, 5, 8, 9, 1, 1, 7, 9}));
}

TEST(AdamW, TwoStepsWorkedOutByHand) {
    // lr 0.1, beta 0.5 and 0.75, epsilon 0, decay 0.5: weights shrink by 0.95 a step. Step 1 moves by
    // lr * g / |g| = 0.1. Step 2 with gradient 4 after 2: m = 0.5 * 1 + 0.5 * 4 = 2.5, over 1 - 0.25: 10/3;
    // v = 0.75 * 1 + 0.25 * 16 = 4.75, over 1 - 0.5625: 76/7.
    Floats values = {1, -2}, first = {0, 0}, second = {0, 0};
    AdamW settings{
        .learning_rate = 0.1f, .beta1 = 0.5f, .beta2 = 0.75f, .epsilon = 0, .weight_decay = 0.5f, .t = 1};
    adamw(settings, 2, values.data(), Floats{4, -4}.data(), 0.5f, first.data(), second.data(), 2);
    EXPECT_NEAR(values[0], 0.95 - 0.1, 1e-6);
    EXPECT_NEAR(values[1], -1.9 + 0.1, 1e-6);
    EXPECT_NEAR(first[0], 1, 1e-6);
    EXPECT_NEAR(second[0], 1, 1e-6);
    settings.t = 2;
    adamw(settings, 2, values.data(), Floats{8, -8}.data(), 0.5f, first.data(), second.data(), 2);
    const double step = 0.1 * (10. / 3) / std::sqrt(76. / 7);
    EXPECT_NEAR(values[0], 0.95 * 0.85 - step, 1e-6);
    EXPECT_NEAR(values[1], 0.95 * -1.8 + step, 1e-6);
}

TEST(AdamW, EpsilonIsOutsideTheRoot) {
    Floats value = {0}, first = {0}, second = {0};
    const AdamW settings{
        .learning_rate = 1, .beta1 = 0.9f, .beta2 = 0.999f, .epsilon = 1, .weight_decay = 0, .t = 1};
    adamw(settings, 1, value.data(), Floats{1}.data(), 1, first.data(), second.data(), 1);
    EXPECT_NEAR(value[0], -0.5, 1e-5);
}

TEST(AdamW, ThreadsGiveTheSameBytes) {
    std::mt19937 random(2);
    const Floats values = to_float(random_values(100'003, 1, random));
    EXPECT_EQ(sum_of_squares(values.size(), values.data(), 1),
              sum_of_squares(values.size(), values.data(), 3));
    double expected = 0;
    for (const float value : values) expected += static_cast<double>(value) * static_cast<double>(value);
    EXPECT_NEAR(sum_of_squares(values.size(), values.data(), 2), expected, 1e-9 * expected);
    EXPECT_EQ(sum_of_squares(0, nullptr, 2), 0);
}

}  // namespace
}  // namespace tracebench::ssm
