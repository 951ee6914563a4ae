#include "classifiers/evaluation.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/random.h"

namespace tracebench {
namespace {

/// Rows of one column each, all of a label and in sessions of their own.
void add(FeatureTable& table, const std::string& label, const std::vector<float>& values) {
    table.columns = {"x"};
    for (const float value : values) {
        table.values.push_back(value);
        table.labels.push_back(label);
        table.sessions.push_back("session-" + std::to_string(table.sessions.size()));
    }
}

FeatureTable two_classes(float a, float b, std::size_t count = 4) {
    FeatureTable table;
    add(table, "a", std::vector<float>(count, a));
    add(table, "b", std::vector<float>(count, b));
    return table;
}

EvaluationRequest request(Protocol protocol, double ratio = 1) {
    EvaluationRequest wanted;
    wanted.model = "tree";
    wanted.protocol = protocol;
    wanted.mixing_ratio = ratio;
    return wanted;
}

TEST(Evaluation, EachProtocolTrainsAndTestsOnItsOwnSets) {
    // Real: a at 0, b at 10. Synthetic: the labels are swapped. Held-out is as real.
    const FeatureTable train = two_classes(0, 10, 4), heldout = two_classes(1, 9, 3),
                       synthetic = two_classes(10, 0, 5);
    const EvaluationResult trtr = evaluate(train, heldout, synthetic, request(Protocol::trtr));
    EXPECT_EQ(trtr.accuracy, 1);
    EXPECT_EQ(trtr.n_train, 8U);
    EXPECT_EQ(trtr.n_test, 6U);
    const EvaluationResult tstr = evaluate(train, heldout, synthetic, request(Protocol::tstr));
    EXPECT_EQ(tstr.accuracy, 0);
    EXPECT_EQ(tstr.n_train, 10U);
    EXPECT_EQ(tstr.n_test, 6U);
    const EvaluationResult trts = evaluate(train, heldout, synthetic, request(Protocol::trts));
    EXPECT_EQ(trts.accuracy, 0);
    EXPECT_EQ(trts.n_train, 8U);
    EXPECT_EQ(trts.n_test, 10U);
    const EvaluationResult aug = evaluate(train, heldout, synthetic, request(Protocol::aug, 0.5));
    EXPECT_EQ(aug.accuracy, 1);  // 4 real against 2 swapped
    EXPECT_EQ(aug.n_train, 12U);
    EXPECT_EQ(aug.n_test, 6U);
}

TEST(Evaluation, TablesThatAProtocolDoesNotUseMayBeEmpty) {
    const FeatureTable real = two_classes(0, 10), synthetic = two_classes(0, 10);
    EXPECT_EQ(evaluate(real, real, {}, request(Protocol::trtr)).accuracy, 1);
    EXPECT_EQ(evaluate({}, real, synthetic, request(Protocol::tstr)).accuracy, 1);
    EXPECT_EQ(evaluate(real, {}, synthetic, request(Protocol::trts)).accuracy, 1);
    EXPECT_EQ(evaluate(real, real, {}, request(Protocol::aug, 0)).accuracy, 1);
}

TEST(Evaluation, AugmentationKeepsClassSharesAndDrawsNestedSets) {
    FeatureTable train, heldout = two_classes(0, 10), synthetic;
    add(train, "a", std::vector<float>(8, 0));
    add(train, "b", std::vector<float>(3, 10));
    add(synthetic, "b", {10, 10, 10, 10, 10});
    add(synthetic, "a", std::vector<float>(20, 0));
    add(synthetic, "c", {5, 5});  // a label the real set does not have adds nothing
    std::vector<std::size_t> sizes;
    for (const double ratio : {0.0, 0.25, 0.5, 1.0}) {
        const EvaluationResult result = evaluate(train, heldout, synthetic, request(Protocol::aug, ratio));
        sizes.push_back(result.n_train);
        EXPECT_EQ(result.labels, (std::vector<std::string>{"a", "b"}));
        EXPECT_TRUE(result.warnings.empty());
    }
    EXPECT_EQ(sizes, (std::vector<std::size_t>{11, 11 + 2 + 1, 11 + 4 + 2, 22}));
}

TEST(Evaluation, TooFewSyntheticSamplesAreAllUsedAndToldOf) {
    const EvaluationResult result =
        evaluate(two_classes(0, 10, 4), two_classes(0, 10), two_classes(0, 10, 3), request(Protocol::aug, 1));
    EXPECT_EQ(result.n_train, 8U + 6U);
    ASSERT_EQ(result.warnings.size(), 2U);
    EXPECT_EQ(result.warnings[0], "class 'a': 3 synthetic samples of 4 wanted");
}

TEST(Evaluation, LabelsAreThoseOfBothSetsAndOneSidedOnesAreToldOf) {
    FeatureTable train = two_classes(0, 10), test;
    add(train, "only trained", {20, 20});
    add(test, "a", {0, 0, 0});
    add(test, "b", {10});
    add(test, "only tested", {0});
    const EvaluationResult result = evaluate(train, test, {}, request(Protocol::trtr));
    EXPECT_EQ(result.labels, (std::vector<std::string>{"a", "b", "only tested", "only trained"}));
    EXPECT_EQ(result.confusion[2][0], 1U);
    EXPECT_DOUBLE_EQ(result.accuracy, 4.0 / 5);
    EXPECT_DOUBLE_EQ(result.macro_f1,
                     (6.0 / 7 + 1 + 0) / 3);  // "only trained" is not predicted: it does not count
    EXPECT_EQ(result.warnings.size(), 2U);
}

TEST(Evaluation, ResamplesWholeSessions) {
    // Two test sessions, one all right and one all wrong: a resample has accuracy 0, 1 or their mix by size.
    FeatureTable test;
    add(test, "a", {0, 0, 0});
    add(test, "b", {0});
    test.sessions = {"right", "right", "right", "wrong"};
    EvaluationRequest wanted = request(Protocol::trtr);
    wanted.bootstrap = 400;
    const EvaluationResult result = evaluate(two_classes(0, 10), test, {}, wanted);
    EXPECT_EQ(result.accuracy, 0.75);
    ASSERT_EQ(result.accuracy_replicates.size(), 400U);
    ASSERT_EQ(result.f1_replicates.size(), 400U);
    std::size_t mixed = 0;
    for (const double accuracy : result.accuracy_replicates) {
        EXPECT_TRUE(accuracy == 0 || accuracy == 1 || accuracy == 0.75) << accuracy;
        mixed += accuracy == 0.75;
    }
    EXPECT_NEAR(static_cast<double>(mixed) / 400, 0.5, 0.1);

    const EvaluationResult again = evaluate(two_classes(0, 10), test, {}, wanted);
    EXPECT_EQ(again.accuracy_replicates, result.accuracy_replicates);
    test.sessions.assign(4, "one");
    EXPECT_TRUE(evaluate(two_classes(0, 10), test, {}, wanted).accuracy_replicates.empty());
}

TEST(Evaluation, IntervalIsBetweenThePercentiles) {
    std::vector<double> replicates;
    for (int i = 200; i >= 0; --i) replicates.push_back(i);
    const auto interval = interval95(replicates);
    ASSERT_TRUE(interval);
    EXPECT_DOUBLE_EQ(interval->first, 5);
    EXPECT_DOUBLE_EQ(interval->second, 195);
    EXPECT_FALSE(interval95({}));
}

TEST(Evaluation, BadInputIsRefused) {
    const FeatureTable good = two_classes(0, 10);
    FeatureTable one;
    add(one, "a", {1, 2});
    FeatureTable other = good;
    other.columns = {"y"};
    EXPECT_THROW(evaluate(one, good, {}, request(Protocol::trtr)), InputError);
    EXPECT_THROW(evaluate({}, good, {}, request(Protocol::trtr)), InputError);
    EXPECT_THROW(evaluate(good, {}, {}, request(Protocol::trtr)), InputError);
    EXPECT_THROW(evaluate(good, good, {}, request(Protocol::tstr)), InputError);
    EXPECT_THROW(evaluate(good, other, {}, request(Protocol::trtr)), InputError);
    EXPECT_THROW(evaluate(good, good, good, request(Protocol::aug, 1.5)), InputError);
    EvaluationRequest unknown = request(Protocol::trtr);
    unknown.model = "oracle";
    EXPECT_THROW(evaluate(good, good, {}, unknown), InputError);
}

TEST(Evaluation, JsonHasWhatTheInterfaceNames) {
    const nlohmann::json json =
        to_json(evaluate(two_classes(0, 10), two_classes(0, 10, 2), {}, request(Protocol::trtr)));
    EXPECT_EQ(json.at("accuracy"), 1);
    EXPECT_EQ(json.at("macro_f1"), 1);
    EXPECT_EQ(json.at("labels"), nlohmann::json({"a", "b"}));
    EXPECT_EQ(
        json.at("per_class")[1],
        nlohmann::json({{"label", "b"}, {"precision", 1.0}, {"recall", 1.0}, {"f1", 1.0}, {"support", 2}}));
    EXPECT_EQ(json.at("confusion_matrix"), nlohmann::json({{2, 0}, {0, 2}}));
    EXPECT_EQ(json.at("n_train"), 8);
    EXPECT_EQ(json.at("accuracy_ci95"), nlohmann::json({1.0, 1.0}));
}

}  // namespace
}  // namespace tracebench
