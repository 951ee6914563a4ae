// One training step of the state-space model's fused kernels (forward, loss, backward, AdamW) over 4096
// tokens. Arguments: d_model, layers, rows, chunk, bfloat16, threads. `products` is the share of the threads'
// time inside matrix products.

#include <benchmark/benchmark.h>

#include <array>
#include <chrono>
#include <cmath>
#include <random>
#include <vector>

#include "generators/ssm/kernels/block.h"
#include "generators/ssm/kernels/head.h"
#include "generators/ssm/kernels/matmul.h"

namespace {

using namespace tracebench::ssm;
using Floats = std::vector<float>;

constexpr std::size_t arrays = 9;
constexpr std::int64_t tokens_a_step = 4096, vocabulary = 512;

template <typename T>
BlockArrays<T> places(std::array<Floats, arrays>& values) {
    return {values[0].data(), values[1].data(), values[2].data(), values[3].data(), values[4].data(),
            values[5].data(), values[6].data(), values[7].data(), values[8].data()};
}

struct Layer {
    std::array<Floats, arrays> values, gradients, first, second;

    /// As mamba_ssm initialises them: dt about 0.02, A from -1 to -16.
    Layer(const ModelConfig& config, std::mt19937& random) {
        std::normal_distribution<float> normal(0, 0.02f);
        std::uniform_real_distribution<float> rate(1, 16);
        const auto sized = [](std::int64_t size, float value) {
            return Floats(static_cast<std::size_t>(size), value);
        };
        values = {sized(config.d_model, 1),
                  sized(config.projection() * config.d_model, 0),
                  sized(config.conv_channels() * config.d_conv, 0.3f),
                  sized(config.conv_channels(), 0),
                  sized(config.heads(), -4),
                  sized(config.heads(), 0),
                  sized(config.heads(), 1),
                  sized(config.d_inner(), 1),
                  sized(config.d_model * config.d_inner(), 0)};
        for (const std::size_t matrix : {1, 8})
            for (float& value : values[matrix]) value = normal(random);
        for (float& value : values[5]) value = std::log(rate(random));
        for (std::size_t i = 0; i < arrays; ++i)
            first[i] = second[i] = gradients[i] = Floats(values[i].size());
    }
};

void train(benchmark::State& state) {
    ModelConfig config;
    config.d_model = state.range(0);
    config.vocab_size = vocabulary;
    const std::int64_t rows = state.range(2), length = tokens_a_step / rows;
    const KernelOptions options{.bfloat16 = state.range(4) != 0,
                                .chunk = state.range(3),
                                .threads = static_cast<int>(state.range(5))};
    std::mt19937 random(1);
    std::vector<Layer> layers;
    for (std::int64_t i = 0; i < state.range(1); ++i) layers.emplace_back(config, random);
    const auto width = static_cast<std::size_t>(config.d_model);
    std::array<Floats, 4> embedding;  // values, gradient, moments
    embedding.fill(Floats(vocabulary * width));
    std::normal_distribution<float> normal(0, 0.02f);
    for (float& value : embedding[0]) value = normal(random);
    const Floats norm(width, 1);
    Floats norm_gradient(width), stream(tokens_a_step * width), slopes(stream.size());
    std::vector<std::int32_t> tokens(tokens_a_step);
    for (std::int32_t& token : tokens) token = static_cast<std::int32_t>(random() % vocabulary);

    BlockKernel block(config, options);
    HeadKernel head(config, options);
    std::vector<std::unique_ptr<BlockTape>> tapes(layers.size());
    std::int64_t step = 0;
    const auto train_step = [&] {
        const AdamW adam{.learning_rate = 1e-4f,
                         .beta1 = 0.9f,
                         .beta2 = 0.999f,
                         .epsilon = 1e-8f,
                         .weight_decay = 0.1f,
                         .t = ++step};
        const auto update = [&](Floats& values, Floats& gradients, Floats& first, Floats& second) {
            adamw(adam, values.size(), values.data(), gradients.data(), 1, first.data(), second.data(),
                  options.threads);
            std::fill(gradients.begin(), gradients.end(), 0.f);
        };
        head.embed(embedding[0].data(), tokens, stream.data());
        for (std::size_t i = 0; i < layers.size(); ++i)
            block.forward(places<const float>(layers[i].values), rows, length, stream.data(), {},
                          stream.data(), {}, &tapes[i]);
        head.loss(embedding[0].data(), norm.data(), stream.data(), tokens, tokens_a_step, slopes.data(),
                  embedding[1].data(), norm_gradient.data());
        for (std::size_t i = layers.size(); i-- > 0;)
            block.backward(places<const float>(layers[i].values), places<float>(layers[i].gradients),
                           *tapes[i], slopes.data());
        head.embed_backward(tokens, slopes.data(), embedding[1].data());
        for (Layer& layer : layers)
            for (std::size_t i = 0; i < arrays; ++i)
                update(layer.values[i], layer.gradients[i], layer.first[i], layer.second[i]);
        update(embedding[0], embedding[1], embedding[2], embedding[3]);
    };
    train_step();
    measure_matmul(true);
    const auto begin = std::chrono::steady_clock::now();
    for (auto _ : state) train_step();
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    state.counters["products"] = matmul_seconds() / (seconds * options.threads);
    measure_matmul(false);
    state.SetItemsProcessed(state.iterations() * tokens_a_step);
}

void sizes(benchmark::internal::Benchmark* bench) {
    bench->ArgNames({"d", "layers", "rows", "chunk", "bf16", "threads"});
    for (const auto& [model, layers] : {std::pair{128, 4}, {256, 8}, {768, 24}})
        for (const int rows : {1, 8}) bench->Args({model, layers, rows, 64, 0, 2});
    for (const int chunk : {32, 128, 256}) bench->Args({256, 8, 1, chunk, 0, 2});
    for (const int bfloat16 : {0, 1})
        for (const int threads : {1, 2}) bench->Args({256, 8, 1, 64, bfloat16, threads});
}

BENCHMARK(train)->Apply(sizes)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace

BENCHMARK_MAIN();
