// The recurrent step against the recurrence as the paper writes it, naively and in double precision.

#include "generators/ssm/kernels/decode.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace tracebench::ssm {
namespace {

struct Block {
    std::vector<float> norm, in_proj, conv_weight, conv_bias, dt_bias, a_log, d, gate_norm, out_proj;

    BlockArrays<const float> arrays() const {
        return {.norm = norm.data(),
                .in_proj = in_proj.data(),
                .conv_weight = conv_weight.data(),
                .conv_bias = conv_bias.data(),
                .dt_bias = dt_bias.data(),
                .a_log = a_log.data(),
                .d = d.data(),
                .gate_norm = gate_norm.data(),
                .out_proj = out_proj.data()};
    }
};

struct Weights {
    ModelConfig config;
    std::vector<float> embedding, final_norm;
    std::vector<Block> blocks;

    DecodeKernel kernel(std::int64_t rows, const DecodeKernelOptions& options = {}) const {
        std::vector<BlockArrays<const float>> arrays;
        for (const Block& block : blocks) arrays.push_back(block.arrays());
        return DecodeKernel(config, options, embedding.data(), arrays, final_norm.data(), rows);
    }
};

class Draw {
  public:
    explicit Draw(unsigned seed) : engine_(seed) {}
    std::vector<float> normal(std::int64_t size, double mean, double deviation) {
        std::normal_distribution<double> distribution(mean, deviation);
        return fill(size, [&] { return distribution(engine_); });
    }
    std::vector<float> uniform(std::int64_t size, double low, double high) {
        std::uniform_real_distribution<double> distribution(low, high);
        return fill(size, [&] { return distribution(engine_); });
    }
    std::int32_t token(std::int64_t vocabulary) {
        return static_cast<std::int32_t>(engine_() % static_cast<unsigned>(vocabulary));
    }

  private:
    template <typename Value>
    static std::vector<float> fill(std::int64_t size, Value value) {
        std::vector<float> values(static_cast<std::size_t>(size));
        for (float& v : values) v = static_cast<float>(value());
        return values;
    }
    std::mt19937 engine_;
};

/// Decays as mamba_ssm initialises them, from almost none to almost all of the state within a few tokens.
Weights draw_weights(const ModelConfig& config, unsigned seed) {
    Draw draw(seed);
    Weights weights{config,
                    draw.normal(config.padded_vocabulary() * config.d_model, 0, 1),
                    draw.normal(config.d_model, 1, 0.2),
                    {}};
    const double in = 1 / std::sqrt(static_cast<double>(config.d_model));
    const double inner = 1 / std::sqrt(static_cast<double>(config.d_inner()));
    for (std::int64_t l = 0; l < config.n_layer; ++l) {
        weights.blocks.push_back({.norm = draw.normal(config.d_model, 1, 0.2),
                                  .in_proj = draw.normal(config.projection() * config.d_model, 0, in),
                                  .conv_weight = draw.normal(config.conv_channels() * config.d_conv, 0, 0.6),
                                  .conv_bias = draw.normal(config.conv_channels(), 0, 0.3),
                                  .dt_bias = draw.uniform(config.heads(), -7, -1),
                                  .a_log = draw.uniform(config.heads(), 0, 2.8),
                                  .d = draw.normal(config.heads(), 1, 0.3),
                                  .gate_norm = draw.normal(config.d_inner(), 1, 0.2),
                                  .out_proj = draw.normal(config.d_model * config.d_inner(), 0, inner)});
    }
    return weights;
}

using Values = std::vector<double>;

Values multiply(const std::vector<float>& matrix, const Values& x, std::size_t outputs) {
    Values result(outputs);
    for (std::size_t n = 0; n < outputs; ++n)
        for (std::size_t k = 0; k < x.size(); ++k) result[n] += matrix[n * x.size() + k] * x[k];
    return result;
}
void rms_norm(Values& x, const std::vector<float>& weight, std::size_t group) {
    for (std::size_t from = 0; from < x.size(); from += group) {
        double squares = 0;
        for (std::size_t i = from; i < from + group; ++i) squares += x[i] * x[i];
        for (std::size_t i = from; i < from + group; ++i)
            x[i] *= weight[i] / std::sqrt(squares / static_cast<double>(group) + 1e-5);
    }
}
double silu(double x) {
    return x / (1 + std::exp(-x));
}

/// One sequence, a token at a time.
class Reference {
  public:
    explicit Reference(const Weights& weights) : weights_(weights), layers_(weights.blocks.size()) {}

