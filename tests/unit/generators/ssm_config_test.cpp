#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/json.h"
#include "generators/ssm/model_config.h"

namespace tracebench::ssm {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

/// As NetSSM's published source writes it.
json published() {
    return json::parse(R"({"d_model": 768, "d_intermediate": 0, "n_layer": 24, "vocab_size": 260,
        "ssm_cfg": {"layer": "Mamba2"}, "attn_layer_idx": [], "attn_cfg": {}, "rms_norm": true,
        "residual_in_fp32": true, "fused_add_norm": true, "pad_vocab_size_multiple": 16,
        "tie_embeddings": true})");
}

std::string refusal(const json& config) {
    try {
        ModelConfig::from_json(config, "config.json");
    } catch (const InputError& error) {
        return error.what();
    }
    return "accepted";
}

/// The refusal of the published configuration with one value in another way.
std::string refusal(const std::string& pointer, const json& value) {
    json config = published();
    config[json::json_pointer(pointer)] = value;
    return refusal(config);
}

std::string refusal_without(const std::string& key) {
    json config = published();
    config.erase(key);
    return refusal(config);
}

TEST(SsmConfig, ReadsWhatNetssmWrites) {
    const ModelConfig config = ModelConfig::from_json(published(), "config.json");
    ModelConfig expected;
    expected.vocab_size = 260;
    EXPECT_EQ(config, expected);
    EXPECT_EQ(config.padded_vocabulary(), 272);
    EXPECT_EQ(config.d_inner(), 1536);
    EXPECT_EQ(config.heads(), 24);
    EXPECT_EQ(config.conv_channels(), 1792);
    EXPECT_EQ(config.projection(), 3352);
}

TEST(SsmConfig, CountsParametersAsMambaSsmDoes) {
    // The published state-spaces/mamba2-130m: 128,989,632 parameters with its 50,288 rows of embedding.
    json config = published();
    config["vocab_size"] = 50277;
    EXPECT_EQ(ModelConfig::from_json(config, "config.json").parameters(), 128'989'632);
}

TEST(SsmConfig, TakesTheDefaultsOfMambaSsm) {
    const json least = {
        {"d_model", 64}, {"n_layer", 2}, {"vocab_size", 9}, {"ssm_cfg", {{"layer", "Mamba2"}}}, {"later", 1}};
    const ModelConfig config = ModelConfig::from_json(least, "config.json");
    EXPECT_EQ(config.pad_vocab_size_multiple, 8);
    EXPECT_EQ(config.d_state, 128);
    EXPECT_EQ(config.d_conv, 4);
    EXPECT_EQ(config.expand, 2);
    EXPECT_EQ(config.headdim, 64);
    EXPECT_EQ(config.ngroups, 1);
}

TEST(SsmConfig, WritesWhatItReads) {
    ModelConfig config{.d_model = 96, .n_layer = 3, .vocab_size = 41, .pad_vocab_size_multiple = 7};
    config.d_state = 24;
    config.d_conv = 3;
    config.expand = 3;
    config.headdim = 48;
    config.ngroups = 2;
    config.chunk_size = 32;
    EXPECT_EQ(ModelConfig::from_json(parse_json(config.to_json().dump(), "text"), "config.json"), config);
}

TEST(SsmConfig, WritesTheKeysOfMambaSsm) {
    ModelConfig config;
    config.vocab_size = 260;
    json written = config.to_json();
    EXPECT_EQ(written["ssm_cfg"]["layer"], "Mamba2");
    written["ssm_cfg"] = {{"layer", "Mamba2"}};
    EXPECT_EQ(written, published());
}

