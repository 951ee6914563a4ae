#pragma once
/// Size and shape of a Mamba-2 language model, as NetSSM's `config.json` says it.

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace tracebench::ssm {

/// The keys of mamba_ssm's MambaConfig, and below them those of its Mamba2 layer (`ssm_cfg`), with their
/// defaults. What this implementation does not have (attention layers, MLPs, LayerNorm, untied embeddings)
/// is refused when it is read, so it has no place here.
struct ModelConfig {
    std::int64_t d_model = 768;
    std::int64_t n_layer = 24;
    std::int64_t vocab_size = 0;  ///< tokens in use
    std::int64_t pad_vocab_size_multiple = 16;
    std::int64_t d_state = 128;     ///< state per channel
    std::int64_t d_conv = 4;        ///< width of the causal convolution
    std::int64_t expand = 2;        ///< d_inner / d_model
    std::int64_t headdim = 64;      ///< channels that share a decay
    std::int64_t ngroups = 1;       ///< heads share B and C within a group
    std::int64_t chunk_size = 256;  ///< of training; no effect on what is computed

    std::int64_t d_inner() const { return expand * d_model; }
    std::int64_t heads() const { return d_inner() / headdim; }
    /// Channels that are convolved: x, B, C.
    std::int64_t conv_channels() const { return d_inner() + 2 * ngroups * d_state; }
    /// Rows of in_proj: z, x, B, C, dt.
    std::int64_t projection() const { return 2 * d_inner() + 2 * ngroups * d_state + heads(); }
    /// Rows of the embedding: vocab_size up to the next multiple.
    std::int64_t padded_vocabulary() const {
        return (vocab_size + pad_vocab_size_multiple - 1) / pad_vocab_size_multiple * pad_vocab_size_multiple;
    }
    /// Parameters, embedding included once.
    std::int64_t parameters() const;

    /// `config.json` as mamba_ssm writes it.
    nlohmann::json to_json() const;
    /// Throws InputError, naming `name` and the key: `d_model`, `n_layer`, `vocab_size` or `ssm_cfg/layer`
    /// missing, another type, out of range (d_model 16384, n_layer 1024, vocab_size 1,048,576, 2^32
    /// parameters in all), sizes that do not divide, or a feature that is not implemented (`attn_layer_idx`
    /// not empty, `d_intermediate` not 0, a `layer` other than Mamba2, `rms_norm` or `tie_embeddings` false,
    /// biases of the projections, ...). Other absent keys are mamba_ssm's defaults; unknown ones are ignored.
    static ModelConfig from_json(const nlohmann::json& json, std::string_view name);

    bool operator==(const ModelConfig&) const = default;
};

}  // namespace tracebench::ssm