    Values step(std::int32_t token) {
        const ModelConfig& config = weights_.config;
        const auto d_model = static_cast<std::size_t>(config.d_model);
        const auto row = weights_.embedding.begin() + token * config.d_model;
        Values residual(row, row + config.d_model);
        for (std::size_t l = 0; l < layers_.size(); ++l) {
            Values u = residual;
            rms_norm(u, weights_.blocks[l].norm, d_model);
            const Values out = mixer(weights_.blocks[l], layers_[l], u);
            for (std::size_t i = 0; i < d_model; ++i) residual[i] += out[i];
        }
        rms_norm(residual, weights_.final_norm, d_model);
        return multiply(weights_.embedding, residual, static_cast<std::size_t>(config.vocab_size));
    }

  private:
    struct LayerState {
        std::vector<Values> inputs;  ///< of the convolution, the newest last
        Values state;                ///< [heads, headdim, d_state]
    };

    Values mixer(const Block& block, LayerState& layer, const Values& u) const {
        const ModelConfig& config = weights_.config;
        const auto inner = static_cast<std::size_t>(config.d_inner()),
                   heads = static_cast<std::size_t>(config.heads());
        const auto headdim = static_cast<std::size_t>(config.headdim),
                   n = static_cast<std::size_t>(config.d_state);
        const auto groups = static_cast<std::size_t>(config.ngroups),
                   width = static_cast<std::size_t>(config.d_conv);
        const auto channels = static_cast<std::size_t>(config.conv_channels());
        const Values projected = multiply(block.in_proj, u, static_cast<std::size_t>(config.projection()));
        layer.inputs.emplace_back(projected.begin() + config.d_inner(),
                                  projected.begin() + config.d_inner() + config.conv_channels());
        Values xbc(channels);
        for (std::size_t c = 0; c < channels; ++c) {
            double sum = block.conv_bias[c];
            for (std::size_t k = 0; k < width; ++k)
                if (layer.inputs.size() + k >= width)
                    sum +=
                        block.conv_weight[c * width + k] * layer.inputs[layer.inputs.size() + k - width][c];
            xbc[c] = silu(sum);
        }
        layer.state.resize(inner * n);
        Values y(inner);
        for (std::size_t h = 0; h < heads; ++h) {
            const double dt = std::log1p(std::exp(projected[inner + channels + h] + block.dt_bias[h]));
            const double decay = std::exp(-dt * std::exp(static_cast<double>(block.a_log[h])));
            const std::size_t b = inner + h * groups / heads * n, c = b + groups * n;
            for (std::size_t p = h * headdim; p < (h + 1) * headdim; ++p) {
                for (std::size_t i = 0; i < n; ++i) {
                    double& state = layer.state[p * n + i];
                    state = decay * state + dt * xbc[p] * xbc[b + i];
                    y[p] += state * xbc[c + i];
                }
                y[p] = (y[p] + block.d[h] * xbc[p]) * silu(projected[p]);
            }
        }
        rms_norm(y, block.gate_norm, inner / groups);
        return multiply(block.out_proj, y, static_cast<std::size_t>(config.d_model));
    }

    const Weights& weights_;
    std::vector<LayerState> layers_;
};

/// The larger, or NaN where one is: std::max would let it get past.
double larger(double a, double b) {
    return std::isnan(a) || a > b ? a : b;
}

/// Largest difference as a share of the largest value.
double difference(std::span<const float> got, const Values& expected) {
    double largest = 0, scale = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
        largest = larger(largest, std::abs(got[i] - expected[i]));
        scale = std::max(scale, std::abs(expected[i]));
    }
    return largest / scale;
}

