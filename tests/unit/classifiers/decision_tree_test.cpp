#include "classifiers/decision_tree.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>

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

/// The leaf that `query` reaches in the tree grown over `rows`, by trying every threshold of every column:
/// how many rows of each class it holds.
std::vector<int> reference_leaf(const Data& data, std::vector<std::size_t> rows,
                                const std::vector<float>& query) {
    constexpr std::size_t class_count = 3;
    const auto value = [&](std::size_t row, std::size_t c) { return data.values[row * data.columns + c]; };
    const auto count = [&](auto&& belongs) {
        std::vector<int> counts(class_count, 0);
        for (const std::size_t row : rows)
            if (belongs(row)) ++counts[static_cast<std::size_t>(data.classes[row])];
        return counts;
    };
    const auto purity = [](const std::vector<int>& counts) {
        int squares = 0, all = 0;
        for (const int n : counts) squares += n * n, all += n;
        return static_cast<double>(squares) / all;
    };
    const std::vector<int> here = count([](std::size_t) { return true; });
    if (std::count(here.begin(), here.end(), 0) == static_cast<int>(class_count) - 1) return here;
    double best = -1, best_low = 0, best_high = 0;
    std::size_t best_column = 0;
    for (std::size_t c = 0; c < data.columns; ++c) {
        std::set<float> distinct;
        for (const std::size_t row : rows) distinct.insert(value(row, c));
        for (auto low = distinct.begin(); low != distinct.end() && std::next(low) != distinct.end(); ++low) {
            const double quality = purity(count([&](std::size_t row) { return value(row, c) <= *low; })) +
                                   purity(count([&](std::size_t row) { return value(row, c) > *low; }));
            if (quality <= best) continue;
            best = quality, best_column = c, best_low = *low, best_high = *std::next(low);
        }
    }
    if (best < 0) return here;
    const bool left = query[best_column] <= (best_low + best_high) / 2;
    std::vector<std::size_t> side;
    for (const std::size_t row : rows)
        if ((value(row, best_column) <= best_low) == left) side.push_back(row);
    return reference_leaf(data, side, query);
}

TEST(DecisionTree, EqualsASearchOfEveryThreshold) {
    // Columns of two values (counted), of real numbers (sorted) and of nine (counted above, sorted below).
    Random random(5);
    const auto draw = [&] {
        return std::vector<float>{static_cast<float>(random.below(2)), static_cast<float>(random.normal()),
                                  static_cast<float>(random.below(9))};
    };
    Data data{3, {}, {}};
    for (int i = 0; i < 150; ++i) {
        const std::vector<float> row = draw();
        data.values.insert(data.values.end(), row.begin(), row.end());
        data.classes.push_back(random.chance(0.2) ? static_cast<int>(random.below(3))
                                                  : (row[1] > 0) + (row[2] > 5 && row[0] > 0));
    }
    const DecisionTree tree = grow(data, 3);
    std::vector<std::size_t> all(data.classes.size());
    std::iota(all.begin(), all.end(), std::size_t{0});
    for (int q = 0; q < 200; ++q) {
        const std::vector<float> query = draw();
        const std::vector<int> expected = reference_leaf(data, all, query);
        const auto shares = tree.shares(query);
        const auto rows = static_cast<float>(std::accumulate(expected.begin(), expected.end(), 0));
        for (std::size_t c = 0; c < 3; ++c) EXPECT_EQ(shares[c], static_cast<float>(expected[c]) / rows) << q;
    }
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
