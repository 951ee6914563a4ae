#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "base/error.h"
#include "base/file.h"
#include "base/random.h"
#include "classifiers/model.h"
#include "classifiers/preparation.h"

namespace tracebench {
namespace {

struct Data {
    std::size_t columns = 0;
    std::vector<float> values;
    std::vector<int> classes;
    MatrixView view() const { return {values, columns}; }
};

/// Three clouds in the first two columns; the others are noise, one is constant, and some values are absent.
Data blobs(std::size_t count, std::uint64_t seed) {
    constexpr double centres[3][2] = {{0, 0}, {6, 0}, {0, 6}};
    Random random(seed);
    Data data;
    data.columns = 6;
    for (std::size_t i = 0; i < count; ++i) {
        const auto c = static_cast<int>(i % 3);
        data.classes.push_back(c);
        data.values.push_back(static_cast<float>(centres[c][0] + random.normal()));
        data.values.push_back(static_cast<float>(centres[c][1] + random.normal()));
        data.values.push_back(static_cast<float>(random.normal()));
        data.values.push_back(random.chance(0.2) ? std::numeric_limits<float>::quiet_NaN()
                                                 : static_cast<float>(random.normal()));
        data.values.push_back(7);
        data.values.push_back(data.values[data.values.size() - 5]);  // a copy of the first column
    }
    return data;
}

double accuracy(const std::vector<int>& predicted, const std::vector<int>& truth) {
    double right = 0;
    for (std::size_t i = 0; i < truth.size(); ++i) right += predicted[i] == truth[i];
    return right / static_cast<double>(truth.size());
}

class EveryModel : public testing::TestWithParam<std::string> {};

TEST_P(EveryModel, SeparatesClouds) {
    const Data train = blobs(120, 1), test = blobs(90, 2);
    const auto model = make_classifier(GetParam());
    model->fit(train.view(), train.classes, 3, 1);
    EXPECT_GE(accuracy(model->predict(test.view()), test.classes), 0.95);
}

TEST_P(EveryModel, SameSeedSamePredictions) {
    // Noisy labels, so that chance could show.
    Data train = blobs(90, 3);
    Random random(9);
    for (int& c : train.classes)
        if (random.chance(0.3)) c = static_cast<int>(random.below(3));
    const Data test = blobs(300, 4);
    std::vector<int> first;
    for (int repeat = 0; repeat < 2; ++repeat) {
        const auto model = make_classifier(GetParam());
        model->fit(train.view(), train.classes, 3, 42);
        const std::vector<int> predicted = model->predict(test.view());
        if (repeat == 0) first = predicted;
        EXPECT_EQ(predicted, first);
    }
}

TEST_P(EveryModel, ClassesWithoutSamplesAreNeverPredicted) {
    Data train = blobs(60, 5);
    for (int& c : train.classes) c = 2 * c + 1;  // 1, 3, 5 of 7
    const auto model = make_classifier(GetParam());
    model->fit(train.view(), train.classes, 7, 1);
    EXPECT_GE(accuracy(model->predict(train.view()), train.classes), 0.95);
}

TEST_P(EveryModel, OneClassOrNoInformationPredictsTheCommonest) {
    const auto model = make_classifier(GetParam());
    const Data train = blobs(6, 6);
    model->fit(train.view(), std::vector<int>(6, 2), 4, 1);
    EXPECT_EQ(model->predict(train.view()), std::vector<int>(6, 2));
    const std::vector<float> constant(10, 3.0F);
    model->fit({constant, 2}, std::vector<int>{0, 1, 1, 0, 1}, 2, 1);
    EXPECT_EQ(model->predict({constant, 2}), std::vector<int>(5, 1));
}

TEST_P(EveryModel, TwoSamplesAndExtremeValuesAreEnough) {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    const std::vector<float> train{-infinity, 1, infinity, 2};
    const auto model = make_classifier(GetParam());
    model->fit({train, 2}, std::vector<int>{0, 1}, 2, 1);
    EXPECT_EQ(model->predict({train, 2}).size(), 2U);
    const std::vector<float> absent(2, std::numeric_limits<float>::quiet_NaN());
    EXPECT_EQ(model->predict({absent, 2}).size(), 1U);
    EXPECT_TRUE(model->predict({{}, 2}).empty());
}

TEST_P(EveryModel, ShapesThatDisagreeAreRefused) {
    const auto model = make_classifier(GetParam());
    const std::vector<float> values(6, 1.0F);
    EXPECT_THROW(model->predict({values, 2}), std::invalid_argument);  // not fitted
    EXPECT_THROW(model->fit({values, 2}, std::vector<int>{0, 1}, 2, 1), std::invalid_argument);
    EXPECT_THROW(model->fit({values, 2}, std::vector<int>{0, 1, 2}, 2, 1), std::invalid_argument);
    EXPECT_THROW(model->fit({{}, 2}, {}, 2, 1), std::invalid_argument);
    model->fit({values, 2}, std::vector<int>{0, 1, 1}, 2, 1);
    EXPECT_THROW(model->predict({values, 3}), std::invalid_argument);
}

INSTANTIATE_TEST_SUITE_P(Models, EveryModel, testing::ValuesIn(classifier_names()),
                         [](const auto& model) { return model.param; });

class TreeModels : public testing::TestWithParam<std::string> {};

TEST_P(TreeModels, LearnColumnsThatMatterOnlyTogether) {
    Random random(11);
    Data train;
    train.columns = 3;
    for (int i = 0; i < 300; ++i) {
        const bool a = random.chance(0.5), b = random.chance(0.5);
        for (const bool bit : {a, b, random.chance(0.5)}) train.values.push_back(bit ? 1.0F : -1.0F);
        train.classes.push_back(a != b);
    }
    const auto model = make_classifier(GetParam());
    model->fit(train.view(), train.classes, 2, 1);
    EXPECT_GE(accuracy(model->predict(train.view()), train.classes), 0.99);
}

INSTANTIATE_TEST_SUITE_P(Models, TreeModels, testing::Values("xgboost", "forest", "tree"),
                         [](const auto& model) { return model.param; });

TEST(Forest, SeedsGiveDifferentForests) {
    Data train = blobs(90, 3);
    Random random(9);
    for (int& c : train.classes) c = static_cast<int>(random.below(3));
    const Data test = blobs(300, 4);
    const auto predict = [&](std::uint64_t seed) {
        const auto model = make_classifier("forest");
        model->fit(train.view(), train.classes, 3, seed);
        return model->predict(test.view());
    };
    EXPECT_NE(predict(1), predict(2));
}

TEST(Svm, EqualsScikitLearns) {
    const auto golden =
        nlohmann::json::parse(read_file(TRACEBENCH_SOURCE_DIR "/tests/golden/classifiers/expected.json"))
            .at("svm");
    const auto train = golden.at("train").get<std::vector<float>>();
    const auto test = golden.at("test").get<std::vector<float>>();
    const auto model = make_classifier("svm");
    model->fit({train, 4}, golden.at("classes").get<std::vector<int>>(), 3, 1);
    EXPECT_EQ(model->predict({test, 4}), golden.at("predicted").get<std::vector<int>>());
}

TEST(Registry, UnknownModelIsRefusedWithTheOnesThereAre) {
    try {
        make_classifier("xgbost");
        FAIL();
    } catch (const InputError& error) {
        EXPECT_NE(std::string(error.what()).find("xgboost"), std::string::npos);
        EXPECT_NE(std::string(error.what()).find("forest"), std::string::npos);
    }
}

TEST(Registry, MlpIsThereOrRefusedBecauseOfLibTorch) {
    const std::vector<std::string> names = classifier_names();
    if (std::find(names.begin(), names.end(), "mlp") != names.end()) {
        EXPECT_NE(make_classifier("mlp"), nullptr);
        return;
    }
    try {
        make_classifier("mlp");
        FAIL();
    } catch (const InputError& error) {
        EXPECT_NE(std::string(error.what()).find("LibTorch"), std::string::npos);
    }
}

/// Records what a learner is given.
class Spy : public Classifier {
  public:
    struct Seen {
        std::vector<float> values;
        std::size_t columns = 0;
        std::vector<int> classes;
        int class_count = 0;
    };
    explicit Spy(Seen& seen) : seen_(seen) {}
    void fit(MatrixView features, std::span<const int> classes, int class_count, std::uint64_t) override {
        seen_ = {{features.values.begin(), features.values.end()},
                 features.columns,
                 {classes.begin(), classes.end()},
                 class_count};
    }
    std::vector<int> predict(MatrixView features) const override {
        return std::vector<int>(features.rows(), 1);
    }

