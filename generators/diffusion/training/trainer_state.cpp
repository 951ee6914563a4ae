/// The trainer's state and the model's parameters on their way to a checkpoint and back.

#include <fmt/format.h>

#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "generators/checked_json.h"
#include "generators/diffusion/training/trainer.h"

namespace tracebench::diffusion {
namespace {

struct NamedPart {
    Part part;
    std::string_view prefix;
};
/// In the order in which they are set: averaged weights after the weights, the adapter beside both.
constexpr NamedPart named_parts[] = {{Part::autoencoder, "autoencoder/"},
                                     {Part::denoiser, "denoiser/"},
                                     {Part::averaged, "averaged/"},
                                     {Part::control, "control/"},
                                     {Part::adapter, "adapter/"}};

void append(const DiffusionModel& model, const NamedPart& part, std::vector<NamedTensor>& tensors) {
    for (NamedTensor& tensor : model.parameters(part.part)) {
        tensor.name.insert(0, part.prefix);
        tensors.push_back(std::move(tensor));
    }
}

bool has(const DiffusionModel& model, Part part) {
    if (part == Part::control) return model.has_control();
    if (part == Part::adapter) return model.adapter().has_value();
    return true;
}

bool trains(Stage stage, Part part) {
    switch (stage) {
        case Stage::autoencoder:
            return part == Part::autoencoder;
        case Stage::denoiser:
            return part == Part::denoiser || part == Part::averaged;
        case Stage::control:
            return part == Part::control;
        case Stage::adapter:
            return part == Part::adapter;
    }
    return false;
}

}  // namespace

std::vector<NamedTensor> stage_parameters(const DiffusionModel& model, Stage stage) {
    std::vector<NamedTensor> tensors;
    for (const NamedPart& part : named_parts)
        if (trains(stage, part.part)) append(model, part, tensors);
    return tensors;
}

std::vector<NamedTensor> all_parameters(const DiffusionModel& model) {
    std::vector<NamedTensor> tensors;
    for (const NamedPart& part : named_parts)
        if (has(model, part.part)) append(model, part, tensors);
    return tensors;
}

void set_named_parts(DiffusionModel& model, const std::vector<NamedTensor>& tensors,
                     const std::string& name) {
    std::map<std::string_view, std::vector<NamedTensor>> parts;
    for (const NamedTensor& tensor : tensors) {
        bool known = false;
        for (const NamedPart& part : named_parts) {
            if (!tensor.name.starts_with(part.prefix)) continue;
            NamedTensor& copy = parts[part.prefix].emplace_back(tensor);
            copy.name.erase(0, part.prefix.size());
            known = true;
        }
        if (!known)
            throw InputError(name, fmt::format("holds '{}', which no part of the model has", tensor.name),
                             "remove its folder to begin anew");
    }
    for (const NamedPart& part : named_parts)
        if (const auto found = parts.find(part.prefix); found != parts.end())
            model.set_parameters(part.part, found->second, name);
}

void Trainer::save(const CheckpointFolder& folder) {
    if (!folder.enabled()) return;
    const auto begin = Clock::now();
    state_.record.seconds = elapsed();
    Checkpoint checkpoint;
    checkpoint.state = {{"stage", state_.stage},
                        {"skipped_in_row", state_.skipped_in_row},
                        {"without_improvement", state_.without_improvement},
                        {"recent_loss", state_.recent_loss},
                        {"recent_rows", state_.recent_rows},
                        {"evaluated_step", state_.evaluated_step},
                        {"evaluated_seconds", state_.evaluated_seconds},
                        {"evaluation_cost_s", state_.evaluation_cost_s},
                        {"stage_began_s", state_.stage_began_s},
                        {"record", state_.record.to_json()}};
    checkpoint.parameters = all_parameters(model_);
    checkpoint.training = model_.training_state(plan().stage);
    checkpoint.best = best_;
    folder.save(checkpoint);
    saved_ = Clock::now();
    save_cost_s_ = std::chrono::duration<double>(saved_ - begin).count();
}

void Trainer::restore(const Checkpoint& checkpoint, const std::filesystem::path& folder) {
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
    constexpr double large = std::numeric_limits<double>::max();
    const std::string name = (folder / "checkpoint.json").string();
    const CheckedJson json(checkpoint.state, name, "/state");
    state_.stage = json.at("stage").integer(0, std::ssize(options_.stages) - 1);
    state_.skipped_in_row = json.at("skipped_in_row").integer(0, most);
    state_.without_improvement = json.at("without_improvement").integer(0, most);
    state_.recent_loss = json.at("recent_loss").number(-large, large);
    state_.recent_rows = json.at("recent_rows").integer(0, most);
    state_.evaluated_step = json.at("evaluated_step").integer(0, most);
    state_.evaluated_seconds = json.at("evaluated_seconds").number(0, large);
    state_.evaluation_cost_s = json.at("evaluation_cost_s").number(0, large);
    state_.stage_began_s = json.at("stage_began_s").number(0, large);
    state_.record = TrainingRecord::from_json(json.at("record"));
    if (std::ssize(state_.record.stages) != state_.stage + 1)
        json.at("record").fail("has another number of stages than there were",
                               "remove its folder to begin anew");
    set_named_parts(model_, checkpoint.parameters, name);
    model_.set_training_state(plan().stage, checkpoint.training, name);
    best_ = checkpoint.best;
    elapsed_before_ = state_.record.seconds;
    state_.record.notes.push_back(fmt::format("went on from a checkpoint at step {} of the {}",
                                              stage_record().steps, stage_name(plan().stage)));
}

}  // namespace tracebench::diffusion