TEST(SsmConfig, RefusesWhatIsNotImplemented) {
    EXPECT_EQ(
        refusal("/attn_layer_idx", {3, 7}),
        "config.json: /attn_layer_idx names attention layers, which are not implemented; only models of "
        "Mamba-2 layers alone are");
    EXPECT_EQ(refusal("/ssm_cfg/layer", "Mamba1"),
              "config.json: /ssm_cfg/layer is \"Mamba1\", which is not implemented; only \"Mamba2\" is");
    EXPECT_THAT(refusal("/ssm_cfg", json::object()), HasSubstr("/ssm_cfg/layer is missing"));
    EXPECT_THAT(refusal("/ssm_cfg", nullptr), HasSubstr("/ssm_cfg/layer is missing"));
    EXPECT_THAT(refusal("/d_intermediate", 3072), HasSubstr("/d_intermediate is not 0"));
    EXPECT_THAT(refusal("/rms_norm", false), HasSubstr("/rms_norm is false"));
    EXPECT_THAT(refusal("/tie_embeddings", false), HasSubstr("/tie_embeddings is false"));
    EXPECT_THAT(refusal("/ssm_cfg/bias", true), HasSubstr("/ssm_cfg/bias is true"));
    EXPECT_THAT(refusal("/ssm_cfg/conv_bias", false), HasSubstr("/ssm_cfg/conv_bias is false"));
    EXPECT_THAT(refusal("/ssm_cfg/rmsnorm", false), HasSubstr("/ssm_cfg/rmsnorm is false"));
    EXPECT_THAT(refusal("/ssm_cfg/norm_before_gate", true), HasSubstr("/ssm_cfg/norm_before_gate is true"));
    EXPECT_THAT(refusal("/ssm_cfg/D_has_hdim", true), HasSubstr("/ssm_cfg/D_has_hdim is true"));
    EXPECT_THAT(refusal("/ssm_cfg/d_ssm", 768), HasSubstr("/ssm_cfg/d_ssm is not expand * d_model = 1536"));
    EXPECT_THAT(refusal("/ssm_cfg/dt_limit", {0, 0.5}), HasSubstr("/ssm_cfg/dt_limit"));
}

TEST(SsmConfig, AcceptsTheSameThingsWrittenOut) {
    json config = published();
    config["ssm_cfg"].update(
        {{"bias", false}, {"conv_bias", true}, {"d_ssm", 1536}, {"A_init_range", {1, 16}}});
    config["attn_layer_idx"] = nullptr;
    config["residual_in_fp32"] = false;
    EXPECT_EQ(refusal(config), "accepted");
}

TEST(SsmConfig, RefusesAbsentSizes) {
    EXPECT_EQ(refusal_without("vocab_size"),
              "config.json: /vocab_size is missing; take the config.json that came with the weights");
    EXPECT_THAT(refusal_without("d_model"), HasSubstr("/d_model is missing"));
    EXPECT_THAT(refusal_without("n_layer"), HasSubstr("/n_layer is missing"));
}

TEST(SsmConfig, RefusesOtherTypesAndRanges) {
    EXPECT_THAT(refusal(json::array()), HasSubstr("config.json: is array, not an object"));
    EXPECT_THAT(refusal("/d_model", "768"), HasSubstr("/d_model is not an integer from 1 to 16384"));
    EXPECT_THAT(refusal("/d_model", 768.5), HasSubstr("/d_model is not an integer"));
    EXPECT_THAT(refusal("/d_model", 0), HasSubstr("/d_model is not an integer"));
    EXPECT_THAT(refusal("/d_model", 18446744073709551615U), HasSubstr("/d_model is not an integer"));
    EXPECT_THAT(refusal("/n_layer", -1), HasSubstr("/n_layer is not an integer"));
    EXPECT_THAT(refusal("/vocab_size", 1e9), HasSubstr("/vocab_size is not an integer"));
    EXPECT_THAT(refusal("/pad_vocab_size_multiple", 0), HasSubstr("/pad_vocab_size_multiple is not"));
    EXPECT_THAT(refusal("/ssm_cfg/d_conv", 5), HasSubstr("/ssm_cfg/d_conv is not an integer from 2 to 4"));
    EXPECT_THAT(refusal("/ssm_cfg/d_state", 0), HasSubstr("/ssm_cfg/d_state is not an integer"));
    EXPECT_THAT(refusal("/rms_norm", 1), HasSubstr("/rms_norm is number, not true or false"));
    EXPECT_THAT(refusal("/attn_layer_idx", "none"), HasSubstr("/attn_layer_idx is string, not an array"));
    EXPECT_THAT(refusal("/ssm_cfg/layer", 2), HasSubstr("/ssm_cfg/layer is number, not a string"));
}

TEST(SsmConfig, RefusesSizesThatDoNotDivide) {
    EXPECT_THAT(refusal("/ssm_cfg/headdim", 100),
                HasSubstr("/ssm_cfg has a headdim of 100, which does not divide expand * d_model = 1536"));
    EXPECT_THAT(refusal("/ssm_cfg/ngroups", 5),
                HasSubstr("/ssm_cfg has 5 ngroups, which do not divide the 24 heads"));
}

TEST(SsmConfig, RefusesModelsBeyondMemory) {
    json config = published();
    config["d_model"] = 16384;
    config["n_layer"] = 1024;
    config["vocab_size"] = 1 << 20;
    config["ssm_cfg"].update({{"expand", 16}, {"d_state", 1024}, {"ngroups", 1024}});
    EXPECT_THAT(refusal(config), HasSubstr("parameters; the limit is 4294967296; use a smaller"));
}

}  // namespace
}  // namespace tracebench::ssm
