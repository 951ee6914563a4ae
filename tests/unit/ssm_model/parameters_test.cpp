// Names, shapes and first values as mamba_ssm has them; what set_parameters() refuses, and how it says so.

#include <cmath>
#include <functional>
#include <limits>

#include "base/error.h"
#include "model_fixture.h"

namespace tracebench::ssm::test {
namespace {

using Tensors = std::vector<NamedTensor>;

NamedTensor& named(Tensors& tensors, const std::string& name) {
    for (NamedTensor& tensor : tensors)
        if (tensor.name == name) return tensor;
    throw std::out_of_range(name);
}

TEST(ParametersTest, NamesAndShapesAreThoseOfMamba) {
    const ModelConfig config = odd_config();  // d_inner 64, 4 heads, 64 + 2*2*12 = 112 convolved channels
    const Tensors tensors = make_model(config, Backend::plain)->parameters();
    using Shape = std::vector<std::int64_t>;
    const std::vector<std::pair<std::string, Shape>> block = {{"norm.weight", {32}},
                                                              {"mixer.dt_bias", {4}},
                                                              {"mixer.A_log", {4}},
                                                              {"mixer.D", {4}},
                                                              {"mixer.in_proj.weight", {180, 32}},
                                                              {"mixer.conv1d.weight", {112, 1, 4}},
                                                              {"mixer.conv1d.bias", {112}},
                                                              {"mixer.norm.weight", {64}},
                                                              {"mixer.out_proj.weight", {32, 64}}};
    std::vector<std::pair<std::string, Shape>> expected = {{"backbone.embedding.weight", {32, 32}}};
    for (const char* layer : {"0", "1"})
        for (const auto& [name, shape] : block)
            expected.emplace_back("backbone.layers." + std::string(layer) + "." + name, shape);
    expected.emplace_back("backbone.norm_f.weight", Shape{32});
    ASSERT_EQ(tensors.size(), expected.size());
    std::int64_t values = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
        EXPECT_EQ(tensors[i].name, expected[i].first);
        EXPECT_EQ(tensors[i].shape, expected[i].second) << tensors[i].name;
        EXPECT_EQ(static_cast<std::int64_t>(tensors[i].values.size()), tensors[i].size());
        values += tensors[i].size();
    }
    EXPECT_EQ(values, config.parameters());
}

TEST(ParametersTest, FirstValuesAreDrawnAsMambaDoes) {
    ModelConfig config;
    config.d_model = 128;
    config.n_layer = 4;
    config.vocab_size = 300;
    config.headdim = 8;  // 32 heads: enough to see a distribution
    const Tensors tensors = make_model(config, Backend::plain)->parameters();
    double squares = 0;
    const NamedTensor embedding = find_tensor(tensors, "backbone.embedding.weight");
    for (const float value : embedding.values) squares += static_cast<double>(value) * value;
    EXPECT_NEAR(std::sqrt(squares / static_cast<double>(embedding.size())), 0.02, 0.0005);
    const auto range = [&](const std::string& name) {
        const NamedTensor tensor = find_tensor(tensors, "backbone.layers.3." + name);
        const auto [low, high] = std::minmax_element(tensor.values.begin(), tensor.values.end());
        return std::pair<double, double>(*low, *high);
    };
    // A symmetric uniform distribution of thousands of values: its ends are met within a percent.
    const auto expect_uniform = [&](const std::string& name, double bound) {
        const auto [low, high] = range(name);
        EXPECT_NEAR(low, -bound, 0.01 * bound) << name;
        EXPECT_NEAR(high, bound, 0.01 * bound) << name;
        EXPECT_LE(high, bound * (1 + 1e-6)) << name;
    };
    expect_uniform("mixer.in_proj.weight", 1 / std::sqrt(128.0));
    expect_uniform("mixer.out_proj.weight", 1 / std::sqrt(256.0) / std::sqrt(4.0));  // n_layer 4
    expect_uniform("mixer.conv1d.weight", 1 / std::sqrt(4.0));
    const auto [a_low, a_high] = range("mixer.A_log");
    EXPECT_GE(a_low, 0);
    EXPECT_LE(a_high, std::log(16));
    EXPECT_GT(a_high - a_low, 1);
    const auto [dt_low, dt_high] = range("mixer.dt_bias");
    EXPECT_GE(std::log1p(std::exp(dt_low)), 0.99e-3);
    EXPECT_LE(std::log1p(std::exp(dt_high)), 1.01e-1);
    EXPECT_LT(std::log1p(std::exp(dt_low)), 1e-2);
    EXPECT_GT(std::log1p(std::exp(dt_high)), 1e-2);
    for (const char* ones : {"norm.weight", "mixer.norm.weight", "mixer.D"})
        EXPECT_EQ(range(ones), std::pair(1.0, 1.0)) << ones;
}

TEST(ParametersTest, SameSeedSameBytes) {
    const ModelConfig config = odd_config();
    const auto values = [&](Backend backend, std::uint64_t seed) {
        std::vector<std::vector<float>> all;
        for (const NamedTensor& tensor :
             make_sequence_model(config, {.backend = backend}, seed)->parameters())
            all.push_back(tensor.values);
        return all;
    };
    EXPECT_EQ(values(Backend::plain, 5), values(Backend::plain, 5));
    EXPECT_EQ(values(Backend::plain, 5), values(Backend::fused, 5));
    EXPECT_NE(values(Backend::plain, 5), values(Backend::plain, 6));
}

TEST(ParametersTest, AreReplacedInAnyOrderWithOrWithoutHead) {
    auto model = make_model(odd_config(), Backend::plain);
    Tensors changed = disturbed_parameters(*model);
    const Tensors expected = changed;
    NamedTensor head = find_tensor(changed, "backbone.embedding.weight");
    head.name = "lm_head.weight";
    changed.insert(changed.begin(), head);
    std::reverse(changed.begin(), changed.end());
    model->set_parameters(changed, "weights");
    const Tensors found = model->parameters();
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
        EXPECT_EQ(found[i].name, expected[i].name);
        EXPECT_EQ(found[i].values, expected[i].values) << found[i].name;
    }
}

