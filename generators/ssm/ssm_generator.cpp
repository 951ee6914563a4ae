#include "generators/ssm/ssm_generator.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "generators/ssm/training/batches.h"
#include "generators/turn.h"

namespace tracebench::ssm {
namespace {

using Clock = std::chrono::steady_clock;
using nlohmann::json;

constexpr std::uint64_t cap_of_longest = 4;
constexpr std::uint64_t cap_without_training = 100'000;  // NetSSM's context
constexpr std::int64_t tokens_of_a_loss = 512;
// Traces under way are held in memory: packets of all of them together.
constexpr std::size_t packets_in_memory = 4'000'000;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

std::vector<std::string> labels_of(const Samples& samples) {
    std::set<std::string> labels;
    for (const LabelledTrace& sample : samples) labels.insert(sample.label);
    return {labels.begin(), labels.end()};
}

std::string hash_of(const std::vector<NamedTensor>& tensors) {
    std::string hashes;
    for (const NamedTensor& tensor : tensors)
        hashes += sha256(std::string_view(reinterpret_cast<const char*>(tensor.values.data()),
                                          tensor.values.size() * sizeof(float)));
    return sha256(hashes);
}

/// How much a token counts as a target in training.
float target_weight(const Encoding& encoding, Token token, double plan_weight) {
    if (encoding.is_context(token)) return 0;
    return encoding.is_plan(token) ? static_cast<float>(plan_weight) : 1;
}

/// A model folder of ours holds the files one level down.
std::filesystem::path files_folder(const std::filesystem::path& folder) {
    return !holds_model_files(folder) && holds_model_files(folder / "model") ? folder / "model" : folder;
}

}  // namespace

std::unique_ptr<Generator> SsmGenerator::make(const CheckedJson& settings) {
    return std::make_unique<SsmGenerator>(SsmSettings::from_json(settings));
}

SsmGenerator::SsmGenerator(SsmSettings settings, SsmParts parts)
    : settings_(std::move(settings)), parts_(std::move(parts)) {}

ModelFiles SsmGenerator::starting_point(const Samples& samples, std::uint64_t seed) const {
    if (settings_.from.empty()) {
        ModelFiles files;
        files.config = settings_.model;
        files.encoding =
            parts_.make_encoding(settings_.encoding, settings_.encoding_settings, labels_of(samples));
        files.config.vocab_size = static_cast<std::int64_t>(files.encoding->vocabulary_size());
        return files;
    }
    ModelFiles files = read_model_files(files_folder(settings_.from), parts_.load_encoding);
    if (settings_.encoding_given && files.encoding->name() != settings_.encoding)
        throw InputError("generator 'ssm'",
                         fmt::format("/encoding is '{}', but the model to go on from has '{}'",
                                     settings_.encoding, files.encoding->name()),
                         "leave 'encoding' out");
    add_labels(files, labels_of(samples), seed);
    return files;
}

void SsmGenerator::build(ModelFiles files, std::uint64_t seed, const std::string& name) {
    auto model = parts_.make_model(files.config, settings_.compute, seed);
    if (!files.weights.empty()) model->set_parameters(files.weights, name);
    model_ = std::move(model);
    encoding_ = std::move(files.encoding);
    training_ = files.training.value_or(TrainingRecord());
    calibration_ = std::move(files.calibration);
    sampling_ = {};
    sampling_s_ = 0;
}

void SsmGenerator::fit(const Samples& samples, const FitContext& context) {
    const Turn turn(context.listener(), settings_.compute.threads);
    const auto start = Clock::now();
    if (samples.empty())
        throw InputError("generator 'ssm'", "has nothing to learn from", "give it training samples");
    build(starting_point(samples, context.seed), stream_seed(context.seed, "ssm/weights"),
          settings_.from.string());

    EncodeReport report;
    std::vector<TrainingSample> encoded;
    for (const LabelledTrace& sample : samples) {
        context.listener().check_interrupted();
        EncodeReport of_sample;
        encoding_->observe(sample.label, sample.trace);
        std::vector<Token> tokens = encoding_->encode(sample.label, sample.trace, of_sample);
        report.add(of_sample);
        if (of_sample.packets > 0)
            encoded.push_back(
                {sample.label, std::move(tokens), static_cast<std::int64_t>(of_sample.packets)});
    }
    const double used_s = seconds_since(start);
    TrainingOptions options = settings_.training_within(context.budget_s);
    for (std::size_t id = 0; id < encoding_->vocabulary_size(); ++id) {
        const auto token = static_cast<Token>(id);
        options.weights.push_back(target_weight(*encoding_, token, settings_.plan_weight));
        options.kinds.push_back(encoding_->kind(token));
    }
    if (options.seconds > 0) options.seconds = std::max(options.seconds - used_s, 1e-3);

    const ComputeOptions& compute = model_->compute();
    const json identity = {{"config", model_->config().to_json()},
                           {"encoding", encoding_->name()},
                           {"encoding_settings", settings_.encoding_settings},
                           {"from", settings_.from.empty() ? "" : hash_of(model_->parameters())},
                           {"device", compute.device},
                           {"backend", static_cast<int>(compute.backend)},
                           {"precision", static_cast<int>(compute.precision)}};
    Trainer trainer(*model_, encoded, options, context.seed, identity.dump());
    training_ = trainer.run(context.listener(), context.checkpoints);
    training_.left_out = static_cast<std::int64_t>(report.left_out);
    std::vector<std::span<const Token>> sequences;
    for (const TrainingSample& sample : encoded) sequences.emplace_back(sample.tokens);
    calibration_.learn(*model_, *encoding_, sequences, settings_.parallel, context.listener());
}

void SsmGenerator::require_fitted(const std::string& label) const {
    require_label(*this, label);
}

TracesRequest SsmGenerator::traces_request(const SampleRequest& request) const {
    TracesRequest traces;
    traces.label = request.label;
    traces.count = request.count;
    traces.seed = stream_seed(request.seed, "ssm/" + request.label);
    traces.constrained = request.constrained;
    traces.sampling = settings_.sampling;
    traces.calibration = &calibration_;
    traces.budget_s = request.budget_s;
    std::uint64_t cap = static_cast<std::uint64_t>(settings_.max_tokens_per_sample);
    if (cap == 0) {
        cap = cap_of_longest * static_cast<std::uint64_t>(training_.longest_sample);
        if (cap == 0) cap = cap_without_training;
    }
    if (request.max_tokens > 0) cap = std::min(cap, request.max_tokens);
    traces.limits = {request.max_packets, cap, request.max_seconds, false};
    traces.parallel = static_cast<std::size_t>(settings_.parallel);
    if (request.max_packets > 0)
        traces.parallel =
            std::clamp<std::size_t>(packets_in_memory / request.max_packets, 1, traces.parallel);
    return traces;
}

void SsmGenerator::sample(const SampleRequest& request, Progress& progress, const Sink& sink) {
    require_fitted(request.label);
    const Turn turn(progress, settings_.compute.threads);
    const auto start = Clock::now();
    sampling_.add(generate_traces(*model_, *encoding_, traces_request(request), progress, sink));
    sampling_s_ += seconds_since(start);
}

bool SsmGenerator::stream(const SampleRequest& request, Progress& progress, const PacketSink& sink) {
    require_fitted(request.label);
    if (request.max_packets == 0 && request.max_tokens == 0 && request.max_seconds == 0)
        throw InputError("generator 'ssm'", "one trace without end has no limit",
                         "limit packets, tokens or seconds");
    const Turn turn(progress, settings_.compute.threads);
    const auto start = Clock::now();
    TracesRequest traces = traces_request(request);
    traces.limits.tokens = request.max_tokens;
    traces.limits.continuous = true;
    sampling_.add(stream_trace(*model_, *encoding_, traces, progress, sink));
    sampling_s_ += seconds_since(start);
    return true;
}

std::optional<std::vector<double>> SsmGenerator::losses(const Samples& samples, Progress& progress) {
    if (model_ == nullptr) return std::nullopt;
    const Turn turn(progress, settings_.compute.threads);
    const std::vector<std::string> known = labels();
    std::vector<float> weights;
    for (std::size_t id = 0; id < encoding_->vocabulary_size(); ++id)
        weights.push_back(encoding_->is_context(static_cast<Token>(id)) ? 0.0F : 1.0F);
    BatchBuffers buffers(std::move(weights));
    const BatchShape shape{tokens_of_a_loss, tokens_of_a_loss};
    std::vector<double> losses;
    for (const LabelledTrace& sample : samples) {
        progress.check_interrupted();
        losses.push_back(std::numeric_limits<double>::quiet_NaN());
        if (!std::binary_search(known.begin(), known.end(), sample.label)) continue;
        EncodeReport report;
        std::vector<Token> tokens = encoding_->encode(sample.label, sample.trace, report);
        tokens.resize(std::min<std::size_t>(tokens.size(), tokens_of_a_loss + 1));
        const std::vector<std::span<const Token>> one = {tokens};
        const std::vector<std::int64_t> lengths = {static_cast<std::int64_t>(tokens.size()) - 1};
        for (const SegmentBatch& batch : plan_batches(lengths, shape, 0)) {
            const Loss loss = model_->evaluate(buffers.fill(batch, one));
            if (report.packets > 0 && loss.targets > 0)
                losses.back() = loss.nats / static_cast<double>(loss.targets);
        }
    }
    return losses;
}

void SsmGenerator::save(const std::filesystem::path& folder) const {
    if (model_ == nullptr) throw InputError("generator 'ssm'", "has no model to save", "fit it first");
    write_model_files(folder, model_->config(), *encoding_, model_->parameters(), training_, calibration_);
}

void SsmGenerator::load(const std::filesystem::path& folder) {
    build(read_model_files(folder, parts_.load_encoding), 1, folder.string());
}

json SsmGenerator::describe() const {
    json text = {{"kind", kind()},
                 {"what", "a Mamba-2 state-space model of tokens, trained to predict the next one"},
                 {"preset", settings_.preset}};
    if (model_ == nullptr) return text;
    json labels_shown = json::array();
    for (const std::string& label : labels()) labels_shown.push_back(printable(label));
    const ModelConfig& config = model_->config();
    text["encoding"] = encoding_->name();
    text["parameters"] = config.parameters();
    text["vocabulary"] = encoding_->vocabulary_size();
    text["model"] = {{"d_model", config.d_model}, {"n_layer", config.n_layer}, {"d_state", config.d_state}};
    text["training"] = training_.to_json();
    text["labels"] = std::move(labels_shown);
    if (sampling_.tokens > 0)
        text["sampling"] = {{"tokens", sampling_.tokens},
                            {"packets", sampling_.packets},
                            {"illegal_first_choices", sampling_.illegal_first_choices},
                            {"seconds", sampling_s_}};
    return text;
}

std::vector<std::string> SsmGenerator::labels() const {
    return encoding_ == nullptr ? std::vector<std::string>() : encoding_->labels();
}

}  // namespace tracebench::ssm
