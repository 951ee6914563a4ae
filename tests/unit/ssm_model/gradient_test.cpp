// Gradients against differences of the naive float64 loss, and of the fused kernels against autograd's.

#include <cmath>
#include <set>

#include "model_fixture.h"
#include "naive_model.h"

namespace tracebench::ssm::test {
namespace {

struct Tokens {
    std::vector<Token> inputs, targets;
    std::int64_t rows, length;

    Tokens(std::int64_t row_count, std::int64_t row_length, std::int64_t vocabulary)
        : inputs(random_tokens(static_cast<std::size_t>(row_count * row_length), vocabulary, 21)),
          targets(random_tokens(inputs.size(), vocabulary, 22)),
          rows(row_count),
          length(row_length) {
        targets[4] = targets.back() = -1;  // padding
    }
    Batch batch(std::span<const std::uint8_t> continues = {}) const {
        return {.rows = rows, .length = length, .inputs = inputs, .targets = targets, .continues = continues};
    }
};

double scale_of(const NamedTensor& tensor) {
    double most = 0;
    for (const float value : tensor.values) most = std::max(most, std::abs(static_cast<double>(value)));
    return most;
}

class GradientTest : public EachBackend {};

TEST_P(GradientTest, IsTheSlopeOfTheNaiveLoss) {
    const ModelConfig config = odd_config();
    auto model = make_model(config, GetParam());
    model->set_parameters(disturbed_parameters(*model), "test");
    const Tokens tokens(2, 13, config.vocab_size);
    constexpr double normaliser = 7;
    model->accumulate(tokens.batch(), normaliser);
    NaiveModel naive(config, model->parameters());
    Random random(31);
    for (const NamedTensor& parameter : model->parameters()) {
        const NamedTensor gradient = find_tensor(model->training_state(), "gradient." + parameter.name);
        ASSERT_EQ(gradient.values.size(), parameter.values.size()) << parameter.name;
        const double scale = scale_of(gradient);
        EXPECT_GT(scale, 0) << parameter.name;
        std::set<std::size_t> places{0, parameter.values.size() - 1};
        while (places.size() < std::min<std::size_t>(parameter.values.size(), 8))
            places.insert(random.below(parameter.values.size()));
        for (const std::size_t place : places) {
            double& value = naive.value(parameter.name, place);
            const double at = value, step = 1e-5;
            value = at + step;
            const double above = naive.loss(tokens.batch());
            value = at - step;
            const double below = naive.loss(tokens.batch());
            value = at;
            const double slope = (above - below) / (2 * step) / normaliser;
            EXPECT_NEAR(gradient.values[place], slope, 1e-4 * scale) << parameter.name << ' ' << place;
        }
    }
}

TEST_P(GradientTest, AddsUpOverCalls) {
    const ModelConfig config = odd_config();
    const Tokens both(2, 9, config.vocab_size);
    auto together = make_model(config, GetParam()), apart = make_model(config, GetParam());
    const Loss whole = together->accumulate(both.batch(), 3);
    EXPECT_EQ(whole.targets, 2 * 9 - 2);
    Loss sum;
    for (std::size_t row = 0; row < 2; ++row) {
        const Batch one{.rows = 1,
                        .length = 9,
                        .inputs = std::span(both.inputs).subspan(row * 9, 9),
                        .targets = std::span(both.targets).subspan(row * 9, 9),
                        .continues = {}};
        const Loss loss = apart->accumulate(one, 3);
        sum.nats += loss.nats;
        sum.targets += loss.targets;
    }
    EXPECT_NEAR(sum.nats, whole.nats, 1e-5 * whole.nats);
    EXPECT_EQ(sum.targets, whole.targets);
    for (const NamedTensor& parameter : together->parameters()) {
        const std::string name = "gradient." + parameter.name;
        const NamedTensor one = find_tensor(together->training_state(), name),
                          two = find_tensor(apart->training_state(), name);
        ASSERT_EQ(one.values.size(), parameter.values.size());
        for (std::size_t i = 0; i < one.values.size(); ++i)
            ASSERT_NEAR(one.values[i], two.values[i], 1e-5 * scale_of(one)) << name << ' ' << i;
    }
}

struct Shape {
    const char* name;
    std::int64_t d_model, headdim, d_state, ngroups, d_conv, vocabulary, chunk, rows, length;
};

class FusedGradientTest : public testing::TestWithParam<Shape> {};

/// Two calls, the second going on where the first ended, for one row of two or more.
TEST_P(FusedGradientTest, IsAutograds) {
    const Shape& shape = GetParam();
    ModelConfig config;
    config.d_model = shape.d_model;
    config.n_layer = 3;
    config.headdim = shape.headdim;
    config.d_state = shape.d_state;
    config.ngroups = shape.ngroups;
    config.d_conv = shape.d_conv;
    config.vocab_size = shape.vocabulary;
    auto plain = make_model(config, Backend::plain, Precision::float32, shape.chunk);
    auto fused = make_model(config, Backend::fused, Precision::float32, shape.chunk);
    plain->set_parameters(disturbed_parameters(*plain), "test");
    fused->set_parameters(plain->parameters(), "test");
    const Tokens tokens(shape.rows, shape.length, config.vocab_size);
    std::vector<std::uint8_t> continues(static_cast<std::size_t>(shape.rows), 0);
    for (int call = 0; call < 2; ++call) {
        const Loss expected = plain->accumulate(tokens.batch(continues), 5);
        const Loss found = fused->accumulate(tokens.batch(continues), 5);
        EXPECT_NEAR(found.nats, expected.nats, 1e-5 * expected.nats);
        EXPECT_EQ(found.targets, expected.targets);
        continues.front() = 1;
    }
    const std::vector<NamedTensor> of_plain = plain->training_state(), of_fused = fused->training_state();
    ASSERT_EQ(of_plain.size(), of_fused.size());
    for (std::size_t i = 0; i < of_plain.size(); ++i) {
        ASSERT_EQ(of_fused[i].name, of_plain[i].name);
        ASSERT_EQ(of_fused[i].shape, of_plain[i].shape);
        const double scale = scale_of(of_plain[i]);
        for (std::size_t k = 0; k < of_plain[i].values.size(); ++k)
            ASSERT_NEAR(of_fused[i].values[k], of_plain[i].values[k], 2e-4 * scale)
                << of_plain[i].name << ' ' << k;
    }
}

INSTANTIATE_TEST_SUITE_P(All, GradientTest, testing::Values(Backend::plain, Backend::fused), BackendName());
INSTANTIATE_TEST_SUITE_P(Shapes, FusedGradientTest,
                         testing::Values(Shape{"usual", 64, 64, 128, 1, 4, 300, 32, 1, 100},
                                         Shape{"rows", 48, 32, 16, 1, 4, 37, 16, 3, 50},
                                         Shape{"groups", 64, 16, 24, 4, 4, 37, 16, 2, 33},
                                         Shape{"narrow", 16, 8, 5, 2, 2, 5, 7, 2, 19},
                                         Shape{"one_token", 32, 16, 8, 1, 4, 21, 16, 2, 3},
                                         Shape{"long_chunk", 32, 32, 8, 1, 3, 21, 256, 1, 64}),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace tracebench::ssm::test