std::vector<ModelConfig> configurations() {
    // d_model 20 and headdim 8 are padded, d_state 5 is odd; then two groups; then what real models have.
    return {{.d_model = 20, .n_layer = 3, .vocab_size = 19, .d_state = 5, .headdim = 8},
            {.d_model = 48,
             .n_layer = 2,
             .vocab_size = 33,
             .d_state = 32,
             .d_conv = 3,
             .headdim = 24,
             .ngroups = 2},
            {.d_model = 32,
             .n_layer = 1,
             .vocab_size = 300,
             .d_state = 16,
             .d_conv = 1,
             .headdim = 16,
             .ngroups = 4},
            {.d_model = 128, .n_layer = 2, .vocab_size = 261}};
}

std::span<const float> row_of(std::span<const float> logits, std::size_t row, const ModelConfig& config) {
    const auto width = static_cast<std::size_t>(config.vocab_size);
    return logits.subspan(row * width, width);
}

/// Largest difference of any logit of `rows` sequences over `tokens` steps.
double worst(const Weights& weights, std::int64_t rows, int tokens, const DecodeKernelOptions& options) {
    DecodeKernel kernel = weights.kernel(rows, options);
    std::vector<Reference> references(static_cast<std::size_t>(rows), Reference(weights));
    std::vector<float> logits(static_cast<std::size_t>(rows * weights.config.vocab_size));
    std::vector<std::int32_t> input(static_cast<std::size_t>(rows));
    Draw draw(7);
    double result = 0;
    for (int t = 0; t < tokens; ++t) {
        for (std::int32_t& token : input) token = draw.token(weights.config.vocab_size);
        kernel.step(input, logits);
        for (std::size_t r = 0; r < references.size(); ++r)
            result =
                larger(result, difference(row_of(logits, r, weights.config), references[r].step(input[r])));
    }
    return result;
}

constexpr DecodeProcessor kProcessors[] = {DecodeProcessor::this_one, DecodeProcessor::avx512,
                                           DecodeProcessor::avx2, DecodeProcessor::portable};

TEST(Decode, IsTheRecurrenceInFloat32) {
    for (const ModelConfig& config : configurations())
        for (const DecodeProcessor processor : kProcessors)
            EXPECT_LT(worst(draw_weights(config, 1), 3, 50, {.threads = 2, .processor = processor}), 1e-4)
                << config.d_model << ' ' << static_cast<int>(processor);
}

TEST(Decode, IsTheRecurrenceInBfloat16WithinItsPrecision) {
    for (const ModelConfig& config : configurations()) {
        for (const DecodeProcessor processor : kProcessors) {
            const double error = worst(draw_weights(config, 1), 3, 50,
                                       {.bfloat16 = true, .threads = 2, .processor = processor});
            EXPECT_LT(error, 3e-2) << config.d_model << ' ' << static_cast<int>(processor);
            EXPECT_GT(error, 1e-4) << "not bfloat16";
        }
    }
}

TEST(Decode, OneRowAndThirtyTwo) {
    const Weights weights = draw_weights(configurations()[1], 2);
    EXPECT_LT(worst(weights, 1, 50, {}), 1e-4);
    EXPECT_LT(worst(weights, 32, 12, {}), 1e-4);
}

// More than two groups of sixteen rows, as matrix units take them, and one that they do not fill.
TEST(Decode, ManyRowsInBfloat16) {
    EXPECT_LT(worst(draw_weights(configurations()[1], 2), 41, 10, {.bfloat16 = true, .threads = 2}), 3e-2);
    EXPECT_LT(worst(draw_weights(configurations()[0], 2), 17, 10, {.bfloat16 = true, .threads = 2}), 3e-2);
}

