// Generator ssm from the command line: train, go on, generate in every way of limiting it.

#include "cli.h"

namespace tracebench::test {
namespace {

class Ssm : public CliTest {
  protected:
    void SetUp() override {
        CliTest::SetUp();
        labels_ = write("labels.csv",
                        "file,label\ndns/dns-01.pcap,dns\ndns/dns-06.pcap,dns\nssh/ssh-17.pcap,ssh\n");
        const ProcessResult result = train("model", R"({"preset":"tiny","d_model":32,"steps":8})");
        if (result.errors.find("needs LibTorch") != std::string::npos)
            GTEST_SKIP() << "built without LibTorch";
        ASSERT_EQ(result.code, 0) << result.errors;
        training_output_ = result.errors;
    }
    ProcessResult train(const std::string& model, const std::string& settings) const {
        return tracebench({"train", "-g", "ssm", "--data", lab().string(), "--labels", labels_, "-o",
                           path(model), "--config", settings});
    }
    ProcessResult generate(std::vector<std::string> more) const {
        std::vector<std::string> arguments = {"generate", "-m", path("model"), "--label", "dns"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return tracebench(arguments);
    }
    std::size_t packets_of(const std::string& capture) const {
        const ProcessResult result = tracebench({"inspect", path(capture), "--json"});
        EXPECT_EQ(result.code, 0) << result.errors;
        return nlohmann::json::parse(result.output).at("packets").get<std::size_t>();
    }

    std::string labels_, training_output_;
};

TEST_F(Ssm, TrainsAndLeavesNoCheckpointsBehind) {
    EXPECT_NE(training_output_.find("in 8 steps"), std::string::npos) << training_output_;
    EXPECT_FALSE(std::filesystem::exists(path("model.checkpoints")));
    for (const char* file : {"config.json", "tokenizer.json", "model.safetensors", "training.json"})
        EXPECT_TRUE(std::filesystem::exists(folder_ / "model" / "model" / file)) << file;
    const ProcessResult tuned = train("tuned", R"({"steps":2,"from":")" + path("model") + R"("})");
    EXPECT_EQ(tuned.code, 0) << tuned.errors;
}

TEST_F(Ssm, GeneratesUpToAnyLimit) {
    ProcessResult result = generate({"--packets", "300", "--one-trace", "-o", path("one.pcap")});
    ASSERT_EQ(result.code, 0) << result.errors;
    EXPECT_NE(result.errors.find("300 packets in 1 samples"), std::string::npos) << result.errors;
    EXPECT_NE(result.errors.find("first choices were illegal"), std::string::npos) << result.errors;
    EXPECT_EQ(packets_of("one.pcap"), 300U);
    ASSERT_EQ(generate({"--max-packets", "2", "--samples", "3", "-o", path("short.pcap")}).code, 0);
    EXPECT_LE(packets_of("short.pcap"), 6U);
    ASSERT_EQ(generate({"--max-seconds", "0.5", "-o", path("brief.pcap"), "--temperature", "0.8"}).code, 0);
    ASSERT_EQ(
        generate({"--max-tokens", "200", "--one-trace", "-o", path("tokens.pcap"), "--top-p", "0.9"}).code,
        0);
}

TEST_F(Ssm, SaysWhatCannotBe) {
    ProcessResult result = generate({"--one-trace", "-o", path("x.pcap")});
    EXPECT_EQ(result.code, 2);
    EXPECT_NE(result.errors.find("limit packets, tokens or seconds"), std::string::npos) << result.errors;
    result = generate({"--temperature", "-1", "-o", path("x.pcap")});
    EXPECT_EQ(result.code, 2);
    EXPECT_NE(result.errors.find("/temperature"), std::string::npos) << result.errors;
    EXPECT_FALSE(std::filesystem::exists(path("x.pcap")));

    ASSERT_EQ(tracebench(
                  {"train", "-g", "resample", "--data", lab().string(), "--labels", labels_, "-o", path("r")})
                  .code,
              0);
    result = tracebench({"generate", "-m", path("r"), "--label", "dns", "--packets", "9", "--one-trace", "-o",
                         path("x.pcap")});
    EXPECT_EQ(result.code, 2);
    EXPECT_NE(result.errors.find("makes whole sessions only"), std::string::npos) << result.errors;
    result =
        tracebench({"generate", "-m", path("r"), "--label", "dns", "--top-k", "3", "-o", path("x.pcap")});
    EXPECT_EQ(result.code, 2);
    EXPECT_NE(result.errors.find("unknown setting 'top_k'"), std::string::npos) << result.errors;
}

}  // namespace
}  // namespace tracebench::test
