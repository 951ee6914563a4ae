#include "generators/baseline/markov.h"

#include <fmt/format.h>

#include <limits>

#include "base/error.h"
#include "base/file.h"
#include "traffic/rules/repair.h"

namespace tracebench {
namespace {

constexpr const char* model_file = "chains.json";
constexpr std::uint64_t max_model_bytes = std::uint64_t{1} << 30;

}  // namespace

std::unique_ptr<Generator> MarkovGenerator::make(const CheckedJson& settings) {
    settings.allow_only({});
    return std::make_unique<MarkovGenerator>();
}

void MarkovGenerator::fit(const Samples& samples, const FitContext& context) {
    models_.clear();
    Random random(stream_seed(context.seed, "markov/fit"));
    std::size_t done = 0;
    for (const LabelledTrace& sample : samples) {
        context.listener().check_interrupted();
        models_[sample.label].add(sample.trace, random);
        context.listener().update(static_cast<double>(++done), static_cast<double>(samples.size()),
                                  "samples");
    }
    std::erase_if(models_, [](const auto& entry) { return entry.second.empty(); });
    for (auto& [label, model] : models_) model.finish();
    if (models_.empty())
        throw InputError("generator 'markov'", "has no TCP, UDP or ICMP flows to learn from",
                         "give it training samples");
}

void MarkovGenerator::sample(const SampleRequest& request, Progress& progress, const Sink& sink) {
    require_label(*this, request.label);
    SessionModel& model = models_.at(request.label);
    const std::uint64_t seed = stream_seed(request.seed, "markov/" + request.label);
    for (std::size_t i = 0; i < request.count; ++i) {
        progress.check_interrupted();
        Random random(stream_seed(seed, fmt::format("session/{}", i)));
        Trace session = model.draw(request.max_packets, random);
        if (request.constrained) {
            RepairReport repaired;
            session = repair_trace(session, repaired);
        }
        sink(std::move(session));
        progress.update(static_cast<double>(i + 1), static_cast<double>(request.count), "samples");
    }
}

std::optional<std::vector<double>> MarkovGenerator::losses(const Samples& samples, Progress& progress) {
    std::vector<double> losses;
    for (const LabelledTrace& sample : samples) {
        progress.check_interrupted();
        const auto model = models_.find(sample.label);
        losses.push_back(model == models_.end() ? std::numeric_limits<double>::quiet_NaN()
                                                : model->second.loss(sample.trace));
    }
    return losses;
}

void MarkovGenerator::save(const std::filesystem::path& folder) const {
    nlohmann::json models = nlohmann::json::array();
    for (const auto& [label, model] : models_) {
        nlohmann::json entry = model.to_json();
        entry["label_hex"] = to_hex(label);  // labels may be any bytes, JSON strings only UTF-8
        models.push_back(std::move(entry));
    }
    write_file(folder / model_file, models.dump());
}

void MarkovGenerator::load(const std::filesystem::path& folder) {
    models_.clear();
    const std::filesystem::path path = folder / model_file;
    const nlohmann::json json = parse_json_file(path, max_model_bytes);
    for (const CheckedJson& entry : CheckedJson(json, path.string()).items(100'000))
        models_.insert_or_assign(entry.at("label_hex").hex(4096), SessionModel::from_json(entry));
    if (models_.empty()) throw InputError(path.string(), "holds no label", "train the model again");
}

nlohmann::json MarkovGenerator::describe() const {
    nlohmann::json per_label = nlohmann::json::object();
    for (const auto& [label, model] : models_) per_label[printable(label)] = model.describe();
    return {{"kind", kind()}, {"what", "flows as Markov chains over packets"}, {"labels", per_label}};
}

std::vector<std::string> MarkovGenerator::labels() const {
    std::vector<std::string> names;
    for (const auto& [label, model] : models_) names.push_back(label);
    return names;
}

}  // namespace tracebench