TEST(Decode, HalfStatesAreTheRecurrenceWithinTheirPrecision) {
    for (const ModelConfig& config : configurations()) {
        for (const DecodeProcessor processor : kProcessors) {
            const double error = worst(draw_weights(config, 1), 3, 50,
                                       {.half_states = true, .threads = 2, .processor = processor});
            EXPECT_LT(error, 2e-3) << config.d_model << ' ' << static_cast<int>(processor);
            EXPECT_GT(error, 1e-6) << "not half precision";
        }
    }
}

/// Mean difference of the logits from those in float32, of tokens 100 to 1,100 and of tokens 3,000 to 4,000.
std::pair<double, double> early_and_late(const Weights& weights, const DecodeKernelOptions& options) {
    DecodeKernel exact = weights.kernel(1), rounded = weights.kernel(1, options);
    const auto width = static_cast<std::size_t>(weights.config.vocab_size);
    std::vector<float> expected(width), logits(width);
    Draw draw(11);
    double early = 0, late = 0;
    for (int t = 0; t < 4000; ++t) {
        const std::int32_t token = draw.token(weights.config.vocab_size);
        exact.step({&token, 1}, expected);
        rounded.step({&token, 1}, logits);
        const double error = difference(logits, Values(expected.begin(), expected.end()));
        if (t >= 100 && t < 1100) early += error / 1000;
        if (t >= 3000) late += error / 1000;
    }
    return {early, late};
}

// Long enough for a half-precision state to drift, were its rounding to add up.
TEST(Decode, HalfPrecisionDoesNotDrift) {
    const Weights weights = draw_weights(configurations()[1], 3);
    const auto [early, late] = early_and_late(weights, {.bfloat16 = true});
    EXPECT_LT(late, 1e-2);
    EXPECT_LT(late, 1.5 * early);
    const auto [states_early, states_late] = early_and_late(weights, {.half_states = true});
    EXPECT_LT(states_late, 1e-3);
    EXPECT_LT(states_late, 1.5 * states_early);
}

// States that no half-precision number is large or small enough for: B is a hundred million times as large as
// usual in one layer and as small in the other, and C the other way round, so that y is as ever.
TEST(Decode, HalfStatesOfAnySize) {
    Weights weights = draw_weights(configurations()[1], 4);
    const std::int64_t shared = weights.config.ngroups * weights.config.d_state;
    float factor = 1e8f;
    for (Block& block : weights.blocks) {
        for (std::int64_t i = 0; i < 2 * shared; ++i) {
            const std::int64_t channel = weights.config.d_inner() + i;
            const float by = i < shared ? factor : 1 / factor;
            for (std::int64_t k = 0; k < weights.config.d_conv; ++k)
                block.conv_weight[static_cast<std::size_t>(channel * weights.config.d_conv + k)] *= by;
            block.conv_bias[static_cast<std::size_t>(channel)] *= by;
        }
        factor = 1 / factor;
    }
    EXPECT_LT(worst(weights, 1, 50, {.bfloat16 = true}), 3e-2);
    EXPECT_LT(worst(weights, 1, 50, {.half_states = true}), 2e-3);
}

// What a row gives must not depend on its company, to the last bit: a trace is the same whatever others are
// made beside it, on any number of threads.
TEST(Decode, RowsAreIndependentToTheBit) {
    for (const ModelConfig& config : configurations()) {
        const Weights weights = draw_weights(config, 5);
        for (DecodeKernelOptions options :
             {DecodeKernelOptions{}, {.bfloat16 = true}, {.half_states = true}}) {
            for (const DecodeProcessor processor : kProcessors) {
                // Enough for the widest products, and some that are left over.
                constexpr std::size_t rows = 29;
                options.processor = processor;
                options.threads = 1;
                DecodeKernel alone = weights.kernel(2, options);  // of which one is idle
                options.threads = 3;
                DecodeKernel many = weights.kernel(rows, options);
                const auto width = static_cast<std::size_t>(config.vocab_size);
                std::vector<float> logits(rows * width), expected(2 * width);
                std::vector<std::int32_t> input(rows);
                Draw draw(13);
                for (int t = 0; t < 20; ++t) {
                    for (std::int32_t& token : input) token = draw.token(config.vocab_size);
                    many.step(input, logits);
                    const std::int32_t one[] = {-1, input[9]};
                    alone.step(one, expected);
                    ASSERT_THAT(row_of(logits, 9, config),
                                testing::ElementsAreArray(row_of(expected, 1, config)));
                }
            }
        }
    }
}

