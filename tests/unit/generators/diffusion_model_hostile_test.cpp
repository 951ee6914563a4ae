// Tensors from damaged files, and batches and requests out of range.

#include <functional>
#include <limits>

#include "base/error.h"
#include "diffusion_model_fixture.h"

namespace tracebench::diffusion::test {
namespace {

using Tensors = std::vector<NamedTensor>;

std::string refusal(const std::function<void()>& work) {
    try {
        work();
    } catch (const InputError& error) {
        return error.what();
    }
    return "nothing was thrown";
}

NamedTensor& named(Tensors& tensors, const std::string& name) {
    for (NamedTensor& tensor : tensors)
        if (tensor.name == name) return tensor;
    throw std::out_of_range(name);
}

/// Each part with the same damage: one clear line that names file and tensor, and nothing is changed.
TEST_F(DiffusionModelTest, DamagedTensorsGiveOneLine) {
    auto model = disturbed_model();
    model->add_control();
    model->add_adapter({.rank = 2, .new_classes = 1}, 1);
    const std::vector<std::pair<Part, std::string>> parts = {{Part::autoencoder, "encoder.in.weight"},
                                                             {Part::denoiser, "mid.0.conv1.weight"},
                                                             {Part::averaged, "class.weight"},
                                                             {Part::control, "control.zero.mid.bias"},
                                                             {Part::adapter, "out.weight.a"}};
    const std::vector<std::pair<std::string, std::function<void(Tensors&, NamedTensor&)>>> damages = {
        {"is missing", [](Tensors&, NamedTensor& tensor) { tensor.name = "another"; }},
        {"not one of this model's",
         [](Tensors& all, NamedTensor&) {
             all.push_back({"another", {1}, {0}});
         }},
        {"is there twice", [](Tensors& all, NamedTensor& tensor) { all.push_back(NamedTensor(tensor)); }},
        {"has shape [3], not",
         [](Tensors&, NamedTensor& tensor) {
             tensor = {tensor.name, {3}, {1, 2, 3}};
         }},
        {"values for shape", [](Tensors&, NamedTensor& tensor) { tensor.values.pop_back(); }},
        {"holds nan at position 1",
         [](Tensors&, NamedTensor& tensor) { tensor.values[1] = std::numeric_limits<float>::quiet_NaN(); }},
        {"holds inf at position 0",
         [](Tensors&, NamedTensor& tensor) { tensor.values[0] = std::numeric_limits<float>::infinity(); }}};
    for (const auto& [part, name] : parts)
        for (const auto& [expected, damage] : damages) {
            const Tensors good = model->parameters(part);
            Tensors bad = good;
            for (NamedTensor& tensor : bad)
                if (tensor.name != name && !tensor.values.empty()) tensor.values.front() += 1;
            damage(bad, named(bad, name));
            const std::string text = refusal([&] { model->set_parameters(part, bad, "some.safetensors"); });
            EXPECT_NE(text.find(expected), std::string::npos) << text;
            EXPECT_EQ(text.find("some.safetensors: "), 0u) << text;
            EXPECT_EQ(text.find('\n'), std::string::npos) << text;
            const Tensors after = model->parameters(part);
            for (std::size_t i = 0; i < good.size(); ++i) EXPECT_EQ(after[i].values, good[i].values);
        }
}

TEST_F(DiffusionModelTest, DamagedTrainingStatesGiveOneLine) {
    auto model = disturbed_model();
    const OddBatch rows(2, 20, 1);
    model->train_step(Stage::denoiser, rows.batch, {}, 1);
    const auto with = [&](const std::string& name, float value) {
        Tensors state = model->training_state(Stage::denoiser);
        named(state, name).values.at(0) = value;
        return refusal([&] { model->set_training_state(Stage::denoiser, state, "checkpoint"); });
    };
    EXPECT_NE(with("optimizer.steps", 0.5f).find("not a number of steps"), std::string::npos);
    EXPECT_NE(with("optimizer.steps", -1).find("not a number of steps"), std::string::npos);
    EXPECT_NE(with("optimizer.steps", 0).find("not one of this model's"), std::string::npos);
    EXPECT_NE(with("optimizer.first.in.bias", std::numeric_limits<float>::quiet_NaN()).find("holds nan"),
              std::string::npos);
    EXPECT_NE(
        refusal([&] { model->set_training_state(Stage::denoiser, {}, "checkpoint"); }).find("is missing"),
        std::string::npos);
}

TEST_F(DiffusionModelTest, BatchesOutOfRangeAreRefused) {
    auto model = disturbed_model();
    const auto refused = [&](Stage stage, const std::function<void(OddBatch&)>& damage) {
        OddBatch rows(2, 20, 1);
        damage(rows);
        EXPECT_THROW(model->train_step(stage, rows.batch, {}, 1), std::invalid_argument);
    };
    refused(Stage::denoiser, [](OddBatch& rows) { rows.batch.rows = 21; });
    refused(Stage::denoiser, [](OddBatch& rows) { rows.batch.samples = 0; });
    refused(Stage::denoiser, [](OddBatch& rows) { rows.classes[1] = 3; });
    refused(Stage::denoiser, [](OddBatch& rows) { rows.classes[1] = -2; });
    refused(Stage::denoiser, [](OddBatch& rows) { rows.ternary[5] = 2; });
    refused(Stage::denoiser, [](OddBatch& rows) { rows.gaps[5] = std::numeric_limits<float>::quiet_NaN(); });
    refused(Stage::denoiser, [](OddBatch& rows) { rows.mask[5] = 2; });
    refused(Stage::control, [](OddBatch&) {});  // there is no branch
    refused(Stage::adapter, [](OddBatch&) {});
    model->add_control();
    refused(Stage::control, [](OddBatch& rows) { rows.batch.control = {}; });
    const OddBatch longer(1, 101, 1);
    EXPECT_THROW(model->train_step(Stage::denoiser, longer.batch, {}, 1), std::invalid_argument);
    EXPECT_NO_THROW(model->train_step(Stage::autoencoder, longer.batch, {}, 1));
}

TEST_F(DiffusionModelTest, NoRowThatCountsIsNoStep) {
    auto model = disturbed_model();
    OddBatch rows(2, 20, 1);
    std::fill(rows.mask.begin(), rows.mask.end(), 0);
    const auto before = model->parameters(Part::denoiser);
    for (const Stage stage : {Stage::autoencoder, Stage::denoiser}) {
        const StepResult result = model->train_step(stage, rows.batch, {}, 1);
        EXPECT_EQ(result.loss.rows, 0);
        EXPECT_EQ(result.loss.mean, 0);
    }
    const auto after = model->parameters(Part::denoiser);
    for (std::size_t i = 0; i < before.size(); ++i) EXPECT_EQ(after[i].values, before[i].values);
}

TEST_F(DiffusionModelTest, RequestsOutOfRangeAreRefused) {
    auto model = disturbed_model();
    const auto refused = [&](const SampleRequest& request, const SamplingOptions& options) {
        EXPECT_THROW(model->sample(std::span(&request, 1), options), std::invalid_argument);
    };
    refused({0, 0, 1, {}}, {});
    refused({0, 101, 1, {}}, {});
    refused({3, 10, 1, {}}, {});
    refused({0, 10, 1, {}}, {.steps = 0});
    refused({0, 10, 1, {}}, {.guidance = -1});
    refused({0, 10, 1, {}}, {.guidance = std::numeric_limits<double>::quiet_NaN()});
    refused({0, 10, 1, {}}, {.control_strength = 3});
    const std::vector<std::uint8_t> layout(70, 1);
    const SampleRequest controlled{0, 10, 1, layout};
    EXPECT_NE(refusal([&] { model->sample(std::span(&controlled, 1), {}); }).find("without a control branch"),
              std::string::npos);
    EXPECT_TRUE(model->sample({}, {}).empty());
    EXPECT_THROW(model->merge_adapter(), std::invalid_argument);
    EXPECT_THROW(model->add_adapter({.rank = 0}, 1), std::invalid_argument);
}

TEST_F(DiffusionModelTest, UnknownDevicesAreRefused) {
    EXPECT_NE(refusal([] {
                  make_diffusion_model(odd_config(), {.device = "abacus"}, 1);
              }).find("'abacus' is not there"),
              std::string::npos);
    ModelConfig config = odd_config();
    config.channels = 17;
    EXPECT_NE(refusal([&] { make_diffusion_model(config, {}, 1); }).find("not a multiple of 16"),
              std::string::npos);
}

}  // namespace
}  // namespace tracebench::diffusion::test
