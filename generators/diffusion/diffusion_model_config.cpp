#include "generators/diffusion/diffusion_model_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "generators/checked_json.h"
#include "generators/diffusion/network_layout.h"

namespace tracebench::diffusion {
namespace {

constexpr std::int64_t most_classes = 4096, most_columns = 16384, most_rows = 65536, widest = 4096;
constexpr std::int64_t largest_model = std::int64_t{1} << 30;
constexpr std::int64_t multiple = 16;         // what vector registers and oneDNN's blocks hold
constexpr std::string_view symbols = "-01*";  // -1, 0, 1, kVaries

std::vector<std::int8_t> read_fixed(const CheckedJson& member) {
    const std::string text = member.text(static_cast<std::size_t>(most_columns));
    std::vector<std::int8_t> fixed;
    fixed.reserve(text.size());
    for (const char symbol : text) {
        const std::size_t place = symbols.find(symbol);
        if (place == std::string_view::npos)
            member.fail("has a character that is not one of -01*", "use the config.json of the model");
        fixed.push_back(static_cast<std::int8_t>(static_cast<int>(place) - 1));
    }
    if (std::count(fixed.begin(), fixed.end(), kVaries) == 0)
        member.fail("has no column to learn ('*')", "use the config.json of the model");
    return fixed;
}

std::vector<std::int8_t> read_emphasis(const CheckedJson& member, std::size_t columns) {
    const std::string text = member.text(columns);
    if (!text.empty() && text.size() != columns)
        member.fail(fmt::format("has {} digits for {} columns", text.size(), columns),
                    "use the config.json of the model");
    std::vector<std::int8_t> emphasis;
    for (const char digit : text) {
        if (digit < '1' || digit > '9')
            member.fail("has a character that is not one of 1 to 9", "use the config.json of the model");
        emphasis.push_back(static_cast<std::int8_t>(digit - '0'));
    }
    return emphasis;
}

}  // namespace

std::vector<std::int8_t> fixed_columns(std::span<const std::int8_t> ternary, std::size_t columns) {
    if (columns == 0 || ternary.size() < columns) return std::vector<std::int8_t>(columns, kVaries);
    std::vector<std::int8_t> fixed(ternary.begin(), ternary.begin() + static_cast<std::ptrdiff_t>(columns));
    for (std::size_t row = columns; row + columns <= ternary.size(); row += columns)
        for (std::size_t i = 0; i < columns; ++i)
            if (ternary[row + i] != fixed[i]) fixed[i] = kVaries;
    return fixed;
}

std::vector<std::int8_t> joined_columns(std::span<const std::int8_t> a, std::span<const std::int8_t> b) {
    std::vector<std::int8_t> joined(a.begin(), a.end());
    for (std::size_t i = 0; i < joined.size(); ++i)
        if (i >= b.size() || a[i] != b[i]) joined[i] = kVaries;
    return joined;
}

std::int64_t ModelConfig::learned_columns() const {
    return std::count(fixed.begin(), fixed.end(), kVaries);
}

std::int64_t ModelConfig::parameters() const {
    std::int64_t sum = 0;
    for (const TensorLayout& tensor : autoencoder_layout(*this)) sum += tensor.size();
    for (const TensorLayout& tensor : denoiser_layout(*this)) sum += tensor.size();
    return sum;
}

nlohmann::json ModelConfig::to_json() const {
    std::string columns;
    for (const std::int8_t value : fixed) columns += symbols[static_cast<std::size_t>(value + 1)];
    std::string digits;
    for (const std::int8_t times : emphasis) digits += static_cast<char>('0' + times);
    return {{"classes", classes},
            {"fixed", columns},
            {"emphasis", digits},
            {"control", control},
            {"longest", longest},
            {"latent", latent},
            {"encoder_width", encoder_width},
            {"latent_noise", latent_noise},
            {"channels", channels},
            {"levels", levels},
            {"blocks", blocks},
            {"embedding", embedding}};
}

ModelConfig ModelConfig::from_json(const nlohmann::json& json, std::string_view name) {
    const CheckedJson model(json, std::string(name));
    ModelConfig config;
    const auto size = [&](std::string_view key, std::int64_t low, std::int64_t high) {
        const std::int64_t value = model.at(key).integer(low, high);
        if (low == multiple && value % multiple != 0)
            model.at(key).fail(fmt::format("is {}, not a multiple of {}", value, multiple));
        return value;
    };
    config.classes = size("classes", 1, most_classes);
    config.fixed = read_fixed(model.at("fixed"));
    if (const auto member = model.find("emphasis"))
        config.emphasis = read_emphasis(*member, config.fixed.size());
    config.control = size("control", 1, widest);
    config.longest = size("longest", 1, most_rows);
    config.latent = size("latent", multiple, widest);
    config.encoder_width = size("encoder_width", multiple, widest);
    config.latent_noise = model.at("latent_noise").number(0, 1);
    config.channels = size("channels", multiple, widest);
    config.levels = size("levels", 1, 5);
    config.blocks = size("blocks", 1, 16);
    config.embedding = size("embedding", multiple, widest);
    if (config.parameters() > largest_model)
        model.fail(fmt::format("describes a model of {} parameters; the limit is {}", config.parameters(),
                               largest_model),
                   "use fewer channels, levels or blocks");
    return config;
}

}  // namespace tracebench::diffusion
