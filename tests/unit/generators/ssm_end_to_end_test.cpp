/// The generator as it is used: real captures, the real model, both from first to last.

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "datasets/source.h"
#include "generators/ssm/sequence_model.h"
#include "support.h"
#include "traffic/rules/checker.h"

namespace tracebench {
namespace {

using namespace tracebench::testing;
namespace fs = std::filesystem;
using nlohmann::json;

std::vector<LabelledTrace> lab_samples() {
    SourceOptions source;
    source.name = "lab";
    source.folder = fs::path(TRACEBENCH_SOURCE_DIR) / "datasets" / "lab";
    source.labels = source.folder / "labels.csv";
    source.classes = {"dns", "ssh"};
    source.max_samples = 5;
    source.max_packets = 60;
    const Dataset dataset = load_dataset(source);
    std::vector<std::size_t> all;
    for (std::size_t i = 0; i < dataset.samples.size(); ++i) all.push_back(i);
    return load_samples(dataset, all);
}

class SsmEndToEnd : public ::testing::TestWithParam<const char*> {
  protected:
    void SetUp() override {
        if (!ssm::sequence_model_available()) GTEST_SKIP() << "built without LibTorch";
    }
    std::unique_ptr<Generator> make() const {
        return make_generator("ssm", {{"preset", "tiny"},
                                      {"encoding", GetParam()},
                                      {"d_model", 32},
                                      {"batch_tokens", 1024},
                                      {"segment", 256},
                                      {"steps", 24},
                                      {"accumulate", 2},
                                      {"max_tokens_per_sample", 2000},
                                      {"threads", 1}});
    }
    ScratchFolder scratch_;
};

TEST_P(SsmEndToEnd, LearnsSavesLoadsAndKeepsToTheRules) {
    const std::vector<LabelledTrace> samples = lab_samples();
    const auto generator = make();
    generator->fit(samples, {});
    const json curve = generator->describe()["training"]["curve"];
    ASSERT_GE(curve.size(), 2U);
    EXPECT_LT(curve.back()["train_loss"].get<double>(), curve.front()["train_loss"].get<double>() - 0.1);
    EXPECT_LT(curve.back()["validation_loss"].get<double>(), curve.front()["validation_loss"].get<double>());

    save_model(*generator, {{"preset", "tiny"}, {"max_tokens_per_sample", 2000}, {"threads", 1}},
               scratch_ / "model");
    const auto loaded = load_model(scratch_ / "model");
    EXPECT_EQ(loaded->labels(), (std::vector<std::string>{"dns", "ssh"}));
    const std::vector<Trace> traces = sample_all(*generator, request_for("ssh", 4));
    EXPECT_EQ(content(sample_all(*generator, request_for("ssh", 4))), content(traces));
    EXPECT_EQ(content(sample_all(*loaded, request_for("ssh", 4))), content(traces));

    for (const Trace& trace : traces) {
        ASSERT_FALSE(trace.empty());
        for (const RuleResult& result : check_compliance(trace).rules) {
            if (result.rule->scope() == RuleScope::packet) {
                EXPECT_EQ(result.failed, 0U) << result.rule->id;
            }
        }
    }
    // The files are where other programs look for them.
    const auto bare = load_model(scratch_ / "model" / "model");
    EXPECT_EQ(bare->labels(), loaded->labels());
}

TEST_P(SsmEndToEnd, ResumesBitForBit) {
    const std::vector<LabelledTrace> samples = lab_samples();
    const auto weights = [&](Generator& generator, const std::string& name) {
        fs::create_directory(scratch_ / name);
        generator.save(scratch_ / name);
        return read_file(scratch_ / name / "model.safetensors");
    };
    const auto straight = make();
    straight->fit(samples, {});

    struct Interrupting : Progress {
        int left = 9;
        void update(double, double, std::string_view, std::string_view) override {
            if (--left == 0) throw Interrupted();
        }
    } interrupting;
    fs::create_directory(scratch_ / "checkpoints");
    FitContext context;
    context.progress = &interrupting;
    context.checkpoints = scratch_ / "checkpoints";
    EXPECT_THROW(make()->fit(samples, context), Interrupted);
    const auto resumed = make();
    resumed->fit(samples, context);
    EXPECT_EQ(resumed->describe()["training"]["notes"].size(), 1U);
    EXPECT_EQ(weights(*resumed, "resumed"), weights(*straight, "straight"));
    remove_checkpoints(scratch_ / "checkpoints");
    EXPECT_FALSE(fs::exists(scratch_ / "checkpoints"));
}

INSTANTIATE_TEST_SUITE_P(Encodings, SsmEndToEnd, ::testing::Values("fields", "netssm"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace tracebench
