/// The trainer's state on its way to a checkpoint and back.

#include <fmt/format.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "generators/checked_json.h"
#include "generators/ssm/training/trainer.h"

namespace tracebench::ssm {

void Trainer::save(const CheckpointFolder& folder) {
    if (!folder.enabled()) return;
    const auto begin = Clock::now();
    state_.record.seconds = elapsed();
    Checkpoint checkpoint;
    checkpoint.state = {{"epoch", state_.epoch},
                        {"next_call", state_.next_call},
                        {"skipped_in_row", state_.skipped_in_row},
                        {"without_improvement", state_.without_improvement},
                        {"recent_targets", state_.recent_targets},
                        {"recent_nats", state_.recent_nats},
                        {"evaluated_tokens", state_.evaluated_tokens},
                        {"evaluated_seconds", state_.evaluated_seconds},
                        {"evaluation_cost_s", state_.evaluation_cost_s},
                        {"record", state_.record.to_json()}};
    checkpoint.parameters = model_.parameters();
    checkpoint.training = model_.training_state();
    checkpoint.best = best_;
    folder.save(checkpoint);
    saved_ = Clock::now();
    save_cost_s_ = std::chrono::duration<double>(saved_ - begin).count();
}

void Trainer::restore(const Checkpoint& checkpoint, const std::filesystem::path& folder) {
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
    const std::string name = (folder / "checkpoint.json").string();
    const CheckedJson json(checkpoint.state, name, "/state");
    model_.set_parameters(checkpoint.parameters, name);
    model_.set_training_state(checkpoint.training, name);
    best_ = checkpoint.best;
    state_.epoch = json.at("epoch").integer(0, most);
    state_.next_call = json.at("next_call").integer(0, most);
    state_.skipped_in_row = json.at("skipped_in_row").integer(0, most);
    state_.without_improvement = json.at("without_improvement").integer(0, most);
    state_.recent_targets = json.at("recent_targets").integer(0, most);
    state_.recent_nats = json.at("recent_nats").number(0, std::numeric_limits<double>::max());
    state_.evaluated_tokens = json.at("evaluated_tokens").integer(0, most);
    state_.evaluated_seconds = json.at("evaluated_seconds").number(0, std::numeric_limits<double>::max());
    state_.evaluation_cost_s = json.at("evaluation_cost_s").number(0, std::numeric_limits<double>::max());
    state_.record = TrainingRecord::from_json(json.at("record"));
    elapsed_before_ = state_.record.seconds;
    state_.record.notes.push_back(fmt::format("went on from a checkpoint at step {}", state_.record.steps));
}

}  // namespace tracebench::ssm
