#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "diffusion_fakes.h"
#include "generators/diffusion/training/trainer.h"

namespace tracebench::diffusion {
namespace {

using namespace tracebench::diffusion::testing;
using tracebench::testing::input_error;
using tracebench::testing::ScratchFolder;

TrainingSet eight_samples() {
    TrainingSet set;
    for (std::uint16_t i = 0; i < 8; ++i)
        set.add(i % 2 == 0 ? "even" : "odd", i % 2, rows_of(i, 20U + 30U * i));
    return set;
}

TrainingOptions options_of(std::int64_t steps) {
    TrainingOptions options;
    options.stages = {{Stage::autoencoder, 0.1, steps, 1}, {Stage::denoiser, 0.2, steps, 3}};
    options.autoencoder_rows = 16;
    options.crop = 64;
    options.batch_rows = 128;
    options.validation = 0.25;
    return options;
}

/// Interrupts at the n-th step.
class InterruptingProgress : public Progress {
  public:
    explicit InterruptingProgress(int updates) : left_(updates) {}
    void update(double, double, std::string_view, std::string_view) override {
        if (--left_ == 0) throw Interrupted();
    }

  private:
    int left_;
};

std::vector<std::vector<float>> values_of(const DiffusionModel& model) {
    std::vector<std::vector<float>> values;
    for (const NamedTensor& tensor : all_parameters(model)) values.push_back(tensor.values);
    return values;
}

TEST(DiffusionTrainer, TrainsStageAfterStage) {
    FakeModel model(fake_config(2), 1);
    const TrainingSet set = eight_samples();
    Progress progress;
    TrainingOptions options = options_of(30);
    options.stages.push_back({Stage::control, 0.1, 10, 1});
    options.schedule = {9, 0.25, 0.1};
    const TrainingRecord record = Trainer(model, set, options, 1, "").run(progress, {});

    ASSERT_EQ(record.stages.size(), 3U);
    ASSERT_EQ(model.stages.size(), 70U);
    for (std::size_t i = 0; i < model.stages.size(); ++i)
        EXPECT_EQ(model.stages[i], i < 30 ? Stage::autoencoder : i < 60 ? Stage::denoiser : Stage::control);
    for (std::size_t i = 0; i < 30; ++i) {
        LearningRateSchedule schedule = options.schedule;
        schedule.peak = 0.1;
        EXPECT_DOUBLE_EQ(model.learning_rates[i], schedule.at(static_cast<double>(i + 1) / 30)) << i;
        schedule.peak = 0.2;
        EXPECT_DOUBLE_EQ(model.learning_rates[30 + i], schedule.at(static_cast<double>(i + 1) / 30)) << i;
        EXPECT_EQ(model.rows_seen[i], 16);
        EXPECT_LE(model.rows_seen[30 + i], 128);
    }
    EXPECT_EQ(model.with_control, 10);
    // Rounded, a quarter of four samples a class.
    EXPECT_EQ(record.samples, 6);
    EXPECT_EQ(record.validation_samples, 2);
    EXPECT_EQ(record.packets, 8 * 20 + 30 * 28);
    EXPECT_GT(model.standardised, 0);
    for (const StageRecord& stage : record.stages) EXPECT_EQ(stage.stopped, "steps");
    EXPECT_EQ(record.stages[1].stage, "denoiser");
    EXPECT_LT(*record.stages[0].best_validation, 0.8 * *record.stages[0].curve.front().validation_loss);
    // The fake's autoencoder gets one column of one row wrong.
    ASSERT_TRUE(record.accuracy);
    EXPECT_TRUE(record.accuracy->validation);
    EXPECT_DOUBLE_EQ(record.accuracy->wrong_rows, 1.0 / static_cast<double>(record.accuracy->rows));
    EXPECT_DOUBLE_EQ(record.accuracy->wrong_columns,
                     1.0 / static_cast<double>(record.accuracy->rows) / static_cast<double>(kTernary));
}

TEST(DiffusionTrainer, KeepsTheBestParametersOfEachStage) {
    FakeModel model(fake_config(2), 1);
    Progress progress;
    TrainingOptions options = options_of(60);
    options.schedule = {9, 0, 1};
    options.stages[1].learning_rate = 2.6;  // swings, so that the last step is not the best one
    const TrainingSet set = eight_samples();
    const TrainingRecord record = Trainer(model, set, options, 3, "").run(progress, {});
    const StageRecord& stage = record.stages[1];
    double best = 1e9;
    for (const CurvePoint& point : stage.curve) best = std::min(best, point.validation_loss.value());
    EXPECT_EQ(stage.best_validation, best);
    EXPECT_NE(stage.curve.back().validation_loss, best);
    // The model has those parameters: evaluated over the same samples again it has that loss.
    FakeModel again(fake_config(2), 9);
    again.set_parameters(Part::denoiser, model.parameters(Part::denoiser), "");
    TrainingOptions once = options_of(1);
    once.stages = {{Stage::denoiser, 1e-12, 1, 1}};
    const TrainingRecord measured = Trainer(again, set, once, 3, "").run(progress, {});
    EXPECT_NEAR(*measured.stages[0].best_validation, best, 1e-6);
}

TEST(DiffusionTrainer, GoesOnFromACheckpointAsIfNothingHadHappened) {
    const TrainingSet set = eight_samples();
    FakeModel whole(fake_config(2), 1);
    Progress progress;
    const TrainingRecord expected = Trainer(whole, set, options_of(25), 1, "x").run(progress, {});
    for (const int interrupted_at : {1, 10, 25, 26, 41}) {
        const ScratchFolder scratch;
        const std::filesystem::path folder = scratch / "";
        FakeModel first(fake_config(2), 1);
        InterruptingProgress interrupting(interrupted_at);
        EXPECT_THROW(Trainer(first, set, options_of(25), 1, "x").run(interrupting, folder), Interrupted);
        FakeModel second(fake_config(2), 77);
        const TrainingRecord record = Trainer(second, set, options_of(25), 1, "x").run(progress, folder);
        EXPECT_EQ(values_of(second), values_of(whole)) << interrupted_at;
        ASSERT_EQ(record.stages.size(), 2U);
        EXPECT_EQ(record.stages[1].best_validation, expected.stages[1].best_validation);
        EXPECT_EQ(record.stages[1].curve.size(), expected.stages[1].curve.size());
        EXPECT_THAT(record.notes.at(0), ::testing::HasSubstr("went on from a checkpoint"));
    }
}

TEST(DiffusionTrainer, LeavesTheCheckpointOfAnotherTrainingAlone) {
    const ScratchFolder scratch;
    const TrainingSet set = eight_samples();
    FakeModel first(fake_config(2), 1);
    InterruptingProgress interrupting(5);
    EXPECT_THROW(Trainer(first, set, options_of(25), 1, "x").run(interrupting, scratch / ""), Interrupted);
    FakeModel second(fake_config(2), 1);
    Progress progress;
    const TrainingRecord record = Trainer(second, set, options_of(25), 2, "x").run(progress, scratch / "");
    EXPECT_THAT(record.notes.at(0), ::testing::HasSubstr("began anew"));
    EXPECT_EQ(second.stages.size(), 50U);
}

TEST(DiffusionTrainer, KeepsToItsSeconds) {
    FakeModel model(fake_config(2), 1);
    const TrainingSet set = eight_samples();
    Progress progress;
    TrainingOptions options = options_of(0);
    options.seconds = 0.2;
    const TrainingRecord record = Trainer(model, set, options, 1, "").run(progress, {});
    for (const StageRecord& stage : record.stages) {
        EXPECT_EQ(stage.stopped, "seconds");
        EXPECT_GE(stage.steps, 1);
    }
}

TEST(DiffusionTrainer, SaysWhatItCannotDo) {
    const TrainingSet set = eight_samples();
    Progress progress;
    FakeModel model(fake_config(2), 1);
    EXPECT_THAT(input_error([&] { Trainer(model, set, options_of(0), 1, ""); }),
                ::testing::HasSubstr("neither steps nor seconds"));
    EXPECT_THAT(input_error([&] { Trainer(model, TrainingSet(), options_of(1), 1, ""); }),
                ::testing::HasSubstr("has nothing to learn from"));
    model.diverge = true;
    EXPECT_THAT(input_error([&] { Trainer(model, set, options_of(100), 1, "").run(progress, {}); }),
                ::testing::HasSubstr("diverges: 20 steps in a row of its autoencoder"));
}

TEST(DiffusionTrainer, RecordComesBackFromItsText) {
    FakeModel model(fake_config(2), 1);
    const TrainingSet set = eight_samples();
    Progress progress;
    TrainingRecord record = Trainer(model, set, options_of(5), 1, "").run(progress, {});
    record.notes = {"a note"};
    record.left_out = 7;
    const nlohmann::json text = record.to_json();
    EXPECT_EQ(TrainingRecord::from_json(CheckedJson(text, "test")), record);
    EXPECT_EQ(text["steps"], 5);
    EXPECT_EQ(text["curve"], text["stages"][1]["curve"]);
}

}  // namespace
}  // namespace tracebench::diffusion
