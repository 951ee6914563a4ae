#include "generators/diffusion/diffusion_settings.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "generators/diffusion/model_rows.h"

namespace tracebench::diffusion {
namespace {

constexpr std::int64_t million = 1'000'000;
constexpr double ten_years_s = 3.2e8;
constexpr const char* model_keys[] = {"latent", "encoder_width", "latent_noise", "channels",
                                      "levels", "blocks",        "embedding"};

struct Preset {
    const char* name;
    std::int64_t latent, encoder_width, channels, levels, blocks, embedding;
    std::int64_t autoencoder_steps, steps, control_steps, adapter_steps;
    std::int64_t crop, batch_rows;
};

constexpr Preset presets[] = {
    {"tiny", 16, 64, 32, 2, 1, 64, 60, 60, 30, 30, 128, 512},               // continuous integration
    {"small", 32, 256, 64, 3, 2, 256, 600, 3000, 450, 400, 64, 1024},       // three minutes on two cores
    {"base", 32, 512, 128, 3, 3, 512, 4000, 20000, 4000, 1000, 512, 8192},  // an hour
};

const Preset& find_preset(const CheckedJson& settings) {
    const std::string name = settings.text("preset", "small");
    std::vector<std::string> names;
    for (const Preset& preset : presets) {
        if (name == preset.name) return preset;
        names.emplace_back(preset.name);
    }
    settings.at("preset").fail(fmt::format("is '{}'", name),
                               fmt::format("use one of: {}", fmt::join(names, ", ")));
}

std::optional<std::int64_t> given_count(const CheckedJson& settings, std::string_view key) {
    const auto member = settings.find(key);
    return member ? std::optional(member->integer(1, million * million)) : std::nullopt;
}

void read_model(const CheckedJson& settings, ModelConfig& model) {
    model.latent = settings.integer("latent", model.latent, 16, 4096);
    model.encoder_width = settings.integer("encoder_width", model.encoder_width, 16, 4096);
    model.latent_noise = settings.number("latent_noise", model.latent_noise, 0, 1);
    model.channels = settings.integer("channels", model.channels, 16, 4096);
    model.levels = settings.integer("levels", model.levels, 1, 5);
    model.blocks = settings.integer("blocks", model.blocks, 1, 16);
    model.embedding = settings.integer("embedding", model.embedding, 16, 4096);
    // The file's reader knows which sizes fit together.
    ModelConfig checked = model;
    checked.fixed.assign(kTernary, kVaries);
    ModelConfig::from_json(checked.to_json(), "generator 'diffusion'");
}

void read_compute(const CheckedJson& settings, ComputeOptions& compute) {
    compute.device = settings.text("device", "cpu");
    compute.threads = static_cast<int>(settings.integer("threads", 0, 0, 1024));
    const std::string precision = settings.text("precision", "float32");
    if (precision != "float32" && precision != "bfloat16")
        settings.at("precision").fail("is none of 'float32', 'bfloat16'");
    compute.precision = precision == "bfloat16" ? Precision::bfloat16 : Precision::float32;
}

void read_training(const CheckedJson& settings, DiffusionSettings& result) {
    TrainingOptions& training = result.training;
    result.learning_rate = settings.number("learning_rate", result.learning_rate, 1e-8, 1);
    result.adapter_learning_rate = settings.number("learning_rate", result.adapter_learning_rate, 1e-8, 1);
    result.autoencoder_learning_rate =
        settings.number("autoencoder_learning_rate", result.autoencoder_learning_rate, 1e-8, 1);
    training.schedule.warmup = settings.number("warmup", 0.1, 0, 0.9);
    training.schedule.floor = settings.number("learning_rate_floor", training.schedule.floor, 0, 1);
    OptimizerStep& optimizer = training.optimizer;
    optimizer.weight_decay = settings.number("weight_decay", optimizer.weight_decay, 0, 10);
    optimizer.clip_norm = settings.number("clip", optimizer.clip_norm, 0, 1e6);
    optimizer.ema = settings.number("ema", optimizer.ema, 0, 0.999999);
    optimizer.class_dropout = settings.number("class_dropout", optimizer.class_dropout, 0, 1);
    result.autoencoder_steps = given_count(settings, "autoencoder_steps");
    result.steps = given_count(settings, "steps");
    result.control_steps = given_count(settings, "control_steps");
    training.seconds = settings.number("seconds", 0, 0.001, ten_years_s);
    result.autoencoder_share = settings.number("autoencoder_share", result.autoencoder_share, 0.01, 0.99);
    training.autoencoder_rows = settings.integer("autoencoder_rows", training.autoencoder_rows, 1, million);
    training.crop = settings.integer("crop", training.crop, 16, static_cast<std::int64_t>(kImageRows));
    training.batch_rows = settings.integer("batch_rows", training.batch_rows, 16, million);
    if (training.batch_rows < training.crop)
        settings.at(settings.find("batch_rows") ? "batch_rows" : "crop")
            .fail(fmt::format("leaves no room for a piece: batch_rows is {}, crop {}", training.batch_rows,
                              training.crop),
                  "make crop smaller or batch_rows larger");
    training.autoencoder_rarity = settings.number("autoencoder_rarity", training.autoencoder_rarity, 0, 1);
    training.rarity = settings.number("rarity", training.rarity, 0, 1);
    training.validation = settings.number("validation", training.validation, 0, 0.9);
    training.patience = settings.integer("patience", training.patience, 0, million);
    training.checkpoint_interval_s =
        settings.number("checkpoint_seconds", training.checkpoint_interval_s, 0.001, ten_years_s);
}

void read_control(const CheckedJson& settings, ControlChoice& control) {
    const auto member = settings.find("control");
    if (!member) return;
    if (member->value().is_number()) {
        control = {ControlChoice::Kind::given, static_cast<std::size_t>(member->integer(0, million))};
        return;
    }
    const std::string text = member->text(64);
    if (text == "class") {
        control.kind = ControlChoice::Kind::drawn;
    } else if (text != "off") {
        member->fail("is neither 'off' nor 'class' nor the number of a sample");
    }
}

void read_sampling(const CheckedJson& settings, DiffusionSettings& result) {
    SamplingOptions& sampling = result.sampling;
    sampling.steps = settings.integer("sampling_steps", sampling.steps, 1, 1000);
    sampling.guidance = settings.number("guidance", sampling.guidance, 0, 20);
    sampling.control_strength = settings.number("control_strength", sampling.control_strength, 0, 2);
    sampling.rows_at_once = settings.integer("rows_at_once", sampling.rows_at_once, 1, million);
    const std::string sampler = settings.text("sampler", "dpm-solver");
    if (sampler != "dpm-solver" && sampler != "ddim")
        settings.at("sampler").fail("is none of 'dpm-solver', 'ddim'");
    sampling.sampler = sampler == "ddim" ? Sampler::ddim : Sampler::dpm_solver;
    read_control(settings, result.control);
}

void read_lora(const CheckedJson& settings, DiffusionSettings& result) {
    const auto lora = settings.find("lora");
    if (!lora) return;
    if (result.from.empty())
        lora->fail("is given without 'from', the model that it adapts", "name its folder in 'from'");
    AdapterConfig config;
    if (lora->value().is_object()) {
        lora->allow_only({"rank", "alpha"});
        config.rank = lora->integer("rank", config.rank, 1, 256);
        config.alpha = lora->number("alpha", static_cast<double>(config.rank), 0.001, 1e6);
    } else {
        config.rank = lora->integer(1, 256);
        config.alpha = static_cast<double>(config.rank);
    }
    if (result.control.kind != ControlChoice::Kind::off)
        lora->fail("is given together with 'control', which an adapter does not train",
                   "set 'control' when sampling only");
    result.lora = config;
}

}  // namespace

DiffusionSettings DiffusionSettings::from_json(const CheckedJson& settings) {
    settings.allow_only({"preset",
                         "from",
                         "lora",
                         "latent",
                         "encoder_width",
                         "latent_noise",
                         "channels",
                         "levels",
                         "blocks",
                         "embedding",
                         "learning_rate",
                         "autoencoder_learning_rate",
                         "warmup",
                         "learning_rate_floor",
                         "weight_decay",
                         "clip",
                         "ema",
                         "class_dropout",
                         "autoencoder_steps",
                         "steps",
                         "control_steps",
                         "seconds",
                         "autoencoder_share",
                         "autoencoder_rows",
                         "crop",
                         "batch_rows",
                         "autoencoder_rarity",
                         "rarity",
                         "validation",
                         "patience",
                         "checkpoint_seconds",
                         "precision",
                         "device",
                         "threads",
                         "sampling_steps",
                         "sampler",
                         "guidance",
                         "control",
                         "control_strength",
                         "rows_at_once"});
    const Preset& preset = find_preset(settings);
    DiffusionSettings result;
    result.preset = preset.name;
    result.model.control = static_cast<std::int64_t>(kImageBytes);
    result.model.longest = static_cast<std::int64_t>(kImageRows);
    result.model.latent = preset.latent;
    result.model.encoder_width = preset.encoder_width;
    result.model.channels = preset.channels;
    result.model.levels = preset.levels;
    result.model.blocks = preset.blocks;
    result.model.embedding = preset.embedding;
    result.training.crop = preset.crop;
    result.training.batch_rows = preset.batch_rows;
    result.default_autoencoder_steps = preset.autoencoder_steps;
    result.default_steps = preset.steps;
    result.default_control_steps = preset.control_steps;
    result.default_adapter_steps = preset.adapter_steps;

    read_compute(settings, result.compute);
    read_training(settings, result);
    read_sampling(settings, result);
    result.from = settings.text("from", "");
    read_lora(settings, result);
    if (result.from.empty()) {
        read_model(settings, result.model);
    } else {
        for (const char* key : model_keys)
            if (const auto member = settings.find(key))
                member->fail("is given together with 'from', whose model has its own",
                             "leave one of them out");
    }
    return result;
}

TrainingOptions DiffusionSettings::training_within(double budget_s) const {
    TrainingOptions options = training;
    if (budget_s > 0 && (options.seconds == 0 || budget_s < options.seconds)) options.seconds = budget_s;
    // Where only the clock is given, it alone decides.
    const bool by_clock = options.seconds > 0 && !steps && !autoencoder_steps;
    const auto limit = [&](const std::optional<std::int64_t>& given, std::int64_t preset_steps) {
        return given ? *given : by_clock ? 0 : preset_steps;
    };
    if (lora) {
        options.stages = {{Stage::adapter, adapter_learning_rate, limit(steps, default_adapter_steps), 1}};
        return options;
    }
    if (from.empty())
        options.stages.push_back({Stage::autoencoder, autoencoder_learning_rate,
                                  limit(autoencoder_steps, default_autoencoder_steps), autoencoder_share});
    options.stages.push_back(
        {Stage::denoiser, learning_rate, limit(steps, default_steps), 1 - autoencoder_share});
    if (control.kind != ControlChoice::Kind::off)
        options.stages.push_back(
            {Stage::control, learning_rate, limit(control_steps, default_control_steps), control_share});
    return options;
}

}  // namespace tracebench::diffusion
