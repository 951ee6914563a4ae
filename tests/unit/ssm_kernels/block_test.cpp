#include <gtest/gtest.h>

#include <cmath>

#include "generators/ssm/kernels/matmul.h"
#include "tests/unit/ssm_kernels/reference_block.h"

namespace tracebench::ssm {
namespace {

struct Case {
    std::string name;
    ModelConfig config;
    std::int64_t rows, length, chunk;
};

ModelConfig sizes(std::int64_t model, std::int64_t states, std::int64_t headdim, std::int64_t groups,
                  std::int64_t taps = 4) {
    ModelConfig config;
    config.d_model = model;
    config.d_state = states;
    config.headdim = headdim;
    config.ngroups = groups;
    config.d_conv = taps;
    config.vocab_size = 16;
    return config;
}

class BlockCases : public testing::TestWithParam<Case> {};

std::string case_name(const testing::TestParamInfo<Case>& info) {
    return info.param.name;
}

/// Inputs, a state before, and what a float kernel makes of them.
struct Outcome {
    Floats out, conv, ssm;
};

Outcome run_forward(BlockKernel& kernel, const Case& test, const ReferenceParameters& parameters,
                    const Doubles& in, const ReferenceState& before,
                    std::unique_ptr<BlockTape>* tape = nullptr) {
    const BlockMemory weights = to_float(parameters);
    const Floats from = to_float(in), conv = to_float(before.conv), ssm = to_float(before.ssm);
    Outcome run{Floats(from.size()), Floats(conv.size()), Floats(ssm.size())};
    kernel.forward(weights.constant(), test.rows, test.length, from.data(), {conv.data(), ssm.data()},
                   run.out.data(), {run.conv.data(), run.ssm.data()}, tape);
    return run;
}

ReferenceState random_state(const ModelConfig& config, std::int64_t rows, std::mt19937& random) {
    ReferenceState state = zero_state(config, rows);
    state.conv = random_values(state.conv.size(), 1, random);
    state.ssm = random_values(state.ssm.size(), 0.5, random);
    return state;
}

TEST_P(BlockCases, ForwardIsTheRecurrence) {
    const Case& test = GetParam();
    std::mt19937 random(7);
    const ReferenceParameters parameters = random_parameters(test.config, random);
    const Doubles in =
        random_values(static_cast<std::size_t>(test.rows * test.length * test.config.d_model), 1, random);
    ReferenceState state = random_state(test.config, test.rows, random);
    for (const bool bfloat16 : {false, true}) {
        SCOPED_TRACE(bfloat16 ? "bfloat16" : "float32");
        BlockKernel kernel(test.config, {.bfloat16 = bfloat16, .chunk = test.chunk, .threads = 2});
        const Outcome run = run_forward(kernel, test, parameters, in, state);
        ReferenceState after = state;
        const Doubles expected =
            reference_forward(test.config, parameters, test.rows, test.length, in, after);
        const double tolerance = bfloat16 ? 2e-2 : 1e-4;
        EXPECT_LT(relative_error(run.out, expected), tolerance);
        EXPECT_LT(relative_error(run.ssm, after.ssm), tolerance);
        EXPECT_LT(relative_error(run.conv, after.conv), tolerance);
    }
}

TEST_P(BlockCases, ManyThreadsGiveTheSameBytes) {
    const Case& test = GetParam();
    std::mt19937 random(9);
    const ReferenceParameters parameters = random_parameters(test.config, random);
    const BlockMemory weights = to_float(parameters);
    const auto size = static_cast<std::size_t>(test.rows * test.length * test.config.d_model);
    const Doubles in = random_values(size, 1, random);
    const Floats slopes = to_float(random_values(size, 1, random));
    const ReferenceState state = zero_state(test.config, test.rows);
    for (const bool bfloat16 : {false, true}) {
        std::vector<Outcome> runs;
        std::vector<Floats> in_gradients;
        std::vector<BlockMemory> gradients;
        for (const int threads : {1, 2, 3}) {
            BlockKernel kernel(test.config, {.bfloat16 = bfloat16, .chunk = test.chunk, .threads = threads});
            std::unique_ptr<BlockTape> tape;
            runs.push_back(run_forward(kernel, test, parameters, in, state, &tape));
            gradients.push_back(zeros_like(parameters));
            in_gradients.push_back(slopes);
            kernel.backward(weights.constant(), gradients.back().arrays, *tape, in_gradients.back().data());
        }
        for (std::size_t i = 1; i < runs.size(); ++i) {
            EXPECT_EQ(runs[i].out, runs[0].out);
            EXPECT_EQ(runs[i].ssm, runs[0].ssm);
            EXPECT_EQ(in_gradients[i], in_gradients[0]);
            EXPECT_EQ(gradients[i].values, gradients[0].values);
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Shapes, BlockCases,
                         testing::Values(Case{"OneToken", sizes(16, 8, 8, 1), 1, 1, 16},
                                         Case{"TwoTokens", sizes(16, 8, 8, 1), 3, 2, 16},
                                         Case{"WholeChunks", sizes(32, 16, 16, 1), 2, 64, 32},
                                         Case{"RaggedChunk", sizes(32, 16, 16, 1), 1, 77, 32},
                                         Case{"OddChunk", sizes(32, 16, 16, 1), 2, 50, 21},
                                         Case{"TwoGroups", sizes(32, 16, 8, 2), 2, 45, 16},
                                         Case{"WideHeads", sizes(64, 32, 64, 1), 1, 150, 64},
                                         Case{"TwoTaps", sizes(16, 8, 8, 1, 2), 2, 40, 16},
                                         Case{"OneTap", sizes(16, 8, 8, 1, 1), 1, 20, 16},
                                         Case{"LongerThanAUnit", sizes(16, 8, 8, 1), 2, 300, 64}),
                         case_name);

TEST(Block, AnySeamIsInvisible) {
    const Case test{"", sizes(32, 16, 16, 1), 2, 61, 16};
    std::mt19937 random(3);
    const ReferenceParameters parameters = random_parameters(test.config, random);
    const BlockMemory weights = to_float(parameters);
    const auto model = static_cast<std::size_t>(test.config.d_model);
    const Doubles in = random_values(static_cast<std::size_t>(test.rows * test.length) * model, 1, random);
    BlockKernel kernel(test.config, {.chunk = test.chunk, .threads = 2});
    const Outcome whole = run_forward(kernel, test, parameters, in, zero_state(test.config, test.rows));
    for (const std::int64_t seam : {1, 2, 3, 16, 40, 60}) {
        SCOPED_TRACE(seam);
        // The rows' first parts side by side, then their second parts, in place.
        Floats conv(whole.conv.size()), ssm(whole.ssm.size()), joined(whole.out.size());
        for (const auto& [begin, end] :
             {std::pair<std::int64_t, std::int64_t>{0, seam}, {seam, test.length}}) {
            const auto length = static_cast<std::size_t>(end - begin),
                       stride = static_cast<std::size_t>(test.length);
            Floats part;
            for (std::size_t row = 0; row < 2; ++row)
                for (std::size_t i = 0; i < length * model; ++i)
                    part.push_back(
                        static_cast<float>(in[(row * stride + static_cast<std::size_t>(begin)) * model + i]));
            kernel.forward(weights.constant(), test.rows, end - begin, part.data(), {conv.data(), ssm.data()},
                           part.data(), {conv.data(), ssm.data()}, nullptr);
            for (std::size_t row = 0; row < 2; ++row)
                std::copy_n(part.begin() + static_cast<std::ptrdiff_t>(row * length * model), length * model,
                            joined.begin() + static_cast<std::ptrdiff_t>(
                                                 (row * stride + static_cast<std::size_t>(begin)) * model));
        }
        const Doubles expected(whole.out.begin(), whole.out.end());
        EXPECT_LT(relative_error(joined, expected), 1e-5);
        EXPECT_LT(relative_error(ssm, Doubles(whole.ssm.begin(), whole.ssm.end())), 1e-5);
        EXPECT_LT(relative_error(conv, Doubles(whole.conv.begin(), whole.conv.end())), 1e-5);
    }
}

TEST(Block, StrongAndWeakDecayStayFinite) {
    Case test{"", sizes(32, 16, 16, 1), 1, 200, 64};
    std::mt19937 random(5);
    ReferenceParameters parameters = random_parameters(test.config, random);
    parameters.a_log = {6, -12, 3, 0};      // A from -403 to -6e-6
    parameters.dt_bias = {4, -20, -3, 30};  // dt from 2e-9 to 30
    const Doubles in = random_values(static_cast<std::size_t>(test.length * test.config.d_model), 1, random);
    BlockKernel kernel(test.config, {.chunk = test.chunk, .threads = 1});
    std::unique_ptr<BlockTape> tape;
    ReferenceState state = zero_state(test.config, 1);
    const Outcome run = run_forward(kernel, test, parameters, in, state, &tape);
    EXPECT_LT(relative_error(run.out, reference_forward(test.config, parameters, 1, test.length, in, state)),
              1e-4);
    BlockMemory gradients = zeros_like(parameters);
    Floats slopes(in.size(), 1.f);
    kernel.backward(to_float(parameters).constant(), gradients.arrays, *tape, slopes.data());
    for (const float value : slopes) EXPECT_TRUE(std::isfinite(value));
    for (const Floats& values : gradients.values)
        for (const float value : values) EXPECT_TRUE(std::isfinite(value));
}

}  // namespace
}  // namespace tracebench::ssm
