#include "generators/ssm/model_config.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "generators/checked_json.h"

namespace tracebench::ssm {
namespace {

constexpr std::int64_t largest_model = std::int64_t{1} << 32;  // 16 GiB of weights; mamba2-2.7b has 2.7e9

/// A number without a default: guessing it would only be found out by weights that do not fit.
std::int64_t required(const CheckedJson& object, std::string_view key, std::int64_t high) {
    const auto member = object.find(key);
    if (!member)
        object.fail(fmt::format("/{} is missing", key), "take the config.json that came with the weights");
    return member->integer(1, high);
}

/// A switch that has to be at its default, because the other way is not implemented.
void only(const CheckedJson& object, std::string_view key, bool value) {
    const auto member = object.find(key);
    if (member && member->boolean() != value)
        member->fail(fmt::format("is {}, which is not implemented", !value),
                     fmt::format("only {} is", value));
}

void refuse_other_architectures(const CheckedJson& json) {
    const auto attention = json.find("attn_layer_idx");
    if (attention && !attention->value().is_null() && !attention->items(1 << 16).empty())
        attention->fail("names attention layers, which are not implemented",
                        "only models of Mamba-2 layers alone are");
    const auto intermediate = json.find("d_intermediate");
    if (intermediate && intermediate->integer(0, INT32_MAX) != 0)
        intermediate->fail("is not 0: MLPs between the layers are not implemented", "only 0 is");
    only(json, "rms_norm", true);
    only(json, "tie_embeddings", true);
}

void refuse_other_layers(const CheckedJson& layer, std::int64_t d_inner) {
    for (const auto& [key, value] : {std::pair{"bias", false},
                                     {"conv_bias", true},
                                     {"rmsnorm", true},
                                     {"norm_before_gate", false},
                                     {"D_has_hdim", false}})
        only(layer, key, value);
    const auto part = layer.find("d_ssm");
    if (part && !part->value().is_null() && part->integer(0, INT32_MAX) != d_inner)
        part->fail(fmt::format(
            "is not expand * d_model = {}: layers that are MLP in part are not implemented", d_inner));
    // The default, (0, infinity), cannot be written in JSON.
    if (const auto limit = layer.find("dt_limit"))
        limit->fail("bounds the step size, which is not implemented");
}

}  // namespace

std::int64_t ModelConfig::parameters() const {
    const std::int64_t convolution = conv_channels() * (d_conv + 1);
    const std::int64_t per_head = 3 * heads();  // dt_bias, A_log, D
    const std::int64_t norms = d_model + d_inner();
    const std::int64_t block = projection() * d_model + convolution + per_head + norms + d_inner() * d_model;
    return padded_vocabulary() * d_model + n_layer * block + d_model;
}

nlohmann::json ModelConfig::to_json() const {
    return {{"d_model", d_model},
            {"d_intermediate", 0},
            {"n_layer", n_layer},
            {"vocab_size", vocab_size},
            {"ssm_cfg",
             {{"layer", "Mamba2"},
              {"d_state", d_state},
              {"d_conv", d_conv},
              {"expand", expand},
              {"headdim", headdim},
              {"ngroups", ngroups},
              {"chunk_size", chunk_size}}},
            {"attn_layer_idx", nlohmann::json::array()},
            {"attn_cfg", nlohmann::json::object()},
            {"rms_norm", true},
            {"residual_in_fp32", true},
            {"fused_add_norm", true},
            {"pad_vocab_size_multiple", pad_vocab_size_multiple},
            {"tie_embeddings", true}};
}

ModelConfig ModelConfig::from_json(const nlohmann::json& json, std::string_view name) {
    const CheckedJson model(json, std::string(name));
    ModelConfig config;
    config.d_model = required(model, "d_model", 16384);
    config.n_layer = required(model, "n_layer", 1024);
    config.vocab_size = required(model, "vocab_size", 1 << 20);
    config.pad_vocab_size_multiple = model.integer("pad_vocab_size_multiple", 8, 1, 1 << 16);
    refuse_other_architectures(model);

    const auto layer = model.find("ssm_cfg");
    const auto kind = layer && layer->value().is_object() ? layer->find("layer") : std::nullopt;
    if (!kind)
        model.fail("/ssm_cfg/layer is missing, which means Mamba1: not implemented", "only \"Mamba2\" is");
    if (kind->text() != "Mamba2")
        kind->fail(fmt::format("is \"{}\", which is not implemented", kind->text()), "only \"Mamba2\" is");
    config.d_state = layer->integer("d_state", config.d_state, 1, 1024);
    config.d_conv = layer->integer("d_conv", config.d_conv, 2, 4);  // as mamba_ssm's convolution
    config.expand = layer->integer("expand", config.expand, 1, 16);
    config.headdim = layer->integer("headdim", config.headdim, 1, 1024);
    config.ngroups = layer->integer("ngroups", config.ngroups, 1, 1024);
    config.chunk_size = layer->integer("chunk_size", config.chunk_size, 1, 1 << 16);
    refuse_other_layers(*layer, config.d_inner());

    if (config.d_inner() % config.headdim != 0)
        layer->fail(fmt::format("has a headdim of {}, which does not divide expand * d_model = {}",
                                config.headdim, config.d_inner()));
    if (config.heads() % config.ngroups != 0)
        layer->fail(
            fmt::format("has {} ngroups, which do not divide the {} heads", config.ngroups, config.heads()));
    if (config.parameters() > largest_model)
        model.fail(fmt::format("describes a model of {} parameters; the limit is {}", config.parameters(),
                               largest_model),
                   "use a smaller d_model, n_layer or vocab_size");
    return config;
}

}  // namespace tracebench::ssm
