#pragma once
/// Trains a sequence model on token sequences: batches, schedule, validation, checkpoints.
///
///     Trainer trainer(model, samples, options, seed, identity);
///     TrainingRecord record = trainer.run(progress, checkpoint_folder);

#include <chrono>
#include <filesystem>
#include <optional>

#include "base/progress.h"
#include "generators/ssm/sequence_model.h"
#include "generators/ssm/training/batches.h"
#include "generators/training/checkpoint.h"
#include "generators/training/learning_rate.h"
#include "generators/ssm/training/training_record.h"

namespace tracebench::ssm {

struct TrainingSample {
    std::string label;
    std::vector<Token> tokens;  ///< label token .. end token
    std::int64_t packets = 0;
};

struct TrainingOptions {
    OptimizerStep optimizer;  ///< its learning rate is the schedule's
    LearningRateSchedule schedule;
    BatchShape batches;
    std::int64_t accumulate = 1;  ///< calls whose gradients make one optimiser step
    std::int64_t context = 0;     ///< tokens used of a sample; 0: all
    /// By token id, of tokens as targets: 0 for those that are given to the model and never asked of it, more
    /// than 1 for those that decide about much. Empty: all 1.
    std::vector<float> weights;
    double noise = 0;        ///< share of the inputs that TokenNoise replaces in training
    std::vector<int> kinds;  ///< by token id: see TokenNoise; empty: no noise
    /// Whichever comes first ends the training; 0: no such limit, but one of them must be there. With a limit
    /// in seconds the schedule follows the clock: the same seed then gives the same result only by chance.
    std::int64_t epochs = 0, steps = 0;
    double seconds = 0;
    double validation = 0.1;    ///< part of the samples, see split_validation()
    std::int64_t patience = 0;  ///< evaluations without a better one that end the training; 0: no such end
    double checkpoint_interval_s = 60;  ///< at least; more where writing takes long
};

class Trainer {
  public:
    /// `identity` stands for all else that the outcome depends on (model, encoding, settings): a checkpoint
    /// of another one is not gone on from. Model and samples must outlive the trainer. Throws InputError
    /// where no sample has a token to predict.
    Trainer(SequenceModel& model, const std::vector<TrainingSample>& samples, const TrainingOptions& options,
            std::uint64_t seed, std::string_view identity);

    /// Trains to the end and leaves the parameters of the best evaluation in the model (the last ones without
    /// validation samples). Goes on from the checkpoint in the folder, if there is one of this training; then
    /// the result is that of an uninterrupted one, bit for bit where no limit is in seconds. Throws
    /// Interrupted, with a checkpoint written; InputError where training diverges.
    TrainingRecord run(Progress& progress, const std::filesystem::path& checkpoints);

  private:
    using Clock = std::chrono::steady_clock;

    /// All that a checkpoint holds besides tensors.
    struct State {
        std::int64_t epoch = 0, next_call = 0;
        std::int64_t skipped_in_row = 0, without_improvement = 0;
        std::int64_t recent_targets = 0;  // since the last point of the curve
        double recent_nats = 0;
        std::int64_t evaluated_tokens = 0;
        double evaluated_seconds = 0, evaluation_cost_s = 0;
        TrainingRecord record;
    };

    void prepare_validation();
    std::string fingerprint(std::string_view identity) const;
    void restore(const Checkpoint& checkpoint, const std::filesystem::path& folder);
    void save(const CheckpointFolder& folder);
    double elapsed() const;
    double progress_after(std::int64_t tokens, std::int64_t steps) const;
    bool finished();
    bool evaluation_due() const;
    void evaluate(Progress& progress);
    void step(Progress& progress);
    void show(Progress& progress) const;

    SequenceModel& model_;
    const TrainingOptions options_;
    const std::uint64_t seed_;
    std::string fingerprint_;
    std::vector<std::span<const Token>> train_, validation_;
    std::vector<std::int64_t> train_lengths_;
    std::vector<SegmentBatch> validation_plan_;
    double validation_packets_ = 0;
    std::int64_t tokens_per_epoch_ = 0, evaluation_interval_ = 0;
    std::vector<SegmentBatch> plan_;
    std::int64_t planned_epoch_ = -1;
    BatchBuffers buffers_;
    std::optional<TokenNoise> noise_;
    std::vector<NamedTensor> best_;
    State state_;
    double elapsed_before_ = 0;  // in earlier runs
    Clock::time_point start_ = Clock::now(), saved_ = start_;
    double save_cost_s_ = 0;
};

}  // namespace tracebench::ssm
