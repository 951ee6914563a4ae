#pragma once
/// Size and shape of the diffusion model: a row autoencoder and a denoiser over the sequence of its latents.

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string_view>
#include <vector>

namespace tracebench::diffusion {

/// In ModelConfig::fixed: a column that is learned.
inline constexpr std::int8_t kVaries = 2;

/// A value a column: the one that all rows have, or kVaries. `ternary` is rows x columns, row by row; no row
/// at all: all kVaries.
std::vector<std::int8_t> fixed_columns(std::span<const std::int8_t> ternary, std::size_t columns);
/// The columns that are kVaries as soon as they differ in one of the two. Of equal length.
std::vector<std::int8_t> joined_columns(std::span<const std::int8_t> a, std::span<const std::int8_t> b);

struct ModelConfig {
    std::int64_t classes = 1;  ///< 1 to 4096; one more, 'no class', comes by itself
    /// What each ternary column always is, or kVaries; its size is the number of columns (1 to 16384). Fixed
    /// columns cost nothing and come back exactly, whatever the model learned.
    std::vector<std::int8_t> fixed;
    /// How many times a column counts in the autoencoder's loss, 1 to 9, one for each; empty: all once.
    std::vector<std::int8_t> emphasis;
    std::int64_t control = 136;   ///< values a row of the control layout
    std::int64_t longest = 1024;  ///< rows of a sample, at most

    std::int64_t latent = 32;          ///< channels a row; multiple of 16
    std::int64_t encoder_width = 256;  ///< hidden units of the row autoencoder; multiple of 16
    /// Standard deviation of the noise on latents (of unit variance) in the autoencoder's training, so that
    /// rows still decode exactly where the denoiser is a little off.
    double latent_noise = 0.2;

    std::int64_t channels =
        64;  ///< of the denoiser at full length, twice that at each next level; multiple of 16
    std::int64_t levels = 3;       ///< 1 to 5; each is a quarter as long as the one above
    std::int64_t blocks = 2;       ///< residual blocks a level, on the way down as on the way up
    std::int64_t embedding = 256;  ///< of time and class together; multiple of 16

    std::int64_t columns() const { return static_cast<std::int64_t>(fixed.size()); }
    std::int64_t learned_columns() const;
    /// Trainable numbers of autoencoder and denoiser; the control branch not counted.
    std::int64_t parameters() const;

    nlohmann::json to_json() const;
    /// Throws InputError naming `name` and the key: missing, another type, out of range, not a multiple of
    /// 16, or more than 2^30 parameters in all.
    static ModelConfig from_json(const nlohmann::json& json, std::string_view name);

    bool operator==(const ModelConfig&) const = default;
};

}  // namespace tracebench::diffusion
