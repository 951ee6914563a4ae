#include <gtest/gtest.h>

#include <cmath>

#include "tests/unit/ssm_kernels/reference_block.h"

namespace tracebench::ssm {
namespace {

/// Loss = sum of weight * out, by the reference.
double loss(const ModelConfig& config, const ReferenceParameters& parameters, std::int64_t rows,
            std::int64_t length, const Doubles& in, ReferenceState state, const Doubles& weight) {
    const Doubles out = reference_forward(config, parameters, rows, length, in, state);
    double sum = 0;
    for (std::size_t i = 0; i < out.size(); ++i) sum += weight[i] * out[i];
    return sum;
}

/// Derivative by every value, by central differences in double: exact to about 1e-8.
template <typename Loss>
Doubles differences(Doubles& values, const Loss& at) {
    constexpr double step = 1e-5;
    Doubles slopes;
    for (double& value : values) {
        const double kept = value;
        value = kept + step;
        const double above = at();
        value = kept - step;
        slopes.push_back((above - at()) / (2 * step));
        value = kept;
    }
    return slopes;
}

struct Shape {
    std::string name;
    std::int64_t groups, taps, rows, length, chunk;
};

class BlockGradients : public testing::TestWithParam<Shape> {};

std::string shape_name(const testing::TestParamInfo<Shape>& info) {
    return info.param.name;
}

TEST_P(BlockGradients, AreThoseOfTheRecurrence) {
    const Shape& shape = GetParam();
    ModelConfig config;
    config.d_model = 4;
    config.d_state = 3;
    config.headdim = 2;
    config.ngroups = shape.groups;
    config.d_conv = shape.taps;
    config.vocab_size = 16;
    std::mt19937 random(11);
    ReferenceParameters parameters = random_parameters(config, random);
    const auto size = static_cast<std::size_t>(shape.rows * shape.length * config.d_model);
    Doubles in = random_values(size, 1, random);
    const Doubles weight = random_values(size, 1, random);
    ReferenceState state = zero_state(config, shape.rows);
    state.conv = random_values(state.conv.size(), 1, random);
    state.ssm = random_values(state.ssm.size(), 1, random);
    const auto at = [&] { return loss(config, parameters, shape.rows, shape.length, in, state, weight); };

    const Doubles in_expected = differences(in, at);
    std::vector<Doubles> expected;
    for (const NamedParameter& parameter : block_parameters())
        expected.push_back(differences(parameters.*parameter.values, at));

    const BlockMemory weights = to_float(parameters);
    const Floats from = to_float(in), conv = to_float(state.conv), ssm = to_float(state.ssm);
    BlockKernel kernel(config, {.chunk = shape.chunk, .threads = 2});
    std::unique_ptr<BlockTape> tape;
    Floats out(size);
    kernel.forward(weights.constant(), shape.rows, shape.length, from.data(), {conv.data(), ssm.data()},
                   out.data(), {}, &tape);
    BlockMemory gradients = zeros_like(parameters);
    Floats in_gradient = to_float(weight);
    kernel.backward(weights.constant(), gradients.arrays, *tape, in_gradient.data());
    EXPECT_LT(relative_error(in_gradient, in_expected), 1e-4);
    for (std::size_t i = 0; i < expected.size(); ++i)
        EXPECT_LT(relative_error(gradients.values[i], expected[i]), 1e-4) << block_parameters()[i].name;

    // Gradients are added to what is there; the tape serves once more.
    const std::vector<Floats> once = gradients.values;
    Floats again = to_float(weight);
    kernel.backward(weights.constant(), gradients.arrays, *tape, again.data());
    EXPECT_EQ(again, in_gradient);
    for (std::size_t i = 0; i < once.size(); ++i) {
        Doubles twice(once[i].begin(), once[i].end());
        for (double& value : twice) value *= 2;
        EXPECT_LT(relative_error(gradients.values[i], twice), 1e-5) << block_parameters()[i].name;
    }
}

INSTANTIATE_TEST_SUITE_P(Shapes, BlockGradients,
                         testing::Values(Shape{"OneToken", 1, 4, 1, 1, 16},
                                         Shape{"OneChunk", 1, 4, 2, 13, 16}, Shape{"Chunks", 1, 4, 2, 37, 16},
                                         Shape{"OddChunks", 1, 4, 1, 23, 5},
                                         Shape{"WideChunk", 1, 4, 1, 50, 48},
                                         Shape{"TwoGroups", 2, 4, 2, 21, 8}, Shape{"TwoTaps", 1, 2, 2, 19, 8},
                                         Shape{"OneTap", 1, 1, 1, 9, 8},
                                         Shape{"LongerThanAUnit", 1, 4, 1, 140, 32}),
                         shape_name);

/// Root of the mean squared difference, relative to that of `expected`.
double rms_error(const Floats& actual, const Floats& expected) {
    double difference = 0, magnitude = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
        const double off = static_cast<double>(actual[i]) - static_cast<double>(expected[i]);
        difference += off * off;
        magnitude += static_cast<double>(expected[i]) * static_cast<double>(expected[i]);
    }
    return std::sqrt(difference / magnitude);
}

TEST(Block, Bfloat16GradientsAreClose) {
    ModelConfig config;
    config.d_model = 64;
    config.d_state = 16;
    config.headdim = 16;
    config.vocab_size = 16;
    constexpr std::int64_t rows = 2, length = 150;
    std::mt19937 random(17);
    const ReferenceParameters parameters = random_parameters(config, random);
    const BlockMemory weights = to_float(parameters);
    const auto size = static_cast<std::size_t>(rows * length * config.d_model);
    const Floats in = to_float(random_values(size, 1, random)),
                 weight = to_float(random_values(size, 1, random));
    std::vector<BlockMemory> gradients;
    std::vector<Floats> in_gradients;
    for (const bool bfloat16 : {false, true}) {
        BlockKernel kernel(config, {.bfloat16 = bfloat16, .chunk = 32, .threads = 2});
        std::unique_ptr<BlockTape> tape;
        Floats out(size);
        kernel.forward(weights.constant(), rows, length, in.data(), {}, out.data(), {}, &tape);
        gradients.push_back(zeros_like(parameters));
        in_gradients.push_back(weight);
        kernel.backward(weights.constant(), gradients.back().arrays, *tape, in_gradients.back().data());
    }
    EXPECT_LT(rms_error(in_gradients[1], in_gradients[0]), 3e-2);
    for (std::size_t i = 0; i < block_parameters().size(); ++i)
        EXPECT_LT(rms_error(gradients[1].values[i], gradients[0].values[i]), 3e-2)
            << block_parameters()[i].name;
}

}  // namespace
}  // namespace tracebench::ssm
