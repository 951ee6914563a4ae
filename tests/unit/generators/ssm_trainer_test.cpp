#include "base/error.h"
#include "generators/ssm/training/trainer.h"
#include "ssm_fakes.h"

namespace tracebench::ssm {
namespace {

using namespace tracebench::ssm::testing;
using tracebench::testing::input_error;
using tracebench::testing::ScratchFolder;

constexpr std::int64_t vocabulary = 12;

/// Sequences that count upwards from a random start, modulo 10, a third of them longer than a segment.
std::vector<TrainingSample> counting_samples(std::size_t count = 24) {
    std::vector<TrainingSample> samples;
    Random random(4);
    for (std::size_t i = 0; i < count; ++i) {
        TrainingSample sample;
        sample.label = i % 2 == 0 ? "even" : "odd";
        const std::uint64_t length = 20 + random.below(30) + (i % 3 == 0 ? 100 : 0), start = random.below(10);
        for (std::uint64_t t = 0; t < length; ++t)
            sample.tokens.push_back(static_cast<Token>((start + t) % 10));
        sample.packets = static_cast<std::int64_t>(length / 2);
        samples.push_back(std::move(sample));
    }
    return samples;
}

TrainingOptions options_of(std::int64_t epochs) {
    TrainingOptions options;
    options.batches = {256, 64};
    options.schedule.peak = 0.02;
    options.optimizer.weight_decay = 0;
    options.epochs = epochs;
    return options;
}

/// Interrupts at the n-th question.
class InterruptingProgress : public Progress {
  public:
    explicit InterruptingProgress(int updates) : left_(updates) {}
    void update(double, double, std::string_view, std::string_view) override {
        if (--left_ == 0) throw Interrupted();
    }

