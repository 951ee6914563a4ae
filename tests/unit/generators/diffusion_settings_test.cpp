#include "generators/diffusion/diffusion_settings.h"

#include <gmock/gmock.h>

#include "support.h"

namespace tracebench::diffusion {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using tracebench::testing::input_error;

DiffusionSettings read(const json& settings) {
    return DiffusionSettings::from_json(CheckedJson(settings, "generator 'diffusion'"));
}

std::string refused(const json& settings) {
    return input_error([&] { read(settings); });
}

TEST(DiffusionSettings, PresetsDifferInSizeAndEffort) {
    std::int64_t parameters = 0, steps = 0;
    for (const char* preset : {"tiny", "small", "base"}) {
        DiffusionSettings settings = read({{"preset", preset}});
        settings.model.fixed.assign(kTernary, kVaries);
        EXPECT_GT(settings.model.parameters(), parameters);
        const TrainingOptions options = settings.training_within(0);
        ASSERT_EQ(options.stages.size(), 2U);
        EXPECT_GT(options.stages[1].steps, steps);
        parameters = settings.model.parameters();
        steps = options.stages[1].steps;
    }
    EXPECT_EQ(read(json::object()).preset, "small");
}

TEST(DiffusionSettings, LimitsOfATraining) {
    // A clock alone decides alone; with steps whatever comes first.
    TrainingOptions options = read({{"seconds", 60}, {"autoencoder_share", 0.4}}).training_within(0);
    EXPECT_EQ(options.seconds, 60);
    EXPECT_EQ(options.stages[0].steps, 0);
    EXPECT_EQ(options.stages[1].steps, 0);
    EXPECT_DOUBLE_EQ(options.stages[0].share, 0.4);
    EXPECT_DOUBLE_EQ(options.stages[1].share, 0.6);
    EXPECT_EQ(read({{"seconds", 60}}).training_within(20).seconds, 20);
    EXPECT_EQ(read({{"seconds", 60}}).training_within(90).seconds, 60);
    options = read({{"seconds", 60}, {"steps", 7}}).training_within(0);
    EXPECT_EQ(options.stages[1].steps, 7);
    EXPECT_GT(options.stages[0].steps, 0);
    options = read({{"control", "class"}, {"control_steps", 9}}).training_within(0);
    ASSERT_EQ(options.stages.size(), 3U);
    EXPECT_EQ(options.stages[2].stage, Stage::control);
    EXPECT_EQ(options.stages[2].steps, 9);
    options = read({{"from", "x"}}).training_within(0);
    ASSERT_EQ(options.stages.size(), 1U);
    EXPECT_EQ(options.stages[0].stage, Stage::denoiser);
    options = read({{"from", "x"}, {"lora", 8}, {"steps", 5}}).training_within(0);
    ASSERT_EQ(options.stages.size(), 1U);
    EXPECT_EQ(options.stages[0].stage, Stage::adapter);
    EXPECT_EQ(options.stages[0].steps, 5);
}

TEST(DiffusionSettings, Sampling) {
    const DiffusionSettings settings = read({{"sampling_steps", 10},
                                             {"sampler", "ddim"},
                                             {"guidance", 3},
                                             {"control", 4},
                                             {"control_strength", 0.5},
                                             {"rows_at_once", 100}});
    EXPECT_EQ(settings.sampling.steps, 10);
    EXPECT_EQ(settings.sampling.sampler, Sampler::ddim);
    EXPECT_EQ(settings.sampling.guidance, 3);
    EXPECT_EQ(settings.sampling.control_strength, 0.5);
    EXPECT_EQ(settings.control.kind, ControlChoice::Kind::given);
    EXPECT_EQ(settings.control.index, 4U);
    EXPECT_EQ(read({{"control", "class"}}).control.kind, ControlChoice::Kind::drawn);
    EXPECT_EQ(read({{"control", "off"}}).control.kind, ControlChoice::Kind::off);
    const DiffusionSettings adapter = read({{"from", "x"}, {"lora", {{"rank", 4}, {"alpha", 16}}}});
    EXPECT_EQ(adapter.lora->rank, 4);
    EXPECT_EQ(adapter.lora->alpha, 16);
}

TEST(DiffusionSettings, RefusesWhatMakesNoSense) {
    EXPECT_THAT(refused({{"presets", "small"}}), HasSubstr("presets"));
    EXPECT_THAT(refused({{"preset", "huge"}}), AllOf(HasSubstr("huge"), HasSubstr("tiny, small, base")));
    EXPECT_THAT(refused({{"channels", 40}}), HasSubstr("channels"));
    EXPECT_THAT(refused({{"latent", 0}}), HasSubstr("/latent"));
    EXPECT_THAT(refused({{"learning_rate", -1}}), HasSubstr("/learning_rate"));
    EXPECT_THAT(refused({{"crop", 2000}}), HasSubstr("/crop"));
    EXPECT_THAT(refused({{"crop", 512}, {"batch_rows", 256}}), HasSubstr("leaves no room"));
    EXPECT_THAT(refused({{"sampler", "euler"}}), HasSubstr("/sampler"));
    EXPECT_THAT(refused({{"guidance", 21}}), HasSubstr("/guidance"));
    EXPECT_THAT(refused({{"control", "some"}}), HasSubstr("/control"));
    EXPECT_THAT(refused({{"control", -1}}), HasSubstr("/control"));
    EXPECT_THAT(refused({{"lora", 8}}), HasSubstr("without 'from'"));
    EXPECT_THAT(refused({{"from", "x"}, {"lora", 0}}), HasSubstr("/lora"));
    EXPECT_THAT(refused({{"from", "x"}, {"lora", {{"rnk", 1}}}}), HasSubstr("rnk"));
    EXPECT_THAT(refused({{"from", "x"}, {"lora", 8}, {"control", "class"}}), HasSubstr("/lora"));
    EXPECT_THAT(refused({{"from", "x"}, {"channels", 64}}), HasSubstr("together with 'from'"));
    EXPECT_THAT(refused({{"precision", "float16"}}), HasSubstr("/precision"));
    EXPECT_THAT(refused({{"sampling_steps", 1001}}), HasSubstr("/sampling_steps"));
}

}  // namespace
}  // namespace tracebench::diffusion
