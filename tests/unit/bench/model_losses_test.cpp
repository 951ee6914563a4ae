#include "bench/model_losses.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"

namespace tracebench {
namespace {
namespace fs = std::filesystem;

/// Tells the losses that it is given, in turn.
struct Telling : Generator {
    std::optional<std::vector<double>> told;

    std::string kind() const override { return "telling"; }
    void fit(const Samples&, const FitContext&) override {}
    void sample(const SampleRequest&, Progress&, const Sink&) override {}
    std::optional<std::vector<double>> losses(const Samples& samples, Progress&) override {
        if (!told) return std::nullopt;
        return std::vector<double>(told->begin(),
                                   told->begin() + static_cast<std::ptrdiff_t>(samples.size()));
    }
    void save(const fs::path&) const override {}
    void load(const fs::path&) override {}
    nlohmann::json describe() const override { return nullptr; }
    std::vector<std::string> labels() const override { return {}; }
};

class ModelLossesTest : public testing::Test {
  protected:
    void SetUp() override {
        folder_ = fs::temp_directory_path() / ("tracebench-losses-" + std::to_string(::getpid()) +
                                               testing::UnitTest::GetInstance()->current_test_info()->name());
        fs::create_directories(folder_);
    }
    void TearDown() override { fs::remove_all(folder_); }

    fs::path folder_;
};

TEST_F(ModelLossesTest, ComeBackAsTheyWereTold) {
    const std::vector<LabelledTrace> train = {{"a,\"b\"", "x", {}}, {"c", "x", {}}, {"d", "x", {}}},
                                     heldout = {{"e", "x", {}}};
    Telling generator;
    generator.told = {0.1, std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()};
    Progress progress;
    write_losses(generator, train, heldout, folder_, progress);
    const auto losses = read_losses(folder_);
    ASSERT_TRUE(losses);
    ASSERT_EQ(losses->train.size(), 3U);
    EXPECT_EQ(losses->train[0], 0.1);
    EXPECT_TRUE(std::isinf(losses->train[1]));
    EXPECT_TRUE(std::isnan(losses->train[2]));
    EXPECT_EQ(losses->heldout, std::vector<double>{0.1});
}

TEST_F(ModelLossesTest, AreAbsentWhereTheGeneratorHasNone) {
    Telling generator;
    Progress progress;
    write_losses(generator, {{"a", "x", {}}}, {}, folder_, progress);
    EXPECT_FALSE(read_losses(folder_));
}

TEST_F(ModelLossesTest, DamageIsAnError) {
    for (const char* row : {"train,a,1.5x", "train,a,", "other,a,1"}) {
        write_file(folder_ / "losses.csv", std::string("set,sample,loss\r\n") + row + "\r\n");
        EXPECT_THROW(read_losses(folder_), InputError) << row;
    }
}

}  // namespace
}  // namespace tracebench