TEST(Decode, IdleRowsStayAsTheyAre) {
    const Weights weights = draw_weights(configurations()[0], 6);
    const ModelConfig& config = weights.config;
    DecodeKernel kernel = weights.kernel(3, {.threads = 2});
    std::vector<Reference> references(3, Reference(weights));
    std::vector<float> logits(3 * static_cast<std::size_t>(config.vocab_size), -1.f);
    Draw draw(17);
    for (int t = 0; t < 40; ++t) {
        std::int32_t input[3];
        for (int r = 0; r < 3; ++r) input[r] = t % (r + 2) == 0 ? draw.token(config.vocab_size) : -1;
        const std::vector<float> before = logits;
        kernel.step(input, logits);
        for (std::size_t r = 0; r < 3; ++r) {
            if (input[r] < 0) {
                EXPECT_THAT(row_of(logits, r, config), testing::ElementsAreArray(row_of(before, r, config)));
            } else {
                EXPECT_LT(difference(row_of(logits, r, config), references[r].step(input[r])), 1e-4);
            }
        }
    }
}

TEST(Decode, ResetBeginsAnewAndOnlyThatRow) {
    const Weights weights = draw_weights(configurations()[1], 8);
    const ModelConfig& config = weights.config;
    DecodeKernel kernel = weights.kernel(2);
    Reference kept(weights);
    std::vector<float> logits(2 * static_cast<std::size_t>(config.vocab_size));
    Draw draw(19);
    for (const int length : {1, 2, 7, 8, 9, 30}) {  // on both sides of where states are folded
        Reference anew(weights);
        kernel.reset(1);
        for (int t = 0; t < length; ++t) {
            const std::int32_t input[] = {draw.token(config.vocab_size), draw.token(config.vocab_size)};
            kernel.step(input, logits);
            EXPECT_LT(difference(row_of(logits, 0, config), kept.step(input[0])), 1e-4);
            EXPECT_LT(difference(row_of(logits, 1, config), anew.step(input[1])), 1e-4);
        }
    }
}

TEST(Decode, RefusesWhatDoesNotFit) {
    const Weights weights = draw_weights(configurations()[0], 9);
    DecodeKernel kernel = weights.kernel(2);
    std::vector<float> logits(2 * static_cast<std::size_t>(weights.config.vocab_size));
    const std::int32_t one[] = {1}, outside[] = {1, 19};
    EXPECT_THROW(kernel.step(one, logits), std::invalid_argument);
    EXPECT_THROW(kernel.step(outside, logits), std::invalid_argument);
    EXPECT_THROW(kernel.reset(2), std::out_of_range);
}

// Worked out by hand for d_model 2, expand 2, headdim 4: one head, inner 4, state 1, projection 4+4+1+1+1
// = 11.
TEST(Decode, CountsTheWeightsOfAStep) {
    const ModelConfig config{.d_model = 2, .n_layer = 1, .vocab_size = 3, .d_state = 1, .headdim = 4};
    const Weights weights = draw_weights(config, 10);
    const std::int64_t matrices = 11 * 2 + 2 * 4 + 3 * 2;
    const std::int64_t vectors = 2 + 6 * 4 + 6 + 1 + 1 + 1 + 4 + 2;
    EXPECT_EQ(weights.kernel(1).weight_bytes(), (matrices + vectors) * 4);
    EXPECT_EQ(weights.kernel(1, {.bfloat16 = true}).weight_bytes(), matrices * 2 + vectors * 4);
}

}  // namespace
}  // namespace tracebench::ssm
