#include "classifiers/decision_tree.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

namespace tracebench {
namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN();

struct Data {
    std::size_t columns;
    std::vector<float> values;
    std::vector<int> classes;
};

DecisionTree grow(const Data& data, std::size_t class_count = 2) {
    std::vector<std::uint32_t> rows(data.classes.size());
    std::iota(rows.begin(), rows.end(), 0U);
    Random random(1);
    return {RankedColumns({data.values, data.columns}), data.classes, class_count, rows, 0, random};
}

int best_class(const DecisionTree& tree, std::vector<float> row) {
    const auto shares = tree.shares(row);
    return static_cast<int>(std::max_element(shares.begin(), shares.end()) - shares.begin());
}

TEST(RankedColumns, RankDistinctValuesAndPutAbsentOnesFirst) {
    const std::vector<float> values{3, -1, nan, 3, 7};
    const RankedColumns ranked({values, 1});
    const auto ranks = ranked.ranks(0);
    EXPECT_EQ(std::vector<std::uint32_t>(ranks.begin(), ranks.end()),
              (std::vector<std::uint32_t>{2, 1, 0, 2, 3}));
    EXPECT_EQ(ranked.distinct(0), 4U);
    EXPECT_EQ(ranked.threshold(0, 1, 2), 1);
    EXPECT_EQ(ranked.threshold(0, 1, 3), 3);
    EXPECT_EQ(ranked.threshold(0, 0, 1), std::numeric_limits<float>::lowest());
}

TEST(RankedColumns, ThresholdLiesBelowTheUpperValueEvenBetweenNeighbours) {
    const float one = 1, next = std::nextafter(1.0F, 2.0F);
    const std::vector<float> values{one, next, std::numeric_limits<float>::infinity()};
    const RankedColumns ranked({values, 1});
    EXPECT_EQ(ranked.threshold(0, 0, 1), one);
    EXPECT_EQ(ranked.threshold(0, 1, 2), next);
}

TEST(DecisionTree, SplitsHalfWayBetweenTheClasses) {
    const DecisionTree tree = grow({1, {1, 2, 3, 10, 11}, {0, 0, 0, 1, 1}});
    EXPECT_EQ(tree.leaves(), 2U);
    EXPECT_EQ(best_class(tree, {6.5F}), 0);  // 6.5 is the threshold, and belongs to the left
    EXPECT_EQ(best_class(tree, {6.51F}), 1);
}

TEST(DecisionTree, TakesTheSplitOfLowestGiniImpurity) {
    // Column 0 separates 3 of 4 rows of each class, column 1 all of class 0 and one of class 1: Gini's sums
    // of squares over sizes are 10/4 + 10/4 = 5 against (16+1)/5 + 9/3 = 6.4.
    const DecisionTree tree =
        grow({2, {0, 0, 0, 0, 0, 0, 1, 0, 1, 1, 1, 1, 1, 1, 0, 0}, {0, 0, 0, 0, 1, 1, 1, 1}});
    EXPECT_EQ(best_class(tree, {0, 1}), 1);
    EXPECT_EQ(best_class(tree, {0, 0}), 0);
}

TEST(DecisionTree, LearnsExclusiveOrAlthoughNoFirstSplitHelps) {
    const DecisionTree tree = grow({2, {0, 0, 0, 1, 1, 0, 1, 1}, {0, 1, 1, 0}});
    EXPECT_EQ(tree.leaves(), 4U);
    EXPECT_EQ(best_class(tree, {0, 0}), 0);
    EXPECT_EQ(best_class(tree, {0, 1}), 1);
    EXPECT_EQ(best_class(tree, {1, 0}), 1);
    EXPECT_EQ(best_class(tree, {1, 1}), 0);
}

TEST(DecisionTree, SendsAbsentValuesLeft) {
    const DecisionTree tree = grow({1, {nan, nan, -5, 4}, {0, 0, 1, 1}});
    EXPECT_EQ(tree.leaves(), 2U);
    EXPECT_EQ(best_class(tree, {nan}), 0);
    EXPECT_EQ(best_class(tree, {-1e30F}), 1);
}

TEST(DecisionTree, LeafSharesAreThoseOfRowsThatNoColumnTellsApart) {
    const DecisionTree tree = grow({1, {1, 1, 1, 1, 2}, {0, 2, 2, 2, 1}}, 3);
    EXPECT_EQ(tree.leaves(), 2U);
    const auto shares = tree.shares(std::vector<float>{1});
    EXPECT_FLOAT_EQ(shares[0], 0.25F);
    EXPECT_FLOAT_EQ(shares[1], 0);
    EXPECT_FLOAT_EQ(shares[2], 0.75F);
}

TEST(DecisionTree, CountingAndSortingFindTheSameSplits) {
    // Four values a column: the root counts; the same values told apart a little make it sort.
    Random random(5);
    Data coarse{3, {}, {}}, fine{3, {}, {}};
    for (int i = 0; i < 200; ++i) {
        int sum = 0;
        for (int c = 0; c < 3; ++c) {
            const auto value = static_cast<int>(random.below(4));
            sum += value;
            coarse.values.push_back(static_cast<float>(value));
            fine.values.push_back(static_cast<float>(value) + static_cast<float>(i) * 1e-5F);
        }
        coarse.classes.push_back(sum > 4);
        fine.classes.push_back(sum > 4);
    }
    const DecisionTree counted = grow(coarse), sorted = grow(fine);
    for (std::size_t i = 0; i < coarse.classes.size(); ++i) {
        const auto row = std::vector<float>(coarse.values.begin() + static_cast<std::ptrdiff_t>(3 * i),
                                            coarse.values.begin() + static_cast<std::ptrdiff_t>(3 * i + 3));
        EXPECT_EQ(best_class(counted, row), coarse.classes[i]);
        EXPECT_EQ(best_class(sorted, row), coarse.classes[i]);
    }
    EXPECT_EQ(counted.leaves(), sorted.leaves());
}

TEST(DecisionTree, DrawsFurtherColumnsWhileThoseSeenDoNotVary) {
    // 20 constant columns and one that decides: a split that looks at one candidate still finds it.
    Data data{21, {}, {}};
    for (int i = 0; i < 10; ++i) {
        for (int c = 0; c < 21; ++c) data.values.push_back(c == 13 ? static_cast<float>(i) : 0);
        data.classes.push_back(i >= 5);
    }
    std::vector<std::uint32_t> rows(10);
    std::iota(rows.begin(), rows.end(), 0U);
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
        Random random(seed);
        const DecisionTree tree(RankedColumns({data.values, 21}), data.classes, 2, rows, 1, random);
        EXPECT_EQ(tree.leaves(), 2U);
    }
}

}  // namespace
}  // namespace tracebench
