#include "generators/diffusion/diffusion_generator.h"

#include <gmock/gmock.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "diffusion_fakes.h"
#include "generators/weights/weight_file.h"

namespace tracebench::diffusion {
namespace {

using namespace tracebench::diffusion::testing;
using namespace tracebench::testing;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;

/// The model that was made last.
FakeModel* last_model = nullptr;

std::unique_ptr<DiffusionGenerator> make(const json& settings = json::object()) {
    json all = {{"preset", "tiny"}, {"learning_rate", 0.2}, {"steps", 30}, {"crop", 64}, {"batch_rows", 128}};
    all.update(settings);
    return std::make_unique<DiffusionGenerator>(
        DiffusionSettings::from_json(CheckedJson(all, "test")),
        [](const ModelConfig& config, const ComputeOptions&, std::uint64_t seed) {
            auto model = std::make_unique<FakeModel>(config, seed);
            last_model = model.get();
            return model;
        });
}

std::vector<LabelledTrace> two_labels() {
    std::vector<LabelledTrace> samples = web_sessions(8);
    for (LabelledTrace& sample : web_sessions(5, "video")) samples.push_back(std::move(sample));
    return samples;
}

struct DiffusionGeneratorTest : ::testing::Test {
    ScratchFolder scratch;
    std::filesystem::path folder(const std::string& name) {
        std::filesystem::create_directories(scratch / name);
        return scratch / name;
    }
    std::filesystem::path saved(const std::string& name, const json& settings = json::object()) {
        const auto generator = make(settings);
        generator->fit(two_labels(), {});
        generator->save(folder(name));
        return scratch / name;
    }
};

TEST_F(DiffusionGeneratorTest, TrainsSavesLoadsAndSamplesAlike) {
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

/// Sample i does not depend on how many there are or on how many are made at once.
TEST_F(DiffusionGeneratorTest, SamplesDependOnSeedAndPlaceAlone) {
    const std::filesystem::path model = saved("model");
    const auto a = make(), b = make({{"rows_at_once", 1}});
    a->load(model);
    b->load(model);
    const std::vector<Trace> ten = sample_all(*a, request_for("web", 10)),
                             four = sample_all(*b, request_for("web", 4));
    ASSERT_EQ(ten.size(), 10U);
    ASSERT_EQ(four.size(), 4U);
    for (std::size_t i = 0; i < four.size(); ++i) EXPECT_EQ(content({four[i]}), content({ten[i]}));
}

TEST_F(DiffusionGeneratorTest, LengthsAreThoseOfTheClass) {
    const auto generator = make();
    std::vector<LabelledTrace> samples = web_sessions(6);  // 18 packets each
    Trace one;
    append_dns_flow(one, {ip4(10, 0, 0, 1), 40000}, {ip4(10, 0, 0, 2), 53}, 0);
    for (int i = 0; i < 6; ++i) samples.push_back({"d" + std::to_string(i), "dns", one});
    generator->fit(samples, {});
    for (const Trace& trace : sample_all(*generator, request_for("web", 4))) EXPECT_EQ(trace.size(), 18U);
    for (const Trace& trace : sample_all(*generator, request_for("dns", 4))) {
        EXPECT_EQ(trace.size(), 2U);
        expect_right_checksums(trace);
    }
    tracebench::SampleRequest request = request_for("web", 3);
    request.max_packets = 5;
    for (const Trace& trace : sample_all(*generator, request)) EXPECT_EQ(trace.size(), 5U);
    EXPECT_THAT(input_error([&] { sample_all(*generator, request_for("chat", 1)); }), HasSubstr("dns, web"));
}

/// Drawn independently, 3 of 12 would be 0 to 7 in these 80 cases.
TEST_F(DiffusionGeneratorTest, LengthsAreSpreadAsInTraining) {
    const auto generator = make();
    std::vector<LabelledTrace> samples = web_sessions(12);
    for (std::size_t i = 0; i < samples.size(); ++i) samples[i].trace.packets.resize(5 + 4 * (i % 4));
    generator->fit(samples, {});
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        std::map<std::size_t, int> lengths;
        for (const Trace& trace : sample_all(*generator, request_for("web", 12, seed)))
            ++lengths[trace.size()];
        ASSERT_EQ(lengths.size(), 4U);
        for (const auto& [length, count] : lengths) {
            EXPECT_GE(count, 2) << length;
            EXPECT_LE(count, 4) << length;
        }
    }
}

/// The fake makes gaps of up to 8 ms.
TEST_F(DiffusionGeneratorTest, NoGapIsLongerThanThoseOfTheClass) {
    std::vector<LabelledTrace> samples = web_sessions(4);
    for (LabelledTrace& sample : samples) {
        const std::int64_t first = sample.trace.packets.front().time_ns;
        for (std::size_t i = 0; i < sample.trace.size(); ++i)
            sample.trace.packets[i].time_ns = first + static_cast<std::int64_t>(i) * 50'000;
    }
    const auto fitted = make();
    fitted->fit(samples, {});
    fitted->save(folder("short"));
    const auto loaded = make();
    loaded->load(scratch / "short");
    std::int64_t longest = 0;
    for (const Trace& trace : sample_all(*loaded, request_for("web", 4)))
        for (std::size_t i = 1; i < trace.size(); ++i)
            longest = std::max(longest, trace.packets[i].time_ns - trace.packets[i - 1].time_ns);
    EXPECT_NEAR(static_cast<double>(longest), 50'000, 5);  // as exact as a scaled gap is
}

TEST_F(DiffusionGeneratorTest, DescribesTrainingSamplingAndRepair) {
    const auto generator = make();
    generator->fit(two_labels(), {});
    json described = generator->describe();
    EXPECT_EQ(described["kind"], "diffusion");
    EXPECT_EQ(described["training"]["packets"], 13 * 18);
    ASSERT_EQ(described["training"]["stages"].size(), 2U);
    EXPECT_FALSE(described.contains("sampling"));
    std::size_t packets = 0;
    for (const Trace& trace : sample_all(*generator, request_for("web", 4))) packets += trace.size();
    sample_all(*generator, request_for("web", 1));
    described = generator->describe();
    const json& sampling = described["sampling"];
    EXPECT_EQ(sampling["samples"], 5);
    EXPECT_EQ(sampling["packets"], packets + 18);
    // The fake flips a bit in every row.
    EXPECT_GT(sampling["repair"]["altered"], 0);
    EXPECT_LT(sampling["repair"]["altered"], sampling["repair"]["bits"]);
    ASSERT_FALSE(sampling["repair"]["fields"].empty());
    EXPECT_EQ(sampling["repair"]["fields"][0]["name"], "ipv4_ver");
    ASSERT_EQ(sampling["denoising"].size(), 1U);  // one a label
    EXPECT_EQ(sampling["denoising"][0]["label"], "web");
    const json& steps = sampling["denoising"][0]["steps"];
    ASSERT_EQ(steps.size(), 5U);
    EXPECT_EQ(steps[0]["step"], 1);
    EXPECT_EQ(steps[4]["step"], 20);
    EXPECT_EQ(steps[0]["png"].get<std::string>().substr(0, 10), "iVBORw0KGg");  // the signature of PNG
}

TEST_F(DiffusionGeneratorTest, UnconstrainedSamplesAreTheBareBits) {
    const auto generator = make();
    generator->fit(two_labels(), {});
    tracebench::SampleRequest request = request_for("web", 20);
    request.constrained = false;
    const std::vector<Trace> bare = sample_all(*generator, request);
    request.constrained = true;
    const std::vector<Trace> repaired = sample_all(*generator, request);
    EXPECT_NE(content(bare), content(repaired));
    for (const Trace& trace : repaired) expect_right_checksums(trace);
    // A model's rows have no checksums.
    std::size_t without_checksum = 0;
    for (const Trace& trace : bare)
        for (const PacketView& packet : trace.packets) {
            const Headers headers = dissect(packet);
            without_checksum += headers.ip_version == 4 && load16(headers.ip() + 10) == 0;
        }
    EXPECT_GT(without_checksum, 0U);
}

TEST_F(DiffusionGeneratorTest, ControlTakesTheLayoutOfASample) {
    const auto generator = make({{"control", 2}});
    generator->fit(two_labels(), {});
    EXPECT_EQ(std::count(last_model->stages.begin(), last_model->stages.end(), Stage::control), 30);
    sample_all(*generator, request_for("web", 2));
    ASSERT_EQ(last_model->controls.size(), 2U);
    const ModelRows third = model_rows(packet_image(web_session(2)));
    std::array<std::uint8_t, kImageBytes> layout{};
    for (std::size_t row = 0; row < third.rows(); ++row) {
        row_layout(third.row(row), layout);
        EXPECT_TRUE(std::equal(layout.begin(), layout.end(),
                               last_model->controls[0].begin() + static_cast<long>(row * kImageBytes)))
            << row;
    }
    generator->save(folder("model"));
    const auto loaded = make({{"control", 2}});
    loaded->load(scratch / "model");
    sample_all(*loaded, request_for("web", 1));
    EXPECT_EQ(last_model->controls.at(0).size(), third.rows() * kImageBytes);

    const auto without = make({{"control", "class"}});
    without->load(saved("plain"));
    EXPECT_THAT(input_error([&] { sample_all(*without, request_for("web", 1)); }),
                HasSubstr("has no control branch"));
}

TEST_F(DiffusionGeneratorTest, GoesOnFromAModelWithMoreLabels) {
    const std::filesystem::path from = saved("base");
    auto samples = web_sessions(6, "chat");
    samples.push_back({"w", "web", web_session(3)});
    const auto generator = make({{"from", from.string()}});
    generator->fit(samples, {});
    EXPECT_EQ(generator->labels(), (std::vector<std::string>{"chat", "video", "web"}));
    EXPECT_EQ(last_model->config().classes, 3);
    for (const Stage stage : last_model->stages) EXPECT_EQ(stage, Stage::denoiser);
    generator->save(folder("tuned"));
    const auto loaded = make();
    loaded->load(scratch / "tuned");
    EXPECT_EQ(content(sample_all(*loaded, request_for("chat", 3))),
              content(sample_all(*generator, request_for("chat", 3))));
}

TEST_F(DiffusionGeneratorTest, AdapterIsAFileOfItsOwnThatKnowsItsBase) {
    const std::filesystem::path base = saved("base");
    const auto tuned = make({{"from", base.string()}, {"lora", 4}});
    tuned->fit(web_sessions(4, "chat"), {});
    EXPECT_EQ(tuned->labels(), (std::vector<std::string>{"chat", "video", "web"}));
    for (const Stage stage : last_model->stages) EXPECT_EQ(stage, Stage::adapter);
    EXPECT_EQ(tuned->describe()["adapter"]["rank"], 4);
    tuned->save(folder("tuned"));

    // Put beside the same base it is the tuned model; the base alone has not changed.
    std::filesystem::copy(scratch / "tuned/adapter.safetensors", base / "adapter.safetensors");
    const auto loaded = make();
    loaded->load(base);
    EXPECT_EQ(loaded->labels(), tuned->labels());
    EXPECT_EQ(content(sample_all(*loaded, request_for("chat", 3))),
              content(sample_all(*tuned, request_for("chat", 3))));

    const std::filesystem::path other = saved("other", {{"learning_rate", 0.1}});
    std::filesystem::copy(scratch / "tuned/adapter.safetensors", other / "adapter.safetensors");
    EXPECT_THAT(input_error([&] { make()->load(other); }),
                AllOf(HasSubstr("adapter.safetensors"), HasSubstr("is an adapter for another base")));
}

TEST_F(DiffusionGeneratorTest, ResumesAfterAnInterrupt) {
    class Interrupting : public Progress {
        void update(double, double, std::string_view, std::string_view) override {
            if (++calls_ == 70) throw Interrupted();
        }
        int calls_ = 0;
    } interrupting;
    const auto whole = make(), first = make(), second = make();
    whole->fit(two_labels(), {});
    FitContext context;
    context.checkpoints = folder("checkpoints");
    context.progress = &interrupting;
    EXPECT_THROW(first->fit(two_labels(), context), Interrupted);
    EXPECT_TRUE(first->labels().empty());
    context.progress = nullptr;
    second->fit(two_labels(), context);
    EXPECT_EQ(content(sample_all(*second, request_for("web", 5))),
              content(sample_all(*whole, request_for("web", 5))));
}

TEST_F(DiffusionGeneratorTest, HostileFoldersAreOneClearLine) {
    const std::filesystem::path model = saved("model");
    const auto damaged = [&](const std::string& file, const std::function<void(std::string&)>& damage) {
        const std::string before = read_file(model / file);
        std::string content = before;
        damage(content);
        std::ofstream(model / file, std::ios::binary) << content;
        const std::string error = input_error([&] { make()->load(model); });
        std::ofstream(model / file, std::ios::binary) << before;
        EXPECT_THAT(error, HasSubstr(file));
        EXPECT_EQ(error.find('\n'), std::string::npos);
        return error;
    };
    const auto replace = [](const std::string& from, const std::string& to) {
        return [=](std::string& text) {
            const std::size_t at = text.find(from);
            ASSERT_NE(at, std::string::npos) << from;
            text.replace(at, from.size(), to);
        };
    };
    damaged("classes.json", replace("\"longest_gap\"", "\"longest_gab\""));
    damaged("classes.json", replace("\"most_hosts\":", "\"most_hosts\": -"));
    damaged("config.json", replace("\"longest\": 1024", "\"longest\": 512"));
    damaged("config.json", replace("\"classes\": 2", "\"classes\": -2"));
    EXPECT_THAT(damaged("classes.json", [](std::string& text) { text = "[]"; }), HasSubstr("has 0 classes"));
    damaged("classes.json", replace("[[18,", "[[2000,"));
    damaged("classes.json", replace("label_hex", "label"));
    damaged("denoiser.safetensors", [](std::string& text) { text.resize(text.size() / 2); });
    damaged("autoencoder.safetensors", replace("mean", "meow"));
    std::filesystem::remove(model / "classes.json");
    EXPECT_THAT(input_error([&] { make()->load(model); }), HasSubstr("lacks classes.json"));
    EXPECT_THAT(input_error([&] {
                    make({{"from", (scratch / "nowhere").string()}})->fit(two_labels(), {});
                }),
                HasSubstr("lacks config.json"));
}

TEST_F(DiffusionGeneratorTest, SaysWhatItCannotLearnFrom) {
    EXPECT_THAT(input_error([] { make()->fit({}, {}); }), HasSubstr("nothing to learn from"));
    EXPECT_THAT(input_error([] {
                    make()->fit({{"a", "a", Trace()}}, {});
                }),
                HasSubstr("no sample holds a packet"));
    EXPECT_THAT(input_error([&] { make()->save(folder("x")); }), HasSubstr("fit it first"));
}

}  // namespace
}  // namespace tracebench::diffusion
