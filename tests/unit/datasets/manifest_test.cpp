#include "datasets/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/file.h"

namespace tracebench {
namespace {
namespace fs = std::filesystem;
using nlohmann::json;

class ManifestTest : public testing::Test {
  protected:
    void SetUp() override {
        folder_ = fs::temp_directory_path() /
                  (std::string("tracebench-manifest-") + testing::UnitTest::GetInstance()->current_test_info()->name());
        fs::remove_all(folder_);
        fs::create_directories(folder_ / "captures");
        write_file(folder_ / "labels.csv", "file,label\n");
    }
    void TearDown() override { fs::remove_all(folder_); }

    json good() const {
        return {{"name", "n"},
                {"datasets", {{{"name", "d"}, {"folder", "captures"}, {"labels", "labels.csv"}}}},
                {"generators", {{{"name", "markov"}}}}};
    }
    Manifest load(const json& content) const {
        write_file(folder_ / "m.json", content.dump(1));
        return load_manifest(folder_ / "m.json");
    }
    std::string failure(const json& content) const {
        try {
            load(content);
        } catch (const InputError& error) {
            return error.what();
        }
        return "";
    }
    fs::path folder_;
};

TEST_F(ManifestTest, FillsInDefaults) {
    const Manifest manifest = load(good());
    EXPECT_EQ(manifest.generators[0].kind, "markov");
    EXPECT_EQ(manifest.datasets[0].source.folder, folder_ / "captures");
    EXPECT_EQ(manifest.datasets[0].train_fraction, 0.5);
    EXPECT_THAT(manifest.seeds, testing::ElementsAre(1, 2, 3));
    EXPECT_EQ(manifest.bootstrap, 200u);
    EXPECT_TRUE(manifest.classifiers.models.empty());
}

TEST_F(ManifestTest, TakesPathsInSettingsFromItsOwnFolder) {
    json document = good();
    document["generators"] = {{{"name", "captures"}, {"settings", {{"folder", "captures"}, {"from", "x"}}}},
                              {{"name", "tuned"}, {"kind", "ssm"}, {"settings", {{"from", "models/a"}}}}};
    const Manifest manifest = load(document);
    EXPECT_EQ(manifest.generators[0].settings["folder"], (folder_ / "captures").string());
    EXPECT_EQ(manifest.generators[0].settings["from"], "x");
    EXPECT_EQ(manifest.generators[1].settings["from"], (folder_ / "models" / "a").string());
}

TEST_F(ManifestTest, HashIgnoresLayoutButNotContent) {
    const Manifest first = load(good());
    write_file(folder_ / "m.json", good().dump());
    EXPECT_EQ(load_manifest(folder_ / "m.json").sha256, first.sha256);
    json changed = good();
    changed["seeds"] = {4};
    EXPECT_NE(load(changed).sha256, first.sha256);
}

TEST_F(ManifestTest, ErrorsNameTheirPlace) {
    json wrong = good();
    wrong["generatorz"] = 1;
    EXPECT_THAT(failure(wrong), testing::AllOf(testing::HasSubstr("/generatorz"), testing::HasSubstr("'generators'")));
    wrong = good();
    wrong["datasets"][0]["split"] = {{"train", 1.5}};
    EXPECT_THAT(failure(wrong), testing::HasSubstr("/datasets/0/split/train"));
    wrong = good();
    wrong["datasets"][0]["folder"] = "elsewhere";
    EXPECT_THAT(failure(wrong), testing::HasSubstr("/datasets/0/folder"));
    wrong = good();
    wrong["seeds"] = {1, 1};
    EXPECT_THAT(failure(wrong), testing::HasSubstr("/seeds"));
    wrong = good();
    wrong.erase("generators");
    EXPECT_THAT(failure(wrong), testing::HasSubstr("generators"));
    wrong = good();
    wrong["generators"].push_back({{"name", "markov"}});
    EXPECT_THAT(failure(wrong), testing::HasSubstr("/generators/1/name"));
    wrong = good();
    wrong["classifiers"] = {{"mixing", {2}}};
    EXPECT_THAT(failure(wrong), testing::HasSubstr("/classifiers/mixing/0"));
}

TEST_F(ManifestTest, ShippedManifestsAreValid) {
    EXPECT_EQ(load_manifest(fs::path(TRACEBENCH_SOURCE_DIR) / "datasets" / "lab.json").name, "lab");
    EXPECT_EQ(load_manifest(fs::path(TRACEBENCH_SOURCE_DIR) / "ci" / "gate.json").name, "gate");
}

}  // namespace
}  // namespace tracebench
