#pragma once
/// Small diffusion models with weights far from their initial values, and rows for them.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "generators/diffusion/diffusion_model.h"

namespace tracebench::diffusion::test {

/// Skips where this build has no LibTorch.
class DiffusionModelTest : public testing::Test {
  protected:
    void SetUp() override {
        if (!diffusion_model_available()) GTEST_SKIP() << "built without LibTorch";
    }
};

/// Nothing divides anything by chance.
inline ModelConfig odd_config() {
    ModelConfig config;
    config.classes = 3;
    config.fixed = std::vector<std::int8_t>(21, kVaries);
    config.fixed[4] = 0;
    config.fixed[9] = -1;
    config.control = 7;
    config.longest = 100;
    config.latent = 16;
    config.encoder_width = 32;
    config.channels = 16;
    config.levels = 2;
    config.blocks = 1;
    config.embedding = 16;
    return config;
}

/// Owns what a RowBatch refers to. Rows of a structure that can be learned: each column is a function of two
/// numbers.
struct OddBatch {
    std::vector<std::int8_t> ternary;
    std::vector<float> gaps;
    std::vector<std::uint8_t> mask, control;
    std::vector<std::int32_t> classes;
    RowBatch batch;

    OddBatch(std::int64_t samples, std::int64_t rows, std::uint64_t seed,
             const ModelConfig& config = odd_config()) {
        Random random(seed);
        for (std::int64_t sample = 0; sample < samples; ++sample) {
            classes.push_back(static_cast<std::int32_t>(sample % config.classes));
            for (std::int64_t row = 0; row < rows; ++row) {
                const auto value = random.below(8);
                for (std::size_t i = 0; i < config.fixed.size(); ++i) {
                    const auto bit = static_cast<std::int8_t>(value >> (i % 3) & 1);
                    const bool absent = i > 12 && row % 3 == 0;
                    ternary.push_back(config.fixed[i] != kVaries ? config.fixed[i] : absent ? -1 : bit);
                }
                gaps.push_back(static_cast<float>(random.uniform(-1, 1)));
                mask.push_back(row < rows - sample % 3);
                for (std::int64_t i = 0; i < config.control; ++i)
                    control.push_back(static_cast<std::uint8_t>(random.below(2)));
            }
        }
        batch = {samples, rows, ternary, gaps, mask, classes, {}, {}, control};
    }
    OddBatch(const OddBatch&) = delete;
    OddBatch& operator=(const OddBatch&) = delete;
};

/// Every parameter moved at random, its average with it.
inline void disturb(DiffusionModel& model, Part part, std::uint64_t seed) {
    Random random(seed);
    std::vector<NamedTensor> tensors = model.parameters(part);
    for (NamedTensor& tensor : tensors)
        for (float& value : tensor.values) {
            value += static_cast<float>(0.15 * random.normal());
            if (tensor.name == "latent.scale") value = std::abs(value) + 0.5f;
        }
    model.set_parameters(part, tensors, "disturbed");
}

inline std::unique_ptr<DiffusionModel> disturbed_model(const ComputeOptions& compute = {.threads = 2}) {
    auto model = make_diffusion_model(odd_config(), compute, 7);
    disturb(*model, Part::autoencoder, 1);
    disturb(*model, Part::denoiser, 2);
    return model;
}

inline std::vector<SampleRequest> some_requests(const DiffusionModel& model) {
    std::vector<SampleRequest> requests;
    for (std::int64_t i = 0; i < 5; ++i)
        requests.push_back({static_cast<std::int32_t>(i % model.config().classes),
                            20 + 9 * i,
                            100 + static_cast<std::uint64_t>(i),
                            {}});
    return requests;
}

/// Largest distance between gaps, which are continuous in all that a model computes.
inline double distance(const std::vector<SampledRows>& a, const std::vector<SampledRows>& b) {
    double largest = a.size() == b.size() ? 0 : 1e9;
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
        if (a[i].gaps.size() != b[i].gaps.size()) return 1e9;
        for (std::size_t row = 0; row < a[i].gaps.size(); ++row)
            largest = std::max<double>(largest, std::abs(a[i].gaps[row] - b[i].gaps[row]));
    }
    return largest;
}

inline bool same_bytes(const std::vector<SampledRows>& a, const std::vector<SampledRows>& b) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i)
        if (a[i].gaps != b[i].gaps || a[i].ternary != b[i].ternary) return false;
    return true;
}

}  // namespace tracebench::diffusion::test
