// tracebench privacy as a user runs it.

#include <set>

#include "cli.h"

namespace tracebench::test {
namespace {

/// Train: six sessions of two classes; held-out: six others.
class Privacy : public CliTest {
  protected:
    void SetUp() override {
        CliTest::SetUp();
        for (int i = 1; i <= 6; ++i) {
            for (const char* label : {"ssh", "dns"}) {
                const std::string name = label + std::string("-0") + std::to_string(i) + ".pcap";
                const std::filesystem::path side = folder_ / (i <= 3 ? "train" : "heldout");
                std::filesystem::create_directories(side);
                std::filesystem::copy(lab() / label / name, side / name);
            }
        }
    }
};

TEST_F(Privacy, CopiesAreToldFromOthers) {
    const ProcessResult copied = tracebench({"privacy", "--train", path("train"), "--synthetic",
                                             path("train"), "--heldout", path("heldout"), "--json"});
    ASSERT_EQ(copied.code, 0) << copied.errors;
    const auto document = nlohmann::json::parse(copied.output);
    for (const auto& verdict : document.at("verdicts"))
        EXPECT_EQ(verdict.at("level"), verdict.at("area") == "model" ? "unknown" : "high") << verdict;
    std::set<std::string> metrics;
    for (const auto& value : document.at("values")) {
        metrics.insert(value.at("metric"));
        EXPECT_EQ(value.at("value").is_null(), value.at("status") == "skipped") << value;
        if (value.at("metric") == "privacy.copy_rate") {
            EXPECT_EQ(value.at("value"), 1);
            EXPECT_LT(value.at("floor"), 1);
        }
    }
    for (const char* metric : {"privacy.copy_rate", "privacy.extracted_flows", "privacy.nndr",
                               "privacy.membership_auc", "privacy.leaked_identifiers"})
        EXPECT_TRUE(metrics.contains(metric)) << metric;
    const ProcessResult again = tracebench({"privacy", "--train", path("train"), "--synthetic", path("train"),
                                            "--heldout", path("heldout"), "--json"});
    EXPECT_EQ(again.output, copied.output);
}

TEST_F(Privacy, WithoutHeldOutSamplesNothingIsKnownOfWhatIsNatural) {
    const ProcessResult result =
        tracebench({"privacy", "--train", path("train"), "--synthetic", path("heldout")});
    ASSERT_EQ(result.code, 0) << result.errors;
    EXPECT_NE(result.output.find("unknown"), std::string::npos) << result.output;
    EXPECT_NE(result.output.find("--heldout"), std::string::npos) << result.output;
    EXPECT_EQ(result.output.find("nan"), std::string::npos) << result.output;
}

TEST_F(Privacy, WantsCaptures) {
    const ProcessResult result =
        tracebench({"privacy", "--train", path("nowhere"), "--synthetic", path("train")});
    EXPECT_EQ(result.code, 2);
    EXPECT_NE(result.errors.find("nowhere"), std::string::npos) << result.errors;
}

}  // namespace
}  // namespace tracebench::test
