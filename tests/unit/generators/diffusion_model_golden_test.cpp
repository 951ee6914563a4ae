// Sampling against PyTorch: tests/golden/diffusion/make.py wrote weights, and what they give in float64.

#include <cmath>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "diffusion_model_fixture.h"
#include "generators/diffusion/network_layout.h"
#include "generators/weights/weight_file.h"

namespace tracebench::diffusion::test {
namespace {

struct Case {
    std::string name;
    SampleRequest request;
    SamplingOptions options;
    bool control = false, adapter = false;
};

class DiffusionModelGoldenTest : public DiffusionModelTest {
  protected:
    void SetUp() override {
        DiffusionModelTest::SetUp();
        if (IsSkipped()) return;
        const std::filesystem::path folder =
            std::filesystem::path(TRACEBENCH_SOURCE_DIR) / "tests/golden/diffusion";
        config_ =
            ModelConfig::from_json(nlohmann::json::parse(read_file(folder / "small.json")), "small.json");
        for (NamedTensor& tensor : read_safetensors(folder / "small.safetensors")) {
            const std::string name = tensor.name;
            given_[name] = std::move(tensor);
        }
    }

    /// By the names of a layout, twice where a part has averages too.
    std::vector<NamedTensor> take(const std::vector<TensorLayout>& layout, const std::string& prefix,
                                  bool averages) const {
        std::vector<NamedTensor> tensors;
        for (const TensorLayout& tensor : layout) {
            NamedTensor value = given_.at(prefix + tensor.name);
            value.name = tensor.name;
            tensors.push_back(value);
            value.name = "averaged." + tensor.name;
            if (averages) tensors.push_back(value);
        }
        return tensors;
    }

    std::unique_ptr<DiffusionModel> model(const Case& which, const ComputeOptions& compute) const {
        auto made = make_diffusion_model(config_, compute, 1);
        std::vector<NamedTensor> rows = take(autoencoder_layout(config_), "", true);
        for (const char* name : {"latent.mean", "latent.scale"}) rows.push_back(given_.at(name));
        made->set_parameters(Part::autoencoder, rows, "golden");
        made->set_parameters(Part::denoiser, take(denoiser_layout(config_), "", false), "golden");
        if (which.control)
            made->set_parameters(Part::control, take(control_layout(config_), "", true), "golden");
        if (which.adapter)
            made->set_adapter({.rank = 2, .alpha = 3, .new_classes = 1},
                              take(adapter_layout(config_, 2, 1), "adapter.", true), "golden");
        return made;
    }

    std::vector<Case> cases() {
        for (const float value : given_.at("golden.layout").values)
            layout_.push_back(static_cast<std::uint8_t>(value));
        const SampleRequest request{1, 23, 5, {}};
        SampleRequest controlled = request, fresh = request;
        controlled.control = layout_;
        fresh.class_id = 2;
        SamplingOptions three;
        three.steps = 3;
        SamplingOptions ddim = three, guided = three, once = three, weak = three;
        ddim.sampler = Sampler::ddim;
        guided.guidance = 2.5;
        once.steps = 1;
        weak.control_strength = 0.5;
        weak.guidance = 1.5;
        return {{"dpm", request, three},
                {"ddim", {1, 37, 6, {}}, ddim},
                {"guided", request, guided},
                {"unconditional", {-1, 23, 5, {}}, once},
                {"control", controlled, three, true},
                {"weak", controlled, weak, true},
                {"adapter", fresh, three, false, true}};
    }

    void compare(const Case& which, const SampledRows& rows, double tolerance) const {
        const NamedTensor& gaps = given_.at("golden." + which.name + ".gaps");
        const NamedTensor& logits = given_.at("golden." + which.name + ".logits");
        ASSERT_EQ(rows.gaps.size(), gaps.values.size()) << which.name;
        for (std::size_t i = 0; i < gaps.values.size(); ++i)
            EXPECT_NEAR(rows.gaps[i], gaps.values[i], tolerance) << which.name << ", row " << i;
        // Columns where float32 cannot tip the scales.
        const std::size_t columns = config_.fixed.size();
        const auto learned = static_cast<std::size_t>(config_.learned_columns());
        std::size_t compared = 0;
        for (std::size_t row = 0; row < gaps.values.size(); ++row)
            for (std::size_t i = 0, at = 0; i < columns; ++i) {
                const int value = rows.ternary[row * columns + i];
                if (config_.fixed[i] != kVaries) {
                    EXPECT_EQ(value, config_.fixed[i]);
                    continue;
                }
                const float present = logits.values[row * 2 * learned + at];
                const float bit = logits.values[row * 2 * learned + learned + at];
                ++at;
                if (std::abs(present) < 2 * tolerance || std::abs(bit) < 2 * tolerance) continue;
                ++compared;
                EXPECT_EQ(value, present < 0 ? -1 : bit > 0)
                    << which.name << ", row " << row << ", column " << i;
            }
        EXPECT_GT(compared, gaps.values.size() * learned / 3);
    }

    ModelConfig config_;
    std::map<std::string, NamedTensor> given_;
    std::vector<std::uint8_t> layout_;
};

TEST_F(DiffusionModelGoldenTest, EveryWayOfSampling) {
    for (const Case& which : cases()) {
        const auto made = model(which, {.threads = 2});
        compare(which, made->sample(std::span(&which.request, 1), which.options).front(), 2e-4);
    }
}

TEST_F(DiffusionModelGoldenTest, Bfloat16ProductsAreClose) {
    const Case which = cases().front();
    const auto made = model(which, {.precision = Precision::bfloat16, .threads = 2});
    compare(which, made->sample(std::span(&which.request, 1), which.options).front(), 0.1);
}

TEST_F(DiffusionModelGoldenTest, AMergedAdapterIsAnAppliedOne) {
    const Case which = cases().back();
    const auto made = model(which, {.threads = 2});
    made->merge_adapter();
    EXPECT_FALSE(made->adapter());
    EXPECT_EQ(made->config().classes, 3);
    compare(which, made->sample(std::span(&which.request, 1), which.options).front(), 2e-4);
}

}  // namespace
}  // namespace tracebench::diffusion::test
