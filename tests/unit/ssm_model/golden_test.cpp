// Against PyTorch: tests/golden/ssm/make.py wrote weights, tokens, logits, loss and gradients.

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "generators/weights/weight_file.h"
#include "model_fixture.h"
#include "naive_model.h"

namespace tracebench::ssm::test {
namespace {

const std::string prefix = "golden.";

struct Golden {
    ModelConfig config;
    std::vector<NamedTensor> weights;
    std::vector<NamedTensor> expected;  ///< names without the prefix
    std::vector<Token> inputs, targets;
    std::int64_t rows = 0, length = 0;

    explicit Golden(const std::string& name) {
        const std::filesystem::path folder =
            std::filesystem::path(TRACEBENCH_SOURCE_DIR) / "tests/golden/ssm";
        config = ModelConfig::from_json(nlohmann::json::parse(read_file(folder / (name + ".json"))),
                                        name + ".json");
        for (NamedTensor& tensor : read_safetensors(folder / (name + ".safetensors"))) {
            const bool golden = tensor.name.starts_with(prefix);
            if (golden) tensor.name.erase(0, prefix.size());
            (golden ? expected : weights).push_back(std::move(tensor));
        }
        const NamedTensor tokens = find("tokens");
        rows = tokens.shape.at(0);
        length = tokens.shape.at(1);
        inputs.assign(tokens.values.begin(), tokens.values.end());
        const NamedTensor wanted = find("targets");
        targets.assign(wanted.values.begin(), wanted.values.end());
    }
    NamedTensor find(const std::string& name) const { return find_tensor(expected, name); }
    Batch batch() const {
        return {.rows = rows, .length = length, .inputs = inputs, .targets = targets, .continues = {}};
    }
};

class GoldenTest : public testing::TestWithParam<std::tuple<const char*, Backend>> {
  protected:
    Golden golden{std::get<0>(GetParam())};
    std::unique_ptr<SequenceModel> model =
        make_model(golden.config, std::get<1>(GetParam()), Precision::float32, golden.config.chunk_size);
    void SetUp() override { model->set_parameters(golden.weights, "golden"); }
};

TEST_P(GoldenTest, Logits) {
    const NamedTensor expected = golden.find("logits");
    const auto v = static_cast<std::size_t>(golden.config.vocab_size),
               rows = static_cast<std::size_t>(golden.rows), length = static_cast<std::size_t>(golden.length);
    ASSERT_EQ(expected.values.size(), rows * length * v);
    auto decoder = model->decoder(golden.rows);
    const NaiveModel naive(golden.config, golden.weights);
    std::vector<float> logits(rows * v);
    std::vector<Token> tokens(rows);
    for (std::size_t t = 0; t < length; ++t) {
        for (std::size_t row = 0; row < rows; ++row) tokens[row] = golden.inputs[row * length + t];
        decoder->step(tokens, logits);
        for (std::size_t row = 0; row < rows; ++row)
            for (std::size_t i = 0; i < v; ++i) {
                const double wanted = expected.values[(row * length + t) * v + i];
                EXPECT_NEAR(logits[row * v + i], wanted, 1e-4 * std::max(1.0, std::abs(wanted)))
                    << t << ' ' << row;
            }
    }
    // So that what the other tests compare with is right as well.
    for (std::size_t row = 0; row < rows; ++row) {
        const auto begin = golden.inputs.begin() + static_cast<std::ptrdiff_t>(row * length);
        const std::vector<double> values = naive.logits({begin, begin + golden.length});
        for (std::size_t i = 0; i < values.size(); ++i)
            EXPECT_NEAR(values[i], expected.values[row * length * v + i], 1e-5) << row << ' ' << i;
    }
}

TEST_P(GoldenTest, LossAndGradients) {
    const NamedTensor loss = golden.find("loss"), normaliser = golden.find("normaliser");
    ASSERT_EQ(loss.values.size(), 1u);
    const Loss found = model->accumulate(golden.batch(), normaliser.values.at(0));
    EXPECT_NEAR(found.nats, loss.values[0], 1e-5 * loss.values[0]);
    EXPECT_EQ(found.targets, golden.rows * golden.length - 8);  // make.py masks 7 + 1
    EXPECT_NEAR(model->evaluate(golden.batch()).nats, loss.values[0], 1e-5 * loss.values[0]);
    const std::vector<NamedTensor> state = model->training_state();
    for (const NamedTensor& weight : golden.weights) {
        const NamedTensor wanted = golden.find("gradient." + weight.name);
        const NamedTensor gradient = find_tensor(state, "gradient." + weight.name);
        ASSERT_EQ(gradient.shape, wanted.shape) << weight.name;
        double scale = 0;
        for (const float value : wanted.values) scale = std::max(scale, std::abs(static_cast<double>(value)));
        for (std::size_t i = 0; i < wanted.values.size(); ++i)
            ASSERT_NEAR(gradient.values[i], wanted.values[i], 1e-4 * scale) << weight.name << ' ' << i;
    }
}

INSTANTIATE_TEST_SUITE_P(All, GoldenTest,
                         testing::Combine(testing::Values("padded", "grouped"),
                                          testing::Values(Backend::plain, Backend::fused)),
                         [](const auto& test) {
                             return std::string(std::get<0>(test.param)) +
                                    (std::get<1>(test.param) == Backend::fused ? "_fused" : "_plain");
                         });

}  // namespace
}  // namespace tracebench::ssm::test
