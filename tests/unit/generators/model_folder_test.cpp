/// What holds for every generator: settings, labels, seeds, saving and loading.

#include <fstream>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "support.h"

namespace tracebench {
namespace {

using namespace tracebench::testing;
namespace fs = std::filesystem;

class EveryBaseline : public ::testing::TestWithParam<const char*> {
  protected:
    std::unique_ptr<Generator> fitted(const std::string& label = "web") {
        auto generator = make_generator(GetParam(), nullptr);
        auto samples = web_sessions(3, label);
        samples.push_back({"other", "other", web_session(9)});
        generator->fit(samples, {});
        return generator;
    }
};

TEST_P(EveryBaseline, GivesTheSameBytesForTheSameSeed) {
    const auto generator = fitted();
    const std::string first = content(sample_all(*generator, request_for("web", 5, 7)));
    EXPECT_EQ(content(sample_all(*generator, request_for("web", 5, 7))), first);
    EXPECT_EQ(content(sample_all(*fitted(), request_for("web", 5, 7))), first);
    EXPECT_NE(content(sample_all(*generator, request_for("web", 5, 8))), first);
    EXPECT_NE(content(sample_all(*generator, request_for("other", 5, 7))), first);
}

TEST_P(EveryBaseline, GivesTheSameBytesAfterSaveAndLoad) {
    const ScratchFolder scratch;
    const auto generator = fitted();
    save_model(*generator, nullptr, scratch / "model");
    const auto loaded = load_model(scratch / "model");
    EXPECT_EQ(loaded->kind(), GetParam());
    EXPECT_EQ(loaded->labels(), (std::vector<std::string>{"other", "web"}));
    EXPECT_EQ(loaded->describe(), generator->describe());
    EXPECT_EQ(content(sample_all(*loaded, request_for("web", 6))),
              content(sample_all(*generator, request_for("web", 6))));
}

TEST_P(EveryBaseline, TakesAnyBytesAsLabel) {
    const ScratchFolder scratch;
    const std::string hostile = "../../x,\"\n\xFF\x1B[2J";
    const auto generator = fitted(hostile);
    save_model(*generator, nullptr, scratch / "model");
    const auto loaded = load_model(scratch / "model");
    EXPECT_EQ(sample_all(*loaded, request_for(hostile, 2)).size(), 2U);
    EXPECT_NO_THROW(generator->describe().dump());  // valid UTF-8
}

TEST_P(EveryBaseline, RejectsUnknownLabelsAndSettings) {
    const std::string label = input_error([&] { sample_all(*fitted(), request_for("vdieo", 1)); });
    EXPECT_NE(label.find("'vdieo'"), std::string::npos) << label;
    EXPECT_NE(label.find("other, web"), std::string::npos) << label;
    const std::string setting = input_error([&] { make_generator(GetParam(), {{"tempreature", 1}}); });
    EXPECT_NE(setting.find("unknown setting 'tempreature'"), std::string::npos) << setting;
    EXPECT_THROW(sample_all(*make_generator(GetParam(), nullptr), request_for("web", 1)), InputError);
}

TEST_P(EveryBaseline, SurvivesDamageToItsFiles) {
    const ScratchFolder scratch;
    save_model(*fitted(), nullptr, scratch / "model");
    std::vector<fs::path> files;
    for (const auto& entry : fs::recursive_directory_iterator(scratch / "model"))
        if (entry.is_regular_file()) files.push_back(entry.path());
    for (const fs::path& file : files) {
        const std::string good = read_file(file);
        for (std::size_t at = 0; at < good.size(); at += std::max<std::size_t>(1, good.size() / 60)) {
            std::string bad = good;
            bad[at] = static_cast<char>(bad[at] ^ 0x15);
            std::ofstream(file, std::ios::binary) << bad;
            try {  // either it notices, or it still makes traffic
                const auto loaded = load_model(scratch / "model");
                SampleRequest request = request_for(loaded->labels().at(0), 1);
                request.max_packets = 50;
                sample_all(*loaded, request);
            } catch (const InputError&) {
            }
        }
        for (const std::size_t size : {std::size_t{0}, good.size() / 2}) {
            std::ofstream(file, std::ios::binary) << good.substr(0, size);
            try {
                load_model(scratch / "model");
            } catch (const InputError&) {
            }
        }
        std::ofstream(file, std::ios::binary) << good;
    }
    EXPECT_NO_THROW(load_model(scratch / "model"));
}

INSTANTIATE_TEST_SUITE_P(Baselines, EveryBaseline, ::testing::Values("resample", "markov", "marginal"),
                         [](const auto& test) { return std::string(test.param); });

TEST(Registry, ListsTheKindsWhereOneIsUnknown) {
    const std::string message = input_error([] { make_generator("gan", nullptr); });
    EXPECT_NE(message.find("generator 'gan'"), std::string::npos);
    for (const std::string& kind : generator_kinds())
        EXPECT_NE(message.find(kind), std::string::npos) << message;
}

TEST(ModelFolder, ReplacesAnOlderModel) {
    const ScratchFolder scratch;
    auto generator = make_generator("marginal", nullptr);
    generator->fit(web_sessions(1, "old"), {});
    save_model(*generator, nullptr, scratch / "model");
    generator->fit(web_sessions(1, "new"), {});
    save_model(*generator, nullptr, (scratch / "model").string() + "/");
    EXPECT_EQ(load_model(scratch / "model")->labels(), std::vector<std::string>{"new"});
    std::size_t entries = 0;
    for ([[maybe_unused]] const auto& entry : fs::directory_iterator(scratch / "")) ++entries;
    EXPECT_EQ(entries, 1U);  // nothing is left beside it
}

TEST(ModelFolder, LeavesOtherPeoplesFoldersAlone) {
    const ScratchFolder scratch;
    write_file(scratch / "thesis/chapter1.tex", "precious");
    auto generator = make_generator("marginal", nullptr);
    generator->fit(web_sessions(1), {});
    EXPECT_THROW(save_model(*generator, nullptr, scratch / "thesis"), InputError);
    EXPECT_THROW(save_model(*generator, nullptr, scratch / "thesis/chapter1.tex"), InputError);
    EXPECT_EQ(read_file(scratch / "thesis/chapter1.tex"), "precious");
}

TEST(ModelFolder, SaysWhatIsNoModel) {
    const ScratchFolder scratch;
    EXPECT_NE(input_error([&] { load_model(scratch / "none"); }).find("is not a model folder"),
              std::string::npos);
    write_file(scratch / "bad/generator.json", "{\"kind\": \"resample\"");
    EXPECT_NE(input_error([&] { load_model(scratch / "bad"); }).find("generator.json"), std::string::npos);
    write_file(scratch / "bad/generator.json", "{\"kind\": 5, \"settings\": {}}");
    EXPECT_NE(input_error([&] { load_model(scratch / "bad"); }).find("/kind"), std::string::npos);
    write_file(scratch / "bad/generator.json", "{\"kind\": \"resample\", \"settings\": {}}");
    write_file(scratch / "bad/model/labels.csv", "file,label\n../../secret.pcap,web\n");
    EXPECT_NE(input_error([&] { load_model(scratch / "bad"); }).find("secret.pcap"), std::string::npos);
}

}  // namespace
}  // namespace tracebench
