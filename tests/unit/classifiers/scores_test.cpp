#include "classifiers/scores.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/file.h"

namespace tracebench {
namespace {

TEST(Scores, MatchHandComputedValues) {
    // True a: 3 right, 1 taken for b. True b: 2 right, 2 taken for a. True c: none; predicted once for b's.
    const Scores scores = score({{3, 1, 0}, {2, 2, 1}, {0, 0, 0}});
    EXPECT_DOUBLE_EQ(scores.accuracy, 5.0 / 9);
    EXPECT_DOUBLE_EQ(scores.precision[0], 3.0 / 5);
    EXPECT_DOUBLE_EQ(scores.recall[0], 3.0 / 4);
    EXPECT_DOUBLE_EQ(scores.f1[0], 2.0 / 3);
    EXPECT_DOUBLE_EQ(scores.f1[1], 2 * 2.0 / (5 + 3));
    EXPECT_EQ(scores.f1[2], 0);
    EXPECT_DOUBLE_EQ(scores.macro_f1, (2.0 / 3 + 0.5 + 0) / 3);  // c counts: it is predicted
    EXPECT_EQ(scores.support, (std::vector<std::size_t>{4, 5, 0}));
}

TEST(Scores, EmptyAndUntestedClassesAreZeroAndDoNotCount) {
    EXPECT_EQ(score({}).accuracy, 0);
    EXPECT_EQ(score({{0, 0}, {0, 0}}).macro_f1, 0);
    const Scores scores = score({{4, 0}, {0, 0}});
    EXPECT_EQ(scores.macro_f1, 1);
    EXPECT_EQ(scores.f1[1], 0);
}

TEST(Scores, EqualScikitLearns) {
    const auto golden =
        nlohmann::json::parse(read_file(TRACEBENCH_SOURCE_DIR "/tests/golden/classifiers/expected.json"));
    ASSERT_EQ(golden.at("scores").size(), 4U);
    for (const auto& expected : golden.at("scores")) {
        const Scores scores = score(expected.at("confusion").get<ConfusionMatrix>());
        EXPECT_NEAR(scores.accuracy, expected.at("accuracy"), 1e-12);
        EXPECT_NEAR(scores.macro_f1, expected.at("macro_f1"), 1e-12);
        for (std::size_t c = 0; c < scores.f1.size(); ++c) {
            EXPECT_NEAR(scores.precision[c], expected.at("precision")[c], 1e-12);
            EXPECT_NEAR(scores.recall[c], expected.at("recall")[c], 1e-12);
            EXPECT_NEAR(scores.f1[c], expected.at("f1")[c], 1e-12);
            EXPECT_EQ(scores.support[c], expected.at("support")[c]);
        }
    }
}

}  // namespace
}  // namespace tracebench
