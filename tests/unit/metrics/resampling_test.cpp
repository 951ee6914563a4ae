#include "metrics/resampling.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <stdexcept>

namespace tracebench {
namespace {

using Labels = std::vector<std::string>;

double sum(std::span<const double> weights) {
    return std::accumulate(weights.begin(), weights.end(), 0.0);
}

TEST(Bootstrap, KeepsTheNumberOfEveryLabel) {
    const Bootstrap bootstrap(Labels{"a", "b", "a", "b", "b"});
    Random random(7);
    std::vector<double> weights(5);
    bool uneven = false;
    for (int i = 0; i < 50; ++i) {
        bootstrap.draw(random, weights);
        EXPECT_EQ(weights[0] + weights[2], 2);
        EXPECT_EQ(weights[1] + weights[3] + weights[4], 3);
        uneven |= weights[0] == 2;
    }
    EXPECT_TRUE(uneven);
}

TEST(Bootstrap, SingleSessionsOfDifferentLabelsAreDrawnTogether) {
    const Bootstrap bootstrap(Labels{"a", "b", "c"});
    Random random(7);
    std::vector<double> weights(3);
    bool uneven = false;
    for (int i = 0; i < 20; ++i) {
        bootstrap.draw(random, weights);
        EXPECT_EQ(sum(weights), 3);
        uneven |= weights[0] != 1;
    }
    EXPECT_TRUE(uneven);
}

TEST(Bootstrap, OneSessionHasNoSpread) {
    EXPECT_FALSE(Bootstrap(Labels{"a"}).possible());
    EXPECT_TRUE(Bootstrap(Labels{"a", "b"}).possible());
}

TEST(Bootstrap, FewSessionsWidenTheInterval) {
    // t with 11 degrees of freedom is 2.20099, with 10 2.22814.
    EXPECT_NEAR(Bootstrap(Labels(12, "a")).stretch(), std::sqrt(12.0 / 11) * 2.20099 / 1.95996, 1e-3);
    Labels two(6, "a");
    two.resize(12, "b");
    EXPECT_NEAR(Bootstrap(two).stretch(), std::sqrt(12.0 / 10) * 2.22814 / 1.95996, 1e-3);
    EXPECT_NEAR(Bootstrap(Labels(1000, "a")).stretch(), 1, 0.002);
    EXPECT_EQ(Bootstrap(Labels{"a"}).stretch(), 1);
}

TEST(RandomSplits, PartsAreDisjointAndAsLargeAsWanted) {
    const Labels pool{"a", "a", "a", "a", "a", "a", "b", "b", "b", "b"};
    const RandomSplits splits(pool, {{"a", 3}, {"b", 1}}, {{"a", 2}, {"b", 2}});
    ASSERT_TRUE(splits.possible());
    EXPECT_EQ(splits.noise_ratio(), 1);
    Random random(3);
    std::vector<double> left(10), right(10);
    for (int i = 0; i < 20; ++i) {
        splits.draw(random, left, right);
        EXPECT_EQ(sum(std::span(left).first(6)), 3);
        EXPECT_EQ(sum(std::span(left).last(4)), 1);
        EXPECT_EQ(sum(std::span(right).first(6)), 2);
        EXPECT_EQ(sum(std::span(right).last(4)), 2);
        for (std::size_t s = 0; s < 10; ++s) EXPECT_LE(left[s] + right[s], 1);
    }
}

TEST(RandomSplits, TooSmallAPoolIsSplitWithTheLeastNoise) {
    // Ten wanted on either side, eight there: four and four.
    const Labels pool(8, "a");
    const RandomSplits even(pool, {{"a", 10}}, {{"a", 10}});
    EXPECT_NEAR(even.noise_ratio(), (2.0 / 10) / (2.0 / 4), 1e-15);
    // Two and a hundred wanted: two and the other six.
    const RandomSplits uneven(pool, {{"a", 2}}, {{"a", 100}});
    EXPECT_NEAR(uneven.noise_ratio(), (1.0 / 2 + 1.0 / 100) / (1.0 / 2 + 1.0 / 6), 1e-15);
    std::vector<double> left(8), right(8);
    Random random(1);
    uneven.draw(random, left, right);
    EXPECT_EQ(sum(left), 2);
    EXPECT_EQ(sum(right), 6);
}

TEST(RandomSplits, ImpossibleWithoutTwoSessions) {
    EXPECT_FALSE(RandomSplits(Labels{"a"}, {{"a", 1}}, {{"a", 1}}).possible());
    EXPECT_FALSE(RandomSplits(Labels{"a", "a", "a", "a"}, {{"a", 2}}, {{"b", 2}}).possible());
    // Labels of one session each are split together.
    EXPECT_TRUE(RandomSplits(Labels{"a", "b"}, {{"a", 1}}, {{"b", 1}}).possible());
}

TEST(Resampling, RecentredKeepsTheSpreadAndMovesTheMean) {
    const auto moved = recentred({3, 5}, 1, 1, {-10, 10});
    EXPECT_DOUBLE_EQ(moved[0], 0);
    EXPECT_DOUBLE_EQ(moved[1], 2);
    EXPECT_DOUBLE_EQ(recentred({3, 5}, 1, 1.5, {-10, 10})[0], -0.5);
    EXPECT_DOUBLE_EQ(recentred({3, 5}, 0.5, 1, {0, 1})[0], 0);
    EXPECT_DOUBLE_EQ(recentred({3, 5}, 0.5, 1, {0, 1})[1], 1);
}

TEST(Resampling, QuantilesAreLinear) {
    const std::vector<double> sorted{1, 2, 4};
    EXPECT_DOUBLE_EQ(quantile(sorted, 0), 1);
    EXPECT_DOUBLE_EQ(quantile(sorted, 0.25), 1.5);
    EXPECT_DOUBLE_EQ(quantile(sorted, 0.75), 3);
    EXPECT_DOUBLE_EQ(quantile(sorted, 1), 4);
    EXPECT_THROW(quantile({}, 0.5), std::invalid_argument);
}

TEST(Resampling, IntervalNeedsReplicates) {
    std::vector<double> replicates(19, 1.0);
    EXPECT_FALSE(interval95(replicates));
    for (int i = 0; i < 1001; ++i) replicates.push_back(1);
    EXPECT_EQ(interval95(replicates)->low, 1);
    std::vector<double> line(41);
    std::iota(line.begin(), line.end(), 0.0);
    EXPECT_DOUBLE_EQ(interval95(line)->low, 1);
    EXPECT_DOUBLE_EQ(interval95(line)->high, 39);
}

}  // namespace
}  // namespace tracebench
