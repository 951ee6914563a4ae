#include "generators/diffusion/diffusion_generator.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.h"
#include "base/random.h"
#include "generators/turn.h"

namespace tracebench::diffusion {
namespace {

using Clock = std::chrono::steady_clock;
using nlohmann::json;

constexpr std::size_t most_strips = 6;  // in describe(): labels whose denoising is shown

std::set<std::string> labels_of(const Samples& samples) {
    std::set<std::string> labels;
    for (const LabelledTrace& sample : samples) labels.insert(sample.label);
    return labels;
}

/// A model folder of ours holds the files one level down.
std::filesystem::path files_folder(const std::filesystem::path& folder) {
    return std::filesystem::is_regular_file(folder / "model" / "config.json") ? folder / "model" : folder;
}

/// Columns that the model cannot make otherwise than it always does, though the samples have them so.
std::int64_t columns_out_of_reach(const std::vector<std::int8_t>& model,
                                  const std::vector<std::int8_t>& samples) {
    std::int64_t count = 0;
    for (std::size_t i = 0; i < model.size() && i < samples.size(); ++i)
        count += model[i] != kVaries && model[i] != samples[i];
    return count;
}

}  // namespace

struct DiffusionGenerator::Encoded {
    TrainingSet set;
    ClassBook classes;
    std::uint64_t left_out = 0, reopened = 0;
};

std::unique_ptr<Generator> DiffusionGenerator::make(const CheckedJson& settings) {
    return std::make_unique<DiffusionGenerator>(DiffusionSettings::from_json(settings));
}

DiffusionGenerator::DiffusionGenerator(DiffusionSettings settings, ModelMaker make_model)
    : settings_(std::move(settings)), make_model_(std::move(make_model)) {}

DiffusionGenerator::Encoded DiffusionGenerator::encode(const Samples& samples, ClassBook book,
                                                       const Progress& progress) const {
    Encoded encoded;
    encoded.classes = std::move(book);
    for (const std::string& label : labels_of(samples))
        if (encoded.classes.find(label) < 0) encoded.classes.add_class(label);
    const bool with_layouts = settings_.control.kind != ControlChoice::Kind::off;
    for (const LabelledTrace& sample : samples) {
        progress.check_interrupted();
        const PacketImage image = packet_image(sample.trace);
        const ModelRows rows = model_rows(image);
        encoded.left_out += image.left_out + image.without_row;
        encoded.reopened += rows.reopened;
        encoded.classes.add_sample(sample.label, rows, with_layouts);
        encoded.set.add(sample.label, encoded.classes.find(sample.label), rows);
    }
    return encoded;
}

ModelFiles DiffusionGenerator::starting_point(const Samples& samples, const FitContext& context,
                                              Encoded& encoded) const {
    const std::uint64_t seed = stream_seed(context.seed, "diffusion/weights");
    ModelFiles files;
    if (settings_.from.empty()) {
        encoded = encode(samples, {}, context.listener());
        ModelConfig config = settings_.model;
        config.classes = static_cast<std::int64_t>(encoded.classes.size());
        config.fixed = encoded.set.fixed();
        config.emphasis = column_emphasis();
        // A model of nothing is none: where all rows are the same, it learns one column of them.
        if (std::find(config.fixed.begin(), config.fixed.end(), kVaries) == config.fixed.end())
            config.fixed[model_column::there] = kVaries;
        files.model = make_model_(config, settings_.compute, seed);
        return files;
    }
    files = read_model_files(files_folder(settings_.from), settings_.compute, make_model_);
    files.training = {};
    if (files.model->adapter()) files.model->merge_adapter();
    const std::size_t known = files.classes.size();
    encoded = encode(samples, files.classes, context.listener());
    const auto added = static_cast<std::int64_t>(encoded.classes.size() - known);
    if (settings_.lora) {
        AdapterConfig config = *settings_.lora;
        config.new_classes = added;
        files.model->add_adapter(config, seed);
    } else if (added > 0) {
        // New classes come in by an adapter that changes nothing else.
        files.model->add_adapter({1, 1, added}, seed);
        files.model->merge_adapter();
    }
    if (const std::int64_t lost = columns_out_of_reach(files.model->config().fixed, encoded.set.fixed());
        lost > 0)
        files.training.notes.push_back(fmt::format(
            "{} columns differ in these samples, but not in those of the model gone on from: they stay as "
            "that one has them",
            lost));
    return files;
}

void DiffusionGenerator::fit(const Samples& samples, const FitContext& context) {
    const Turn turn(context.listener(), settings_.compute.threads);
    const auto start = Clock::now();
    if (samples.empty())
        throw InputError("generator 'diffusion'", "has nothing to learn from", "give it training samples");
    Encoded encoded;
    ModelFiles files = starting_point(samples, context, encoded);

    TrainingOptions options = settings_.training_within(context.budget_s);
    if (options.seconds > 0) {
        const double used = std::chrono::duration<double>(Clock::now() - start).count();
        options.seconds = std::max(options.seconds - used, 1e-3);
    }
    const ComputeOptions& compute = files.model->compute();
    const json identity = {
        {"config", files.model->config().to_json()},
        {"from", settings_.from.empty() ? "" : base_hash(*files.model)},
        {"lora", settings_.lora ? json({settings_.lora->rank, settings_.lora->alpha}) : json()},
        {"device", compute.device},
        {"precision", static_cast<int>(compute.precision)}};
    Trainer trainer(*files.model, encoded.set, options, context.seed, identity.dump());
    TrainingRecord record = trainer.run(context.listener(), context.checkpoints);
    record.left_out = static_cast<std::int64_t>(encoded.left_out);
    record.reopened = static_cast<std::int64_t>(encoded.reopened);
    record.notes.insert(record.notes.begin(), files.training.notes.begin(), files.training.notes.end());

    model_ = std::move(files.model);
    classes_ = std::move(encoded.classes);
    training_ = std::move(record);
    sampling_ = {};
}

void DiffusionGenerator::sample(const tracebench::SampleRequest& request, Progress& progress,
                                const Sink& sink) {
    require_label(*this, request.label);
    const Turn turn(progress, settings_.compute.threads);
    SamplesRequest samples;
    samples.class_id = classes_.find(request.label);
    samples.count = request.count;
    samples.seed = stream_seed(request.seed, "diffusion/" + request.label);
    samples.constrained = request.constrained;
    samples.max_packets = request.max_packets;
    samples.max_seconds = request.max_seconds;
    samples.budget_s = request.budget_s;
    samples.control = settings_.control;
    samples.options = settings_.sampling;
    const std::string shown = printable(request.label);
    samples.with_strip = sampling_.strips.size() < most_strips &&
                         std::none_of(sampling_.strips.begin(), sampling_.strips.end(),
                                      [&](const DenoisingStrip& strip) { return strip.label == shown; });
    sampling_.add(make_samples(*model_, classes_, samples, progress, sink));
}

void DiffusionGenerator::save(const std::filesystem::path& folder) const {
    if (model_ == nullptr) throw InputError("generator 'diffusion'", "has no model to save", "fit it first");
    write_model_files(folder, *model_, classes_, training_);
}

void DiffusionGenerator::load(const std::filesystem::path& folder) {
    ModelFiles files = read_model_files(folder, settings_.compute, make_model_);
    model_ = std::move(files.model);
    classes_ = std::move(files.classes);
    training_ = std::move(files.training);
    sampling_ = {};
}

json DiffusionGenerator::describe() const {
    json text = {
        {"kind", kind()},
        {"what", "latent diffusion over packet rows (nPrint bits, times, flows), then protocol repair"},
        {"preset", settings_.preset}};
    if (model_ == nullptr) return text;
    json labels_shown = json::array();
    for (const std::string& label : labels()) labels_shown.push_back(printable(label));
    const ModelConfig& config = model_->config();
    text["parameters"] = config.parameters();
    text["model"] = {{"latent", config.latent},
                     {"encoder_width", config.encoder_width},
                     {"channels", config.channels},
                     {"levels", config.levels},
                     {"blocks", config.blocks},
                     {"embedding", config.embedding},
                     {"learned_columns", config.learned_columns()}};
    text["control"] = model_->has_control();
    if (const auto adapter = model_->adapter())
        text["adapter"] = {{"rank", adapter->rank},
                           {"alpha", adapter->alpha},
                           {"new_classes", adapter->new_classes},
                           {"base", base_hash(*model_)}};
    text["training"] = training_.to_json();
    text["labels"] = std::move(labels_shown);
    if (sampling_.samples > 0) text["sampling"] = sampling_.to_json();
    return text;
}

}  // namespace tracebench::diffusion