struct Damage {
    const char* name;
    std::function<void(Tensors&)> apply;
    const char* message;
};

class RefusalTest : public testing::TestWithParam<Damage> {};

TEST_P(RefusalTest, NamesFileAndTensorAndChangesNothing) {
    auto model = make_model(odd_config(), Backend::plain);
    const Tensors before = model->parameters();
    Tensors damaged = disturbed_parameters(*model);
    GetParam().apply(damaged);
    try {
        model->set_parameters(damaged, "model.safetensors");
        FAIL() << "accepted";
    } catch (const InputError& error) {
        const std::string text = error.what();
        EXPECT_TRUE(text.starts_with("model.safetensors: ")) << text;
        EXPECT_NE(text.find(GetParam().message), std::string::npos) << text;
    }
    const Tensors after = model->parameters();
    for (std::size_t i = 0; i < before.size(); ++i) EXPECT_EQ(after[i].values, before[i].values);
}

const char* const projection = "backbone.layers.1.mixer.in_proj.weight";

INSTANTIATE_TEST_SUITE_P(
    All, RefusalTest,
    testing::Values(
        Damage{"missing",
               [](Tensors& tensors) {
                   std::erase_if(tensors,
                                 [](const NamedTensor& tensor) { return tensor.name == projection; });
               },
               "tensor 'backbone.layers.1.mixer.in_proj.weight' of shape [180, 32] is missing"},
        Damage{"unknown",
               [](Tensors& tensors) {
                   tensors.push_back({"backbone.layers.2.norm.weight", {1}, {1.0f}});
               },
               "tensor 'backbone.layers.2.norm.weight' is not one of this model's"},
        Damage{"twice", [](Tensors& tensors) { tensors.push_back(tensors.front()); },
               "tensor 'backbone.embedding.weight' is there twice"},
        Damage{"transposed",
               [](Tensors& tensors) {
                   named(tensors, projection).shape = {32, 180};
               },
               "tensor 'backbone.layers.1.mixer.in_proj.weight' has shape [32, 180], not [180, 32]"},
        Damage{"vocabulary",
               [](Tensors& tensors) {
                   tensors.front().shape[0] = 48;
                   tensors.front().values.resize(48 * 32);
               },
               "tensor 'backbone.embedding.weight' has shape [48, 32], not [32, 32]"},
        Damage{"short", [](Tensors& tensors) { named(tensors, projection).values.pop_back(); },
               "tensor 'backbone.layers.1.mixer.in_proj.weight' has 5759 values for shape [180, 32]"},
        Damage{"not_a_number",
               [](Tensors& tensors) {
                   named(tensors, projection).values[77] = std::numeric_limits<float>::quiet_NaN();
               },
               "tensor 'backbone.layers.1.mixer.in_proj.weight' holds nan at position 77"},
        Damage{"infinite",
               [](Tensors& tensors) {
                   named(tensors, "backbone.norm_f.weight").values[0] =
                       -std::numeric_limits<float>::infinity();
               },
               "tensor 'backbone.norm_f.weight' holds -inf at position 0"},
        Damage{"untied",
               [](Tensors& tensors) {
                   tensors.push_back(tensors.front());
                   tensors.back().name = "lm_head.weight";
                   tensors.back().values[3] += 1;
               },
               "'lm_head.weight' differs from 'backbone.embedding.weight'"}),
    [](const auto& test) { return test.param.name; });

TEST(ComputeTest, UnknownDevicesAndSizesAreRefused) {
    const auto message = [](const ComputeOptions& compute) -> std::string {
        try {
            make_sequence_model(odd_config(), compute, 1);
        } catch (const InputError& error) {
            return error.what();
        }
        return "accepted";
    };
    EXPECT_NE(message({.device = "toaster"}).find("device: 'toaster' is not there"), std::string::npos);
    EXPECT_NE(
        message({.device = "cuda:99", .backend = Backend::plain}).find("device: 'cuda:99' is not there"),
        std::string::npos);
    EXPECT_NE(message({.threads = -1}).find("threads: is -1"), std::string::npos);
    EXPECT_NE(message({.chunk = 1 << 20}).find("chunk: is 1048576"), std::string::npos);
}

TEST(ComputeTest, ZerosAreResolved) {
    const auto model = make_sequence_model(odd_config(), {}, 1);
    EXPECT_GE(model->compute().threads, 1);
    EXPECT_GE(model->compute().chunk, 1);
    EXPECT_EQ(model->config(), odd_config());
}

}  // namespace
}  // namespace tracebench::ssm::test
