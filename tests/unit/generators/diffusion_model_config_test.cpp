// Fixed columns, and what a config.json may say.

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "generators/diffusion/network_layout.h"

namespace tracebench::diffusion {
namespace {

ModelConfig small() {
    ModelConfig config;
    config.classes = 3;
    config.fixed = {-1, 0, 1, kVaries, kVaries};
    config.channels = 32;
    return config;
}

std::string refusal(const nlohmann::json& json) {
    try {
        ModelConfig::from_json(json, "config.json");
    } catch (const InputError& error) {
        return error.what();
    }
    return {};
}

TEST(DiffusionModelConfigTest, FixedColumnsAreThoseThatNeverChange) {
    const std::vector<std::int8_t> rows = {1, -1, 0, 1, 0, 0, 1, -1, 0};
    EXPECT_EQ(fixed_columns(rows, 3), (std::vector<std::int8_t>{1, kVaries, 0}));
    EXPECT_EQ(fixed_columns({}, 2), (std::vector<std::int8_t>{kVaries, kVaries}));
    EXPECT_EQ(joined_columns(std::vector<std::int8_t>{1, 0, kVaries}, std::vector<std::int8_t>{1, 1, 0}),
              (std::vector<std::int8_t>{1, kVaries, kVaries}));
}

TEST(DiffusionModelConfigTest, JsonGoesBothWays) {
    const ModelConfig config = small();
    EXPECT_EQ(config.to_json().at("fixed"), "-01**");
    EXPECT_EQ(ModelConfig::from_json(config.to_json(), "config.json"), config);
    EXPECT_EQ(config.learned_columns(), 2);
    ModelConfig emphatic = small();
    emphatic.emphasis = {1, 1, 9, 8, 1};
    EXPECT_EQ(emphatic.to_json().at("emphasis"), "11981");
    EXPECT_EQ(ModelConfig::from_json(emphatic.to_json(), "config.json"), emphatic);
    nlohmann::json older = config.to_json();
    older.erase("emphasis");
    EXPECT_EQ(ModelConfig::from_json(older, "config.json"), config);
}

TEST(DiffusionModelConfigTest, ParametersAreCounted) {
    // By hand, for one level of 16 channels, one block, embedding 16, latent 16, encoder width 16, 2 learned
    // columns.
    ModelConfig config = small();
    config.classes = 1;
    config.latent = config.encoder_width = config.channels = config.embedding = 16;
    config.levels = config.blocks = 1;
    const std::int64_t autoencoder =
        (16 * 16 + 16) + (16 * 16 + 16) + (15 * 16 + 15) + (16 * 15 + 16) + (16 * 16 + 16) + (4 * 16 + 4);
    const std::int64_t convolution = 16 * 16 * 3 + 16, film = 32 * 16 + 32;
    const std::int64_t block = 32 + 2 * convolution + film;  // norm, two convolutions
    const std::int64_t wide_block = 64 + (16 * 32 * 3 + 16) + film + convolution + (16 * 32 + 16);
    const std::int64_t attention = 32 + (48 * 16 + 48) + (16 * 16 + 16);
    const std::int64_t denoiser = (16 * 64 + 16) + (16 * 16 + 16) + 2 * 16 + (16 * 32 * 3 + 16) + 3 * block +
                                  attention + wide_block + 32 + convolution;
    EXPECT_EQ(config.parameters(), autoencoder + denoiser);
}

TEST(DiffusionModelConfigTest, AdaptersStandBesideEveryMatrixButTheClasses) {
    std::int64_t matrices = 0;
    for (const TensorLayout& tensor : denoiser_layout(small())) matrices += tensor.shape.size() > 1;
    const std::vector<TensorLayout> adapter = adapter_layout(small(), 4, 2);
    EXPECT_EQ(static_cast<std::int64_t>(adapter.size()), 2 * (matrices - 1) + 1);
    EXPECT_EQ(adapter.back().name, "class.new");
    EXPECT_EQ(adapter.back().shape, (std::vector<std::int64_t>{2, 256}));
}

TEST(DiffusionModelConfigTest, HostileJsonGivesOneLine) {
    const auto with = [](const char* key, const nlohmann::json& value) {
        nlohmann::json json = small().to_json();
        json[key] = value;
        return refusal(json);
    };
    for (const auto& [key, value, part] :
         std::initializer_list<std::tuple<const char*, nlohmann::json, const char*>>{
             {"channels", 40, "not a multiple of 16"},
             {"channels", 1 << 20, "/channels"},
             {"channels", "64", "/channels"},
             {"levels", 0, "/levels"},
             {"classes", -1, "/classes"},
             {"latent_noise", 1e9, "/latent_noise"},
             {"fixed", "01x*", "not one of -01*"},
             {"fixed", "0101", "no column to learn"},
             {"fixed", std::string(20000, '*'), "/fixed"},
             {"emphasis", "111", "3 digits for 5 columns"},
             {"emphasis", "11011", "not one of 1 to 9"},
             {"emphasis", std::string(20000, '1'), "/emphasis"}}) {
        const std::string text = with(key, value);
        EXPECT_NE(text.find(part), std::string::npos) << key << ": " << text;
        EXPECT_EQ(text.find('\n'), std::string::npos);
    }
    nlohmann::json huge = small().to_json();
    huge["channels"] = 4096;
    huge["levels"] = 5;
    huge["blocks"] = 16;
    EXPECT_NE(refusal(huge).find("parameters; the limit is"), std::string::npos);
    nlohmann::json missing = small().to_json();
    missing.erase("blocks");
    EXPECT_NE(refusal(missing).find("blocks"), std::string::npos);
}

}  // namespace
}  // namespace tracebench::diffusion
