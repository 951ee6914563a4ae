#include "generators/ssm/ssm_generator.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "ssm_fakes.h"

namespace tracebench::ssm {
namespace {

using namespace tracebench::ssm::testing;
using namespace tracebench::testing;
using nlohmann::json;

SsmParts fake_parts() {
    SsmParts parts;
    parts.make_model = [](const ModelConfig& config, const ComputeOptions&, std::uint64_t seed) {
        return std::make_unique<FakeModel>(config, seed);
    };
    parts.make_encoding = [](const std::string&, const json&, const std::vector<std::string>& labels) {
        return std::make_unique<FakeEncoding>(labels);
    };
    parts.load_encoding = &FakeEncoding::load;
    return parts;
}

SsmSettings settings_of(const json& settings) {
    return SsmSettings::from_json(CheckedJson(settings, "test"));
}

std::unique_ptr<SsmGenerator> make(json settings = json::object()) {
    settings["preset"] = "tiny";
    if (!settings.contains("from")) settings["d_model"] = 16;
    return std::make_unique<SsmGenerator>(settings_of(settings), fake_parts());
}

std::vector<LabelledTrace> two_labels() {
    std::vector<LabelledTrace> samples = web_sessions(8);
    for (LabelledTrace& sample : web_sessions(5, "video")) samples.push_back(std::move(sample));
    return samples;
}

struct SsmGeneratorTest : ::testing::Test {
    ScratchFolder scratch;
    std::filesystem::path folder(const std::string& name) {
        std::filesystem::create_directories(scratch / name);
        return scratch / name;
    }
    std::filesystem::path saved(const std::string& name) {
        auto generator = make();
        generator->fit(two_labels(), {});
        generator->save(folder(name));
        return scratch / name;
    }
};

TEST_F(SsmGeneratorTest, TrainsSavesLoadsAndSamplesAlike) {
    const auto generator = make();
    EXPECT_TRUE(generator->labels().empty());
    generator->fit(two_labels(), {});
    EXPECT_EQ(generator->labels(), (std::vector<std::string>{"video", "web"}));
    const json described = generator->describe();
    generator->save(folder("model"));
    const std::string first = content(sample_all(*generator, request_for("web", 5, 7)));
    EXPECT_EQ(content(sample_all(*generator, request_for("web", 5, 7))), first);
    EXPECT_NE(content(sample_all(*generator, request_for("web", 5, 8))), first);
    EXPECT_NE(content(sample_all(*generator, request_for("video", 5, 7))), first);

    const auto again = make();
    again->fit(two_labels(), {});
    EXPECT_EQ(content(sample_all(*again, request_for("web", 5, 7))), first);

    const auto loaded = make();
    loaded->load(scratch / "model");
    EXPECT_EQ(loaded->labels(), generator->labels());
    EXPECT_EQ(loaded->describe(), described);
    EXPECT_EQ(content(sample_all(*loaded, request_for("web", 5, 7))), first);
}

TEST_F(SsmGeneratorTest, DescribesTrainingAndSampling) {
    const auto generator = make();
    generator->fit(two_labels(), {});
    json described = generator->describe();
    EXPECT_EQ(described["kind"], "ssm");
    EXPECT_EQ(described["preset"], "tiny");
    EXPECT_EQ(described["encoding"], "fake");
    EXPECT_EQ(described["vocabulary"], 15);
    EXPECT_EQ(described["training"]["packets"], 13 * 18);
    EXPECT_DOUBLE_EQ(described["training"]["tokens_per_packet"], (13.0 * (18 * 2 + 2)) / (13 * 18));
    EXPECT_EQ(described["training"]["epochs"], 6);
    ASSERT_FALSE(described["training"]["curve"].empty());
    for (const char* key : {"tokens", "steps", "seconds", "train_loss", "validation_loss"})
        EXPECT_TRUE(described["training"]["curve"][0].contains(key)) << key;
    EXPECT_FALSE(described.contains("sampling"));
    std::size_t packets = 0;
    for (const Trace& trace : sample_all(*generator, request_for("web", 4))) packets += trace.size();
    described = generator->describe();
    EXPECT_EQ(described["sampling"]["packets"], packets);
    EXPECT_GE(described["sampling"]["tokens"], 2 * packets);
    EXPECT_TRUE(described["sampling"].contains("illegal_first_choices"));
}

TEST_F(SsmGeneratorTest, GoesOnFromAModelWithMoreLabels) {
    const std::filesystem::path from = saved("base");
    auto samples = web_sessions(6, "chat");
    samples.push_back({"w", "web", web_session(3)});
    const auto generator = make({{"from", from.string()}, {"epochs", 1}});
    generator->fit(samples, {});
    EXPECT_EQ(generator->labels(), (std::vector<std::string>{"chat", "video", "web"}));
    EXPECT_EQ(sample_all(*generator, request_for("chat", 2)).size(), 2U);
    generator->save(folder("tuned"));
    const auto loaded = make();
    loaded->load(scratch / "tuned");
    EXPECT_EQ(content(sample_all(*loaded, request_for("chat", 3))),
              content(sample_all(*generator, request_for("chat", 3))));
}

TEST_F(SsmGeneratorTest, TellsItsLossOfEverySample) {
    Progress progress;
    EXPECT_FALSE(make()->losses(two_labels(), progress));
    const auto generator = make();
    const auto samples = two_labels();
    generator->fit(samples, {});
    auto asked = samples;
    asked.push_back({"x", "unknown", web_session(3)});
    asked.push_back({"y", "web", Trace()});
    const auto losses = *generator->losses(asked, progress);
    ASSERT_EQ(losses.size(), asked.size());
    // All samples of a label are alike: their losses lie on either side of the validation samples' mean.
    const double mean = generator->describe()["training"]["best_validation"];
    const auto [least, most] = std::minmax_element(losses.begin(), losses.begin() + 13);
    EXPECT_LE(*least, mean + 1e-6);
    EXPECT_GE(*most, mean - 1e-6);
    EXPECT_LT(*most - *least, 0.05);
    EXPECT_TRUE(std::isnan(losses[samples.size()]));
    EXPECT_TRUE(std::isnan(losses[samples.size() + 1]));
    EXPECT_EQ((*generator->losses({samples[3]}, progress))[0], losses[3]);
}

/// The mean of the labels that were there, and noise well below it; all else stays.
TEST_F(SsmGeneratorTest, NewLabelsBeginAsAnAverageOne) {
    const std::filesystem::path from = saved("base");
    ModelFiles before = read_model_files(from, &FakeEncoding::load),
               after = read_model_files(from, &FakeEncoding::load);
    add_labels(after, {"web", "a", "b", "c"}, 5);
    EXPECT_EQ(after.config.vocab_size, before.config.vocab_size + 3);
    EXPECT_EQ(before.config.padded_vocabulary(), 16);
    EXPECT_EQ(after.config.padded_vocabulary(), 32);
    const std::vector<float>&old = before.weights.at(0).values, &grown = after.weights.at(0).values;
    ASSERT_EQ(grown.size(), 32U * 16U);
    EXPECT_TRUE(std::equal(old.begin(), old.begin() + 15 * 16, grown.begin()));
    for (std::size_t row = 15; row < 18; ++row)
        for (std::size_t i = 0; i < 16; ++i) {
            const double mean =
                (static_cast<double>(old[13 * 16 + i]) + static_cast<double>(old[14 * 16 + i])) / 2;
            EXPECT_NEAR(grown[row * 16 + i], mean, 0.02);
            EXPECT_NE(grown[row * 16 + i], grown[(row == 15 ? 16 : 15) * 16 + i]);
        }
    EXPECT_EQ(after.weights.at(1).values, before.weights.at(1).values);
    ModelFiles unchanged = read_model_files(from, &FakeEncoding::load);
    add_labels(unchanged, {"web"}, 5);
    EXPECT_EQ(unchanged.weights.at(0).values, old);
}

TEST_F(SsmGeneratorTest, StreamsOneTraceOfAnyLength) {
    const auto generator = make();
    generator->fit(two_labels(), {});
    SampleRequest request = request_for("web", 1);
    Progress progress;
    EXPECT_NE(
        input_error([&] { generator->stream(request, progress, [](const PacketView&) {}); }).find("limit"),
        std::string::npos);
    request.max_packets = 3000;
    std::size_t packets = 0;
    EXPECT_TRUE(generator->stream(request, progress, [&](const PacketView&) { ++packets; }));
    EXPECT_EQ(packets, 3000U);
}

TEST_F(SsmGeneratorTest, CapsSamplesOfAModelThatDoesNotEnd) {
    const auto generator = make({{"max_tokens_per_sample", 10}});
    generator->fit(two_labels(), {});
    for (const Trace& trace : sample_all(*generator, request_for("web", 10))) EXPECT_LE(trace.size(), 5U);
}

TEST_F(SsmGeneratorTest, GoesOnFromItsCheckpoint) {
    const auto straight = make();
    straight->fit(two_labels(), {});
    struct Interrupting : Progress {
        int left = 4;
        void update(double, double, std::string_view, std::string_view) override {
            if (--left == 0) throw Interrupted();
        }
    } interrupting;
    FitContext context;
    context.checkpoints = folder("checkpoints");
    context.progress = &interrupting;
    const auto resumed = make();
    EXPECT_THROW(resumed->fit(two_labels(), context), Interrupted);
    interrupting.left = 1 << 30;
    resumed->fit(two_labels(), context);
    EXPECT_EQ(content(sample_all(*resumed, request_for("web", 5))),
              content(sample_all(*straight, request_for("web", 5))));
}

TEST_F(SsmGeneratorTest, SaysWhatIsWrongWithTheDataOrTheLabel) {
    EXPECT_NE(input_error([&] { make()->fit({}, {}); }).find("nothing to learn from"), std::string::npos);
    EXPECT_NE(input_error([&] {
                  make()->fit({{"x", "web", Trace()}}, {});
              }).find("nothing to learn from"),
              std::string::npos);
    const auto generator = make();
    EXPECT_NE(input_error([&] { sample_all(*generator, request_for("web", 1)); }).find("fit it first"),
              std::string::npos);
    EXPECT_NE(input_error([&] { generator->save(folder("x")); }).find("fit it first"), std::string::npos);
    generator->fit(two_labels(), {});
    EXPECT_NE(input_error([&] { sample_all(*generator, request_for("vdieo", 1)); }).find("video, web"),
              std::string::npos);
}

TEST_F(SsmGeneratorTest, SaysWhatIsWrongWithAFolder) {
    const auto message = [&](const std::filesystem::path& path) {
        return input_error([&] { make()->load(path); });
    };
    EXPECT_NE(message(folder("empty")).find("lacks config.json"), std::string::npos);
    const std::filesystem::path model = saved("model");
    const json config = json::parse(read_file(model / "config.json"));

    json damaged = config;
    damaged["vocab_size"] = 300;
    write_file(model / "config.json", damaged.dump());
    EXPECT_NE(message(model).find("has 15 tokens, but config.json says vocab_size 300"), std::string::npos)
        << message(model);
    damaged = config;
    damaged["vocab_size"] = 16;  // counts its padding in, as other programs may
    write_file(model / "config.json", damaged.dump());
    EXPECT_NO_THROW(make()->load(model));
    damaged["d_model"] = 32;
    write_file(model / "config.json", damaged.dump());
    EXPECT_NE(message(model).find("backbone.embedding.weight has another shape"), std::string::npos)
        << message(model);

    write_file(model / "config.json", config.dump());
    write_file(model / "training.json", R"({"tokens": -5})");
    EXPECT_NE(message(model).find("/tokens is not an integer"), std::string::npos);
    std::filesystem::remove(model / "training.json");
    EXPECT_NO_THROW(make()->load(model));  // another program's folder
}

TEST(SsmSettings, StatesAreFloat16WhereTheyAreLarge) {
    EXPECT_FALSE(settings_of(json::object()).compute.half_states);
    EXPECT_TRUE(settings_of({{"preset", "netssm"}}).compute.half_states);
    EXPECT_FALSE(settings_of({{"preset", "netssm"}, {"backend", "plain"}}).compute.half_states);
    EXPECT_FALSE(settings_of({{"preset", "netssm"}, {"state", "float32"}}).compute.half_states);
    EXPECT_TRUE(settings_of({{"state", "float16"}}).compute.half_states);
}

TEST(SsmSettings, RefusesWhatItDoesNotKnow) {
    const auto message = [](const json& settings) { return input_error([&] { settings_of(settings); }); };
    EXPECT_NE(message({{"lr", 1}}).find("unknown setting 'lr'"), std::string::npos);
    EXPECT_NE(message({{"preset", "huge"}}).find("tiny, small, base, netssm"), std::string::npos);
    EXPECT_NE(message({{"learning_rate", 2}}).find("/learning_rate is not a number"), std::string::npos);
    EXPECT_NE(message({{"segment", 100}}).find("multiple of 64"), std::string::npos);
    EXPECT_NE(message({{"precision", "int8"}}).find("/precision is none of"), std::string::npos);
    EXPECT_NE(message({{"state", "int8"}}).find("/state is none of"), std::string::npos);
    EXPECT_NE(message({{"state", "float16"}, {"backend", "plain"}}).find("only the backend 'fused'"),
              std::string::npos);
    EXPECT_NE(message({{"from", "x"}, {"d_model", 8}}).find("/d_model is given together with 'from'"),
              std::string::npos);
    EXPECT_NE(message({{"d_model", 100}, {"headdim", 64}}).find("headdim"), std::string::npos);
}

TEST(SsmSettings, LimitATrainingOnce) {
    const auto limits = [](const json& settings, double budget) {
        const TrainingOptions options = settings_of(settings).training_within(budget);
        return std::tuple(options.epochs, options.steps, options.seconds);
    };
    EXPECT_EQ(limits({{"preset", "tiny"}}, 0), std::tuple(6, 0, 0));  // the preset's
    EXPECT_EQ(limits({{"preset", "tiny"}}, 50), std::tuple(0, 0, 50));
    EXPECT_EQ(limits({{"seconds", 30}}, 50), std::tuple(0, 0, 30));
    EXPECT_EQ(limits({{"seconds", 80}, {"steps", 7}}, 50), std::tuple(0, 7, 50));
    EXPECT_EQ(limits({{"epochs", 3}}, 0), std::tuple(3, 0, 0));
}

TEST(SsmSettings, TakeAnEncodingByNameOrWithItsOwn) {
    EXPECT_EQ(settings_of(json::object()).encoding, "fields");
    EXPECT_EQ(settings_of({{"preset", "netssm"}}).encoding, "netssm");
    EXPECT_EQ(settings_of({{"encoding", "netssm"}}).encoding, "netssm");
    const SsmSettings settings = settings_of({{"encoding", {{"name", "fields"}, {"x", 3}}}});
    EXPECT_EQ(settings.encoding, "fields");
    EXPECT_EQ(settings.encoding_settings, (json{{"x", 3}}));
}

}  // namespace
}  // namespace tracebench::ssm
