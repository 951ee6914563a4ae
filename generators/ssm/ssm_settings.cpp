#include "generators/ssm/ssm_settings.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace tracebench::ssm {
namespace {

constexpr std::int64_t million = 1'000'000;
constexpr std::int64_t max_count = std::int64_t{1} << 50;
constexpr double ten_years_s = 3.2e8;
// Items that nearly never come (another TTL in the middle of a flow) are never quite learned to be
// impossible, and once drawn they stay. Measured on the lab set: 0.02 to 0.05 are best, 0 and 0.1 clearly
// worse.
constexpr double fields_min_p = 0.03, fields_noise = 0.05;

struct Preset {
    const char* name;
    const char* encoding;
    std::int64_t d_model, n_layer, d_state, headdim;
    double learning_rate;
    std::int64_t batch_tokens, segment, epochs;
    double validation;
};

constexpr Preset presets[] = {
    {"tiny", "fields", 64, 2, 32, 32, 4e-3, 1024, 512, 6, 0.1},  // continuous integration
    // Minutes on two cores. Of a dozen sessions a label none can be spared, and what is best for the loss of
    // the few that would be set aside is an early model, whose plans and packets are further from real ones.
    {"small", "fields", 128, 4, 64, 64, 4e-3, 1024, 512, 24, 0},
    {"base", "fields", 256, 8, 128, 64, 2e-3, 8192, 2048, 20, 0.1},     // an hour
    {"netssm", "netssm", 768, 24, 128, 64, 5e-4, 4096, 4096, 10, 0.1},  // as published
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

void read_encoding(const CheckedJson& settings, SsmSettings& result) {
    const auto encoding = settings.find("encoding");
    if (!encoding) return;
    result.encoding_given = true;
    if (encoding->value().is_string()) {
        result.encoding = encoding->text(64);
        return;
    }
    result.encoding = encoding->at("name").text(64);
    result.encoding_settings = encoding->value();
    result.encoding_settings.erase("name");
}

void read_model(const CheckedJson& settings, ModelConfig& model) {
    model.d_model = settings.integer("d_model", model.d_model, 8, 1 << 16);
    model.n_layer = settings.integer("n_layer", model.n_layer, 1, 1 << 10);
    model.d_state = settings.integer("d_state", model.d_state, 1, 1 << 12);
    model.headdim = settings.integer("headdim", model.headdim, 1, 1 << 12);
    model.expand = settings.integer("expand", model.expand, 1, 16);
    // The file's reader knows which sizes fit together.
    ModelConfig checked = model;
    checked.vocab_size = 256;
    ModelConfig::from_json(checked.to_json(), "generator 'ssm'");
}

void read_compute(const CheckedJson& settings, SsmSettings& result) {
    ComputeOptions& compute = result.compute;
    compute.device = settings.text("device", "cpu");
    compute.threads = static_cast<int>(settings.integer("threads", 0, 0, 1024));
    const std::string backend = settings.text("backend", compute.device == "cpu" ? "fused" : "plain");
    if (backend != "fused" && backend != "plain")
        settings.at("backend").fail("is neither 'fused' nor 'plain'");
    compute.backend = backend == "fused" ? Backend::fused : Backend::plain;
    // Measured without matrix units for it (AMX), bfloat16 is the slower one.
    const std::string precision = settings.text("precision", "float32");
    if (precision != "float32" && precision != "bfloat16")
        settings.at("precision").fail("is none of 'float32', 'bfloat16'");
    compute.precision = precision == "bfloat16" ? Precision::bfloat16 : Precision::float32;
    // At the published size states are what a step reads most of; small models gain little.
    const bool fused = compute.backend == Backend::fused;
    const std::string state =
        settings.text("state", fused && result.preset == "netssm" ? "float16" : "float32");
    if (state != "float32" && state != "float16")
        settings.at("state").fail("is none of 'float32', 'float16'");
    if (state == "float16" && !fused)
        settings.at("state").fail("is 'float16', which only the backend 'fused' has", "use 'float32'");
    compute.half_states = state == "float16";
}

void read_training(const CheckedJson& settings, TrainingOptions& training) {
    LearningRateSchedule& schedule = training.schedule;
    schedule.peak = settings.number("learning_rate", schedule.peak, 1e-8, 1);
    schedule.warmup = settings.number("warmup", schedule.warmup, 0, 0.9);
    schedule.floor = settings.number("learning_rate_floor", schedule.floor, 0, 1);
    training.optimizer.weight_decay = settings.number("weight_decay", training.optimizer.weight_decay, 0, 10);
    training.optimizer.clip_norm = settings.number("clip", training.optimizer.clip_norm, 0, 1e6);
    BatchShape& batches = training.batches;
    batches.batch_tokens =
        settings.integer("batch_tokens", batches.batch_tokens, length_multiple, 64 * million);
    batches.segment = settings.integer("segment", batches.segment, length_multiple, 16 * million);
    if (batches.segment % length_multiple != 0)
        settings.at("segment").fail(fmt::format("is not a multiple of {}", length_multiple));
    training.noise = settings.number("noise", training.noise, 0, 0.9);
    training.accumulate = settings.integer("accumulate", training.accumulate, 1, million);
    training.context = settings.integer("context", training.context, 0, max_count);
    if (training.context == 1)
        settings.at("context").fail("is 1, which predicts nothing", "use 0 for all tokens");
    training.epochs = settings.integer("epochs", 0, 1, million * million);
    training.steps = settings.integer("steps", 0, 1, million * million);
    training.seconds = settings.number("seconds", 0, 0.001, ten_years_s);
    training.validation = settings.number("validation", training.validation, 0, 0.9);
    training.patience = settings.integer("patience", training.patience, 0, million);
    training.checkpoint_interval_s =
        settings.number("checkpoint_seconds", training.checkpoint_interval_s, 0.001, ten_years_s);
}

void read_sampling(const CheckedJson& settings, SsmSettings& result) {
    SamplerOptions& sampling = result.sampling;
    sampling.temperature = settings.number("temperature", 1, 0, 100);
    sampling.top_k = settings.integer("top_k", 0, 0, million);
    sampling.top_p = settings.number("top_p", 1, 1e-6, 1);
    sampling.min_p = settings.number("min_p", result.encoding == "fields" ? fields_min_p : 0, 0, 1);
    sampling.repetition_penalty = settings.number("repetition_penalty", 1, 0.01, 100);
    sampling.repetition_window = settings.integer("repetition_window", 0, 0, million);
    result.parallel = settings.integer("parallel", 32, 1, 4096);
    result.max_tokens_per_sample = settings.integer("max_tokens_per_sample", 0, 0, max_count);
}

}  // namespace

SsmSettings SsmSettings::from_json(const CheckedJson& settings) {
    settings.allow_only({"preset",
                         "encoding",
                         "from",
                         "d_model",
                         "n_layer",
                         "d_state",
                         "headdim",
                         "expand",
                         "learning_rate",
                         "warmup",
                         "learning_rate_floor",
                         "weight_decay",
                         "clip",
                         "plan_weight",
                         "noise",
                         "batch_tokens",
                         "segment",
                         "accumulate",
                         "context",
                         "epochs",
                         "steps",
                         "seconds",
                         "validation",
                         "patience",
                         "checkpoint_seconds",
                         "precision",
                         "state",
                         "backend",
                         "device",
                         "threads",
                         "temperature",
                         "top_k",
                         "top_p",
                         "min_p",
                         "repetition_penalty",
                         "repetition_window",
                         "parallel",
                         "max_tokens_per_sample"});
    const Preset& preset = find_preset(settings);
    SsmSettings result;
    result.preset = preset.name;
    result.encoding = preset.encoding;
    result.model.d_model = preset.d_model;
    result.model.n_layer = preset.n_layer;
    result.model.d_state = preset.d_state;
    result.model.headdim = preset.headdim;
    result.training.schedule.peak = preset.learning_rate;
    result.training.batches = {preset.batch_tokens, preset.segment};
    if (result.preset == "netssm") result.training.context = 100'000;
    result.default_epochs = preset.epochs;
    result.training.validation = preset.validation;

    read_encoding(settings, result);
    read_compute(settings, result);
    if (result.encoding == "fields") result.training.noise = fields_noise;
    read_training(settings, result.training);
    result.plan_weight = settings.number("plan_weight", result.plan_weight, 0.01, 1000);
    read_sampling(settings, result);
    result.from = settings.text("from", "");
    if (result.from.empty()) {
        read_model(settings, result.model);
    } else {
        for (const char* key : {"d_model", "n_layer", "d_state", "headdim", "expand"})
            if (const auto member = settings.find(key))
                member->fail("is given together with 'from', whose model has its own",
                             "leave one of them out");
    }
    return result;
}

TrainingOptions SsmSettings::training_within(double budget_s) const {
    TrainingOptions options = training;
    if (budget_s > 0 && (options.seconds == 0 || budget_s < options.seconds)) options.seconds = budget_s;
    if (options.epochs == 0 && options.steps == 0 && options.seconds == 0) options.epochs = default_epochs;
    return options;
}

}  // namespace tracebench::ssm
