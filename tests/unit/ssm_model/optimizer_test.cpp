// AdamW by its published equations, clipping, what happens to broken gradients, and exact resume.

#include <cmath>
#include <functional>
#include <limits>

#include "base/error.h"
#include "model_fixture.h"

namespace tracebench::ssm::test {
namespace {

using Tensors = std::vector<NamedTensor>;

constexpr std::int64_t length = 16;

Batch batch_of(const std::vector<Token>& inputs, const std::vector<Token>& targets,
               std::span<const std::uint8_t> continues = {}) {
    return {.rows = 1, .length = length, .inputs = inputs, .targets = targets, .continues = continues};
}

/// One training step on tokens of its own.
double train(SequenceModel& model, std::uint64_t step, const OptimizerStep& settings = {}) {
    const std::vector<Token> inputs = random_tokens(length, model.config().vocab_size, 2 * step);
    const std::vector<Token> targets = random_tokens(length, model.config().vocab_size, 2 * step + 1);
    const std::vector<std::uint8_t> continues{static_cast<std::uint8_t>(step > 0)};
    model.accumulate(batch_of(inputs, targets, continues), length);
    return model.optimize(settings);
}

class OptimizerTest : public EachBackend {};

TEST_P(OptimizerTest, IsAdamW) {
    auto model = make_model(odd_config(), GetParam());
    const OptimizerStep settings{.learning_rate = 0.01,
                                 .beta1 = 0.8,
                                 .beta2 = 0.95,
                                 .epsilon = 1e-6,
                                 .weight_decay = 0.3,
                                 .clip_norm = 0.5};
    // Algorithm 2 of the paper, in double precision, on the model's own gradients.
    Tensors values = model->parameters();
    std::vector<std::vector<double>> first, second, expected;
    for (const NamedTensor& tensor : values) {
        first.emplace_back(tensor.values.size(), 0);
        second.emplace_back(tensor.values.size(), 0);
        expected.emplace_back(tensor.values.begin(), tensor.values.end());
    }
    for (int t = 1; t <= 3; ++t) {
        const std::vector<Token> inputs = random_tokens(length, 21, static_cast<std::uint64_t>(t));
        model->accumulate(batch_of(inputs, inputs), 1);
        const Tensors state = model->training_state();
        double squares = 0;
        for (const NamedTensor& tensor : values)
            for (const float g : find_tensor(state, "gradient." + tensor.name).values)
                squares += static_cast<double>(g) * g;
        const double norm = std::sqrt(squares);
        ASSERT_GT(norm, settings.clip_norm);
        EXPECT_NEAR(model->optimize(settings), norm, 1e-5 * norm);
        const Tensors now = model->parameters();
        for (std::size_t i = 0; i < values.size(); ++i) {
            const NamedTensor gradient = find_tensor(state, "gradient." + values[i].name);
            const double decay = values[i].shape.size() > 1 ? settings.weight_decay : 0;
            for (std::size_t k = 0; k < expected[i].size(); ++k) {
                const double g = gradient.values[k] * settings.clip_norm / norm;
                double &m = first[i][k], &v = second[i][k], &x = expected[i][k];
                m = settings.beta1 * m + (1 - settings.beta1) * g;
                v = settings.beta2 * v + (1 - settings.beta2) * g * g;
                const double m_hat = m / (1 - std::pow(settings.beta1, t));
                const double v_hat = v / (1 - std::pow(settings.beta2, t));
                x -= settings.learning_rate * (m_hat / (std::sqrt(v_hat) + settings.epsilon) + decay * x);
                // The update is at most a few learning rates.
                ASSERT_NEAR(now[i].values[k], x, 1e-4 * settings.learning_rate + 1e-6 * std::abs(x))
                    << values[i].name << ' ' << k << " step " << t;
                x = now[i].values[k];
            }
        }
    }
}

TEST_P(OptimizerTest, ShortGradientsAreNotClippedAndZeroMeansNever) {
    const auto after = [&](double clip) {
        auto model = make_model(odd_config(), GetParam());
        train(*model, 0, {.epsilon = 0.1, .clip_norm = clip});  // a large epsilon shows the gradient's scale
        return model->parameters().back().values;
    };
    EXPECT_EQ(after(0), after(1e6));
    EXPECT_NE(after(0), after(1e-3));
}

TEST_P(OptimizerTest, BrokenGradientsChangeNothing) {
    auto model = make_model(odd_config(), GetParam());
    Tensors broken = model->parameters();
    train(*model, 0);
    const Tensors before = model->parameters();
    Tensors state = model->training_state();
    for (const NamedTensor& parameter : before) {
        NamedTensor gradient = parameter;
        gradient.name = "gradient." + parameter.name;
        gradient.values.assign(gradient.values.size(),
                               3e38f);  // finite, but their squares' sum is what overflows
        state.push_back(gradient);
    }
    model->set_training_state(state, "state");
    // The norm is summed in double precision: this is a long gradient, not a broken one.
    EXPECT_TRUE(std::isfinite(model->optimize({.learning_rate = 0})));

    // A model whose activations overflow has gradients that are not finite.
    for (NamedTensor& tensor : broken)
        if (tensor.name.ends_with("norm_f.weight"))
            tensor.values.assign(tensor.values.size(), std::numeric_limits<float>::max());
    model->set_parameters(broken, "broken");
    const Tensors moments = model->training_state();
    EXPECT_FALSE(std::isfinite(train(*model, 1)));
    const Tensors after = model->parameters();
    for (std::size_t i = 0; i < after.size(); ++i)
        EXPECT_EQ(after[i].values, broken[i].values) << after[i].name;
    for (const NamedTensor& tensor : moments)
        if (tensor.name.starts_with("optimizer.")) {
            EXPECT_EQ(find_tensor(model->training_state(), tensor.name).values, tensor.values) << tensor.name;
        }
    model->set_parameters(before, "restored");
    EXPECT_TRUE(std::isfinite(train(*model, 0))) << "the broken gradients were cleared";
}

TEST_P(OptimizerTest, LearnsASequence) {
    ModelConfig config = odd_config();
    auto model = make_model(config, GetParam(), Precision::float32, 16);
    std::vector<Token> inputs(length), targets(length);
    for (std::size_t i = 0; i < length; ++i) {
        inputs[i] = static_cast<Token>(i * 7 % 21);
        targets[i] = static_cast<Token>((i + 1) * 7 % 21);
    }
    const Batch batch = batch_of(inputs, targets);
    const double before = model->evaluate(batch).nats / length;
    EXPECT_NEAR(before, std::log(21), 0.3);  // knows nothing yet
    for (int step = 0; step < 60; ++step) {
        model->accumulate(batch, length);
        model->optimize({.learning_rate = 0.01});
    }
    EXPECT_LT(model->evaluate(batch).nats / length, 0.1);
}

/// Three steps, saved, three more: the same bits whether one model went through or another took over; also in
/// the middle of accumulation.
TEST_P(OptimizerTest, ResumesBitForBit) {
    for (const bool pending : {false, true}) {
        auto through = make_model(odd_config(), GetParam());
        for (std::uint64_t step = 0; step < 3; ++step) train(*through, step);
        const std::vector<Token> extra = random_tokens(length, 21, 99);
        const std::vector<std::uint8_t> continues{1};
        if (pending) through->accumulate(batch_of(extra, extra, continues), length);
        auto resumed = make_sequence_model(odd_config(), through->compute(), 1234);
        resumed->set_parameters(through->parameters(), "weights");
        resumed->set_training_state(through->training_state(), "state");
        for (std::uint64_t step = 3; step < 6; ++step)
            EXPECT_EQ(train(*through, step), train(*resumed, step)) << "norm of step " << step;
        const Tensors one = through->parameters(), two = resumed->parameters();
        for (std::size_t i = 0; i < one.size(); ++i) EXPECT_EQ(one[i].values, two[i].values) << one[i].name;
        const Tensors state = through->training_state(), again = resumed->training_state();
        ASSERT_EQ(state.size(), again.size());
        for (std::size_t i = 0; i < state.size(); ++i)
            EXPECT_EQ(state[i].values, again[i].values) << state[i].name;
    }
}

TEST_P(OptimizerTest, SameStepsSameBits) {
    const auto after = [&] {
        auto model = make_model(odd_config(), GetParam());
        for (std::uint64_t step = 0; step < 3; ++step) train(*model, step);
        std::vector<std::vector<float>> all;
        for (const NamedTensor& tensor : model->parameters()) all.push_back(tensor.values);
        return all;
    };
    EXPECT_EQ(after(), after());
}

TEST(FusedThreadsTest, DoNotChangeABit) {
    const auto after = [](int threads) {
        auto model = make_model(odd_config(), Backend::fused, Precision::float32, 5, threads);
        for (std::uint64_t step = 0; step < 3; ++step) train(*model, step);
        std::vector<std::vector<float>> all;
        for (const NamedTensor& tensor : model->parameters()) all.push_back(tensor.values);
        return all;
    };
    EXPECT_EQ(after(1), after(2));
    EXPECT_EQ(after(1), after(5));
}

struct Damage {
    const char* name;
    std::function<void(Tensors&)> apply;
    const char* message;
};

class StateRefusalTest : public testing::TestWithParam<Damage> {};

TEST_P(StateRefusalTest, NamesFileAndTensorAndChangesNothing) {
    auto model = make_model(odd_config(), Backend::plain);
    train(*model, 0);
    const Tensors before = model->training_state();
    Tensors damaged = before;
    GetParam().apply(damaged);
    try {
        model->set_training_state(damaged, "training.safetensors");
        FAIL() << "accepted";
    } catch (const InputError& error) {
        const std::string text = error.what();
        EXPECT_TRUE(text.starts_with("training.safetensors: ")) << text;
        EXPECT_NE(text.find(GetParam().message), std::string::npos) << text;
    }
    const Tensors after = model->training_state();
    ASSERT_EQ(after.size(), before.size());
    for (std::size_t i = 0; i < before.size(); ++i) EXPECT_EQ(after[i].values, before[i].values);
}

NamedTensor& named(Tensors& tensors, const std::string& name) {
    for (NamedTensor& tensor : tensors)
        if (tensor.name == name) return tensor;
    throw std::out_of_range(name);
}

INSTANTIATE_TEST_SUITE_P(
    All, StateRefusalTest,
    testing::Values(
        Damage{"nothing", [](Tensors& tensors) { tensors.clear(); }, "tensor 'optimizer.steps' is missing"},
        Damage{"fraction", [](Tensors& tensors) { named(tensors, "optimizer.steps").values[0] = 1.5f; },
               "'optimizer.steps' is not a number of steps"},
        Damage{"moment_missing",
               [](Tensors& tensors) {
                   std::erase_if(tensors, [](const NamedTensor& tensor) {
                       return tensor.name == "optimizer.second.backbone.norm_f.weight";
                   });
               },
               "tensor 'optimizer.second.backbone.norm_f.weight' is missing"},
        Damage{"unknown",
               [](Tensors& tensors) {
                   tensors.push_back({"optimizer.third", {1}, {1.0f}});
               },
               "tensor 'optimizer.third' is not part of this training's state"},
        Damage{"carried_missing",
               [](Tensors& tensors) {
                   std::erase_if(tensors,
                                 [](const NamedTensor& tensor) { return tensor.name == "carried.1.ssm"; });
               },
               "carried state of 3 tensors, not 4"},
        Damage{"carried_shape",
               [](Tensors& tensors) {
                   named(tensors, "carried.1.conv").shape = {1, 112, 3};
               },
               "tensor 'carried.1.conv' has shape [1, 112, 3], not [1, 3, 112]"},
        Damage{"carried_rows", [](Tensors& tensors) { named(tensors, "carried.0.ssm").shape[0] = 1 << 30; },
               "tensor 'carried.0.ssm' has 1073741824 rows"}),
    [](const auto& test) { return test.param.name; });

INSTANTIATE_TEST_SUITE_P(All, OptimizerTest, testing::Values(Backend::plain, Backend::fused), BackendName());

}  // namespace
}  // namespace tracebench::ssm::test