  private:
    int left_;
};

std::vector<std::vector<float>> values_of(const SequenceModel& model) {
    std::vector<std::vector<float>> values;
    for (const NamedTensor& tensor : model.parameters()) values.push_back(tensor.values);
    return values;
}

TEST(SsmTrainer, LearnsAndKeepsTheBestParameters) {
    FakeModel model(fake_config(vocabulary), 1);
    const auto samples = counting_samples();
    Progress progress;
    TrainingOptions options = options_of(20);
    options.schedule.floor = 1;
    const TrainingRecord record = Trainer(model, samples, options, 1, "").run(progress, {});
    ASSERT_GE(record.curve.size(), 3U);
    EXPECT_GT(record.curve.front().train_loss, 1.0);
    EXPECT_LT(record.curve.back().train_loss, 0.3);
    EXPECT_EQ(record.stopped, "epochs");
    EXPECT_DOUBLE_EQ(record.epochs, 20);
    EXPECT_EQ(record.validation_samples, 2);
    double best = 1e9;
    for (const CurvePoint& point : record.curve) {
        ASSERT_TRUE(point.validation_loss);
        best = std::min(best, *point.validation_loss);
    }
    EXPECT_EQ(record.best_validation, best);
    std::int64_t targets = 0;
    for (std::size_t i = 0; i < samples.size(); ++i)
        targets += static_cast<std::int64_t>(samples[i].tokens.size());
    EXPECT_EQ(record.sample_tokens, targets);
    // Two tokens a packet, one of which (the first of a sample) is given.
    const CurvePoint& last = record.curve.back();
    EXPECT_NEAR(*last.bits_per_packet, *last.validation_loss / std::log(2.0) * 2,
                0.1 * *last.bits_per_packet);
}

TEST(SsmTrainer, FollowsTheScheduleOverItsSteps) {
    FakeModel model(fake_config(vocabulary), 1);
    const auto samples = counting_samples();
    Progress progress;
    TrainingOptions options = options_of(0);
    options.steps = 40;
    options.schedule = {0.01, 0.25, 0.1};
    const TrainingRecord record = Trainer(model, samples, options, 1, "").run(progress, {});
    EXPECT_EQ(record.steps, 40);
    EXPECT_EQ(record.stopped, "steps");
    ASSERT_EQ(model.learning_rates.size(), 40U);
    for (std::size_t i = 0; i < 40; ++i)
        EXPECT_DOUBLE_EQ(model.learning_rates[i], options.schedule.at(static_cast<double>(i + 1) / 40)) << i;
}

TEST(SsmTrainer, AccumulatesCallsIntoOneStep) {
    FakeModel one(fake_config(vocabulary), 1), four(fake_config(vocabulary), 1);
    const auto samples = counting_samples();
    Progress progress;
    TrainingOptions options = options_of(1);
    options.validation = 0;
    const TrainingRecord single = Trainer(one, samples, options, 1, "").run(progress, {});
    options.accumulate = 4;
    const TrainingRecord accumulated = Trainer(four, samples, options, 1, "").run(progress, {});
    EXPECT_EQ(one.calls, single.steps);
    EXPECT_EQ(four.calls, one.calls);
    EXPECT_EQ(accumulated.steps, (single.steps + 3) / 4);
    EXPECT_EQ(accumulated.tokens, single.tokens);
    EXPECT_FALSE(accumulated.best_validation);
}

TEST(SsmTrainer, TakesLongSamplesInBoundedCalls) {
    FakeModel model(fake_config(vocabulary), 1);
    std::vector<TrainingSample> samples = counting_samples(2);
    for (int i = 0; i < 20'000; ++i) samples[0].tokens.push_back(i % 10);
    Progress progress;
    Trainer(model, samples, options_of(1), 1, "").run(progress, {});
    EXPECT_LE(model.largest_call, 256);
}

TEST(SsmTrainer, UsesNoMoreThanTheContextOfASample) {
    FakeModel model(fake_config(vocabulary), 1);
    const auto samples = counting_samples();
    Progress progress;
    TrainingOptions options = options_of(1);
    options.context = 11;
    options.validation = 0;
    const TrainingRecord record = Trainer(model, samples, options, 1, "").run(progress, {});
    EXPECT_EQ(record.tokens, static_cast<std::int64_t>(10 * samples.size()));
}

TEST(SsmTrainer, GoesOnFromWhereItWasInterruptedBitForBit) {
    const auto samples = counting_samples();
    TrainingOptions options = options_of(4);
    options.accumulate = 2;
    FakeModel straight(fake_config(vocabulary), 1);
    Progress progress;
    const TrainingRecord expected = Trainer(straight, samples, options, 9, "x").run(progress, {});

    for (const int stop : {1, 7, static_cast<int>(expected.steps) - 1}) {
        const ScratchFolder scratch;
        std::filesystem::create_directory(scratch / "c");
        FakeModel first(fake_config(vocabulary), 1), second(fake_config(vocabulary), 77);
        InterruptingProgress interrupting(stop);
        EXPECT_THROW(Trainer(first, samples, options, 9, "x").run(interrupting, scratch / "c"), Interrupted);
        const TrainingRecord resumed = Trainer(second, samples, options, 9, "x").run(progress, scratch / "c");
        EXPECT_EQ(values_of(second), values_of(straight)) << stop;
        EXPECT_EQ(second.learning_rates.size(),
                  straight.learning_rates.size() - static_cast<std::size_t>(stop));
        EXPECT_EQ(resumed.steps, expected.steps);
        EXPECT_EQ(resumed.best_validation, expected.best_validation);
        ASSERT_EQ(resumed.curve.size(), expected.curve.size());
        for (std::size_t i = 0; i < resumed.curve.size(); ++i) {
            EXPECT_EQ(resumed.curve[i].train_loss, expected.curve[i].train_loss);
            EXPECT_EQ(resumed.curve[i].validation_loss, expected.curve[i].validation_loss);
        }
    }
}

/// A killed process leaves the checkpoint of some step before.
TEST(SsmTrainer, GoesOnFromACheckpointWrittenAlongTheWay) {
    const auto samples = counting_samples();
    TrainingOptions options = options_of(3);
    options.checkpoint_interval_s = 1e-9;
    FakeModel straight(fake_config(vocabulary), 1);
    Progress progress;
    Trainer(straight, samples, options, 9, "x").run(progress, {});
    const ScratchFolder scratch;
    std::filesystem::create_directory(scratch / "c");
    struct Dying : Progress {
        int left = 9;
        void update(double, double, std::string_view, std::string_view) override {
            if (--left == 0) throw std::runtime_error("killed");
        }
    } dying;
    FakeModel first(fake_config(vocabulary), 1), second(fake_config(vocabulary), 77);
    EXPECT_THROW(Trainer(first, samples, options, 9, "x").run(dying, scratch / "c"), std::runtime_error);
    Trainer(second, samples, options, 9, "x").run(progress, scratch / "c");
    EXPECT_EQ(values_of(second), values_of(straight));
    EXPECT_LT(second.learning_rates.size(), straight.learning_rates.size());
}

TEST(SsmTrainer, LeavesCheckpointsOfAnotherTrainingAlone) {
    const auto samples = counting_samples();
    const ScratchFolder scratch;
    std::filesystem::create_directory(scratch / "c");
    Progress progress;
    FakeModel first(fake_config(vocabulary), 1);
    InterruptingProgress interrupting(3);
    EXPECT_THROW(Trainer(first, samples, options_of(2), 9, "x").run(interrupting, scratch / "c"),
                 Interrupted);
    const auto notes_of = [&](const TrainingOptions& options, std::uint64_t seed, const std::string& identity,
                              const std::vector<TrainingSample>& data) {
        FakeModel model(fake_config(vocabulary), 1);
        return Trainer(model, data, options, seed, identity).run(progress, scratch / "c").notes;
    };
    auto others = samples;
    others[3].tokens[5] = 11;
    TrainingOptions faster = options_of(2);
    faster.schedule.peak = 0.03;
    for (const auto& notes :
         {notes_of(options_of(2), 8, "x", samples), notes_of(options_of(2), 9, "y", samples),
          notes_of(faster, 9, "x", samples), notes_of(options_of(2), 9, "x", others)}) {
        ASSERT_EQ(notes.size(), 1U);
        EXPECT_NE(notes[0].find("began anew"), std::string::npos) << notes[0];
    }
    TrainingOptions more_time = options_of(2);
    more_time.seconds = 1e6;  // may change
    const auto notes = notes_of(more_time, 9, "x", samples);
    ASSERT_EQ(notes.size(), 1U);
    EXPECT_NE(notes[0].find("went on"), std::string::npos) << notes[0];
}

TEST(SsmTrainer, RefusesDamagedCheckpoints) {
    const auto samples = counting_samples();
    const ScratchFolder scratch;
    std::filesystem::create_directory(scratch / "c");
    FakeModel model(fake_config(vocabulary), 1);
    InterruptingProgress interrupting(3);
    EXPECT_THROW(Trainer(model, samples, options_of(2), 9, "x").run(interrupting, scratch / "c"),
                 Interrupted);
    const std::filesystem::path index = scratch / "c" / "checkpoint.json";
    const nlohmann::json good = nlohmann::json::parse(read_file(index));
    const auto message = [&](const nlohmann::json& damaged) {
        write_file(index, damaged.dump());
        Progress progress;
        return input_error(
            [&] { Trainer(model, samples, options_of(2), 9, "x").run(progress, scratch / "c"); });
    };
    nlohmann::json damaged = good;
    damaged["tensors"] = "../../other.safetensors";
    EXPECT_NE(message(damaged).find("/tensors is no tensor file"), std::string::npos);
    damaged = good;
    damaged["state"]["next_call"] = 1'000'000;
    EXPECT_NE(message(damaged).find("damaged"), std::string::npos);
    damaged = good;
    damaged["state"].erase("epoch");
    EXPECT_NE(message(damaged).find("lacks 'epoch'"), std::string::npos);
}

TEST(SsmTrainer, SkipsBrokenGradientsAndGivesUpAfterTwenty) {
    const auto samples = counting_samples();
    Progress progress;
    FakeModel model(fake_config(vocabulary), 1);
    model.break_steps = 3;
    EXPECT_EQ(Trainer(model, samples, options_of(3), 1, "").run(progress, {}).skipped_steps, 3);
    model.break_steps = 1000;
    const std::string message =
        input_error([&] { Trainer(model, samples, options_of(9), 1, "").run(progress, {}); });
    EXPECT_NE(message.find("20 steps in a row"), std::string::npos) << message;
}

TEST(SsmTrainer, StopsWhenValidationStopsImproving) {
    const auto samples = counting_samples();
    Progress progress;
    FakeModel model(fake_config(vocabulary), 1);
    TrainingOptions options = options_of(1000);
    options.schedule = {0.5, 0, 1};  // far too fast to settle
    options.patience = 3;
    const TrainingRecord record = Trainer(model, samples, options, 1, "").run(progress, {});
    EXPECT_EQ(record.stopped, "patience");
    EXPECT_LT(record.epochs, 1000);
}

TEST(SsmTrainer, EndsWithItsTimeButNotBeforeOneStep) {
    const auto samples = counting_samples();
    Progress progress;
    FakeModel model(fake_config(vocabulary), 1);
    TrainingOptions options = options_of(0);
    options.seconds = 1e-9;
    const TrainingRecord record = Trainer(model, samples, options, 1, "").run(progress, {});
    EXPECT_EQ(record.stopped, "seconds");
    EXPECT_EQ(record.steps, 1);
    EXPECT_EQ(record.curve.size(), 1U);
}

TEST(SsmTrainer, NeedsSomethingToPredict) {
    FakeModel model(fake_config(vocabulary), 1);
    const std::vector<TrainingSample> samples = {{"a", {1}, 0}};
    EXPECT_NE(
        input_error([&] { Trainer(model, samples, options_of(1), 1, ""); }).find("nothing to learn from"),
        std::string::npos);
}

TEST(SsmTrainingRecord, SurvivesItsJson) {
    TrainingRecord record;
    record.tokens = 7;
    record.packets = 3;
    record.best_validation = 1.0 / 3;
    record.stopped = "steps";
    record.notes = {"a note"};
    record.curve = {{1, 2, 0.1, 0.7, std::nullopt, std::nullopt}, {5, 6, 0.3, 0.1, 0.2, 8.5}};
    const nlohmann::json json = nlohmann::json::parse(record.to_json().dump());
    EXPECT_EQ(TrainingRecord::from_json(CheckedJson(json, "training.json")), record);
    nlohmann::json damaged = json;
    damaged["curve"][1]["tokens"] = -1;
    EXPECT_NE(input_error([&] {
                  TrainingRecord::from_json(CheckedJson(damaged, "training.json"));
              }).find("training.json: /curve/1/tokens"),
              std::string::npos);
}

}  // namespace
}  // namespace tracebench::ssm
