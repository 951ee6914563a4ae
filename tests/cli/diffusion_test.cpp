// Generator diffusion from the command line: train, adapt to a new class, generate in its ways.

#include "cli.h"

namespace tracebench::test {
namespace {

class Diffusion : public CliTest {
  protected:
    void SetUp() override {
        CliTest::SetUp();
        labels_ = write("labels.csv",
                        "file,label\ndns/dns-01.pcap,dns\ndns/dns-06.pcap,dns\nssh/ssh-17.pcap,ssh\n");
        const ProcessResult result =
            train("model", labels_,
                  R"({"preset":"tiny","steps":4,"autoencoder_steps":4,"control":"class",)"
                  R"("control_steps":2,"validation":0})");
        if (result.errors.find("needs LibTorch") != std::string::npos)
            GTEST_SKIP() << "built without LibTorch";
        ASSERT_EQ(result.code, 0) << result.errors;
        training_output_ = result.errors;
    }
    ProcessResult train(const std::string& model, const std::string& labels,
                        const std::string& settings) const {
        return tracebench({"train", "-g", "diffusion", "--data", lab().string(), "--labels", labels, "-o",
                           path(model), "--config", settings});
    }
    ProcessResult generate(const std::string& label, std::vector<std::string> more) const {
        std::vector<std::string> arguments = {"generate", "-m", path("model"), "--label", label};
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

TEST_F(Diffusion, TrainsInStagesAndLeavesNoCheckpointsBehind) {
    for (const char* line : {"autoencoder: 4 steps", "denoiser: 4 steps", "control: 2 steps"})
        EXPECT_NE(training_output_.find(line), std::string::npos) << training_output_;
    EXPECT_FALSE(std::filesystem::exists(path("model.checkpoints")));
    for (const char* file : {"config.json", "classes.json", "autoencoder.safetensors", "denoiser.safetensors",
                             "denoiser_averaged.safetensors", "control.safetensors", "training.json"})
        EXPECT_TRUE(std::filesystem::exists(folder_ / "model" / "model" / file)) << file;
}

TEST_F(Diffusion, GeneratesAsAsked) {
    ProcessResult result =
        generate("dns", {"--packets", "30", "--sampling-steps", "2", "-o", path("some.pcap")});
    ASSERT_EQ(result.code, 0) << result.errors;
    EXPECT_EQ(packets_of("some.pcap"), 30U);
    EXPECT_NE(result.errors.find("repair altered"), std::string::npos) << result.errors;
    const ProcessResult checked = tracebench({"inspect", path("some.pcap"), "--json"});
    EXPECT_EQ(checked.code, 0) << checked.errors;
    result = generate("ssh", {"--max-packets", "5", "--sampling-steps", "2", "--sampler", "ddim",
                              "--guidance", "2", "--control", "off", "-o", path("short.pcap")});
    ASSERT_EQ(result.code, 0) << result.errors;
    EXPECT_LE(packets_of("short.pcap"), 5U);
    result = generate("ssh", {"--unconstrained", "--max-packets", "5", "--sampling-steps", "2", "--control",
                              "0", "--control-strength", "0.5", "-o", path("bare.pcap")});
    ASSERT_EQ(result.code, 0) << result.errors;
    EXPECT_EQ(result.errors.find("repair altered"), std::string::npos) << result.errors;
}

TEST_F(Diffusion, AdaptsToAClassAndRefusesAnAdapterOfAnotherBase) {
    const std::string rtp = write("rtp.csv", "file,label\ndns/dns-02.pcap,more\n");
    const std::string from =
        R"({"preset":"tiny","steps":2,"lora":2,"validation":0,"from":")" + path("model") + R"("})";
    ProcessResult result = train("tuned", rtp, from);
    ASSERT_EQ(result.code, 0) << result.errors;
    const std::filesystem::path adapter = folder_ / "tuned/model/adapter.safetensors";
    ASSERT_TRUE(std::filesystem::exists(adapter));
    std::filesystem::copy(adapter, folder_ / "model/model/adapter.safetensors");
    result = generate("more", {"--sampling-steps", "2", "--control", "off", "-o", path("more.pcap")});
    EXPECT_EQ(result.code, 0) << result.errors;

    ASSERT_EQ(
        train("other", labels_, R"({"preset":"tiny","steps":2,"autoencoder_steps":2,"validation":0})").code,
        0);
    std::filesystem::copy(adapter, folder_ / "other/model/adapter.safetensors");
    result = tracebench({"generate", "-m", path("other"), "--label", "dns", "-o", path("x.pcap")});
    EXPECT_EQ(result.code, 2);
    EXPECT_NE(result.errors.find("is an adapter for another base"), std::string::npos) << result.errors;
}

TEST_F(Diffusion, SaysWhatCannotBe) {
    ProcessResult result = generate("dns", {"--guidance", "-1", "-o", path("x.pcap")});
    EXPECT_EQ(result.code, 2);
    EXPECT_NE(result.errors.find("/guidance"), std::string::npos) << result.errors;
    result = generate("dns", {"--control", "some", "-o", path("x.pcap")});
    EXPECT_EQ(result.code, 2);
    EXPECT_NE(result.errors.find("/control"), std::string::npos) << result.errors;
    result = generate("dns", {"--packets", "9", "--one-trace", "-o", path("x.pcap")});
    EXPECT_EQ(result.code, 2);
    EXPECT_NE(result.errors.find("makes whole sessions only"), std::string::npos) << result.errors;
    EXPECT_FALSE(std::filesystem::exists(path("x.pcap")));
}

}  // namespace
}  // namespace tracebench::test
