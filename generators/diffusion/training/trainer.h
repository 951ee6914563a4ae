#pragma once
/// Trains a diffusion model, stage after stage: row autoencoder, denoiser, control branch; or the adapter
/// of a model that is trained.
///
///     Trainer trainer(model, set, options, seed, identity);
///     TrainingRecord record = trainer.run(progress, checkpoint_folder);

#include <chrono>
#include <filesystem>
#include <optional>
#include <span>
#include <string_view>

#include "base/progress.h"
#include "generators/diffusion/training/training_record.h"
#include "generators/diffusion/training/training_set.h"
#include "generators/training/checkpoint.h"
#include "generators/training/learning_rate.h"

namespace tracebench::diffusion {

const char* stage_name(Stage stage);

struct StagePlan {
    Stage stage = Stage::autoencoder;
    double learning_rate = 1e-3;  ///< peak of the schedule's
    std::int64_t steps = 0;       ///< 0: as many as there is time for
    double share = 1;             ///< of the seconds, against the other stages' shares
};

struct TrainingOptions {
    std::vector<StagePlan> stages;        ///< in this order; at least one
    OptimizerStep optimizer;              ///< its learning rate is the schedule's
    LearningRateSchedule schedule;        ///< its peak is the stage's
    std::int64_t autoencoder_rows = 512;  ///< rows of one step of the autoencoder
    std::int64_t crop = 256;  ///< rows of a piece of a sample that the other stages learn from, at most
    std::int64_t batch_rows = 2048;  ///< of one step of these, padding not counted: batch_rows / crop pieces
    /// Exponents of row_weights(): how likely the autoencoder's rows are drawn, and how much rows count in
    /// the other stages; 0: all alike.
    double autoencoder_rarity = 0.5, rarity = 0.25;
    /// Wall clock of all stages; 0: none, then every stage needs steps. With a limit in seconds the schedule
    /// follows the clock: the same seed then gives the same result only by chance.
    double seconds = 0;
    double validation = 0.1;            ///< part of the samples, see split_validation()
    std::int64_t patience = 0;          ///< evaluations without a better one that end a stage; 0: no such end
    double checkpoint_interval_s = 60;  ///< at least; more where writing takes long
};

class Trainer {
  public:
    /// `identity` stands for all else that the outcome depends on: a checkpoint of another one is not gone on
    /// from. Model and set must outlive the trainer. Throws InputError where no sample has a row, or a stage
    /// has no limit.
    Trainer(DiffusionModel& model, const TrainingSet& set, const TrainingOptions& options, std::uint64_t seed,
            std::string_view identity);

    /// Trains to the end and leaves, stage by stage, the parameters of the best evaluation in the model (the
    /// last ones without validation samples). Goes on from the checkpoint in the folder, if there is one of
    /// this training; then the result is that of an uninterrupted one, bit for bit where no limit is in
    /// seconds. Throws Interrupted, with a checkpoint written; InputError where training diverges.
    TrainingRecord run(Progress& progress, const std::filesystem::path& checkpoints);

  private:
    using Clock = std::chrono::steady_clock;

    /// All that a checkpoint holds besides tensors; what counts steps is of the current stage.
    struct State {
        std::int64_t stage = 0;
        std::int64_t skipped_in_row = 0, without_improvement = 0;
        double recent_loss = 0;  // sum over rows since the last point of the curve
        std::int64_t recent_rows = 0;
        std::int64_t evaluated_step = 0;
        double evaluated_seconds = 0, evaluation_cost_s = 0;
        double stage_began_s = 0;
        TrainingRecord record;
    };

    const StagePlan& plan() const { return options_.stages[static_cast<std::size_t>(state_.stage)]; }
    StageRecord& stage_record() { return state_.record.stages.back(); }
    void prepare_validation(const std::vector<std::size_t>& samples);
    std::string fingerprint(std::string_view identity) const;
    void restore(const Checkpoint& checkpoint, const std::filesystem::path& folder);
    void save(const CheckpointFolder& folder);
    double elapsed() const;
    double stage_ends_s() const;
    double progress_of_stage(std::int64_t steps) const;
    bool finished();
    bool evaluation_due() const;
    void evaluate(Progress& progress);
    const RowBatch& next_batch();
    void begin_stage();
    std::span<const float> latents();
    void end_stage(Progress& progress);
    void step(Progress& progress);
    void show(Progress& progress);
    void measure_accuracy(Progress& progress);

    DiffusionModel& model_;
    const TrainingSet& set_;
    const TrainingOptions options_;
    const std::uint64_t seed_;
    std::string fingerprint_;
    std::vector<std::size_t> train_;                         ///< samples
    std::vector<std::size_t> train_rows_, validation_rows_;  ///< by their place among all
    std::vector<double> drawn_rows_;  ///< train_rows_ by how likely they are drawn: sums up to each
    std::vector<float> weights_;      ///< of all rows, for the denoiser's stages
    std::vector<Piece> validation_pieces_;
    std::vector<Piece> pieces_;  ///< of the current epoch
    std::int64_t pieces_per_epoch_ = 0, planned_epoch_ = -1;
    std::optional<std::vector<float>> latents_;  ///< of all rows, in the stages after the autoencoder's
    BatchBuffer buffer_;
    std::vector<NamedTensor> best_;
    State state_;
    double elapsed_before_ = 0;  // in earlier runs
    Clock::time_point start_ = Clock::now(), saved_ = start_;
    double save_cost_s_ = 0;
};

/// The parts that a stage trains, as one list: names are `PART/NAME`.
std::vector<NamedTensor> stage_parameters(const DiffusionModel& model, Stage stage);
/// The parts that there are of a model, likewise, and back (all parts present must be there). Throws
/// InputError as DiffusionModel::set_parameters().
std::vector<NamedTensor> all_parameters(const DiffusionModel& model);
void set_named_parts(DiffusionModel& model, const std::vector<NamedTensor>& tensors, const std::string& name);

}  // namespace tracebench::diffusion