  private:
    Seen& seen_;
};

TEST(Preparation, DropsConstantAndRepeatedColumnsAndRenumbersClasses) {
    constexpr float nan = std::numeric_limits<float>::quiet_NaN();
    Spy::Seen seen;
    const auto model = prepared(std::make_unique<Spy>(seen));
    // Constant, kept, all absent, a copy of the second (zeros of either sign), kept.
    const std::vector<float> values{5, 0, nan, -0.0F, nan,  //
                                    5, 1, nan, 1,     2};
    model->fit({values, 5}, std::vector<int>{3, 8}, 9, 1);
    EXPECT_EQ(seen.columns, 2U);
    EXPECT_EQ(seen.values[0], 0);
    EXPECT_TRUE(seen.values[1] != seen.values[1]);
    EXPECT_EQ(seen.values[3], 2);
    EXPECT_EQ(seen.classes, (std::vector<int>{0, 1}));
    EXPECT_EQ(seen.class_count, 2);
    EXPECT_EQ(model->predict({values, 5}), (std::vector<int>{8, 8}));
}

TEST(Preparation, StandardisesAfterAsinhAndFillsInTheMean) {
    Spy::Seen seen;
    const auto model = standardised(std::make_unique<Spy>(seen));
    const std::vector<float> values{static_cast<float>(std::sinh(1.0)),
                                    std::numeric_limits<float>::quiet_NaN(),
                                    static_cast<float>(std::sinh(5.0))};
    model->fit({values, 1}, std::vector<int>{0, 1, 1}, 2, 1);
    EXPECT_NEAR(seen.values[0], -1, 1e-6);  // 1 and 5 have mean 3 and standard deviation 2
    EXPECT_EQ(seen.values[1], 0);
    EXPECT_NEAR(seen.values[2], 1, 1e-6);
}

}  // namespace
}  // namespace tracebench
