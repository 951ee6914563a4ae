#include "metrics/distance/ordered.h"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>
#include <vector>

namespace tracebench {
namespace {

using Values = std::vector<double>;

TEST(Ordered, HandComputed) {
    // The whole mass moves by 5.
    EXPECT_DOUBLE_EQ(wasserstein1(Values{0, 1, 3}, Values{5, 6, 8}), 5);
    EXPECT_DOUBLE_EQ(kolmogorov_smirnov(Values{0, 1, 3}, Values{5, 6, 8}), 1);
    // F_a is 1/2 on [0,4); F_b is 1/4 on [0,2), 3/4 on [2,4).
    const Values a{0, 4}, b{0, 2, 2, 4};
    EXPECT_DOUBLE_EQ(wasserstein1(a, b), 0.25 * 2 + 0.25 * 2);
    EXPECT_DOUBLE_EQ(kolmogorov_smirnov(a, b), 0.25);
    EXPECT_DOUBLE_EQ(energy_distance(a, b), std::sqrt(2 * (0.0625 * 2 + 0.0625 * 2)));
    // Of two constants 5 apart: sqrt(2 E|A - B|).
    EXPECT_DOUBLE_EQ(energy_distance(Values{1, 1}, Values{6}), std::sqrt(10.0));
}

TEST(Ordered, WeightsAreRepetitions) {
    const Values a{1, 2}, b{3, 4};
    EXPECT_DOUBLE_EQ(wasserstein1(a, Values{3, 1}, b, Values{1, 2}),
                     wasserstein1(Values{1, 1, 1, 2}, Values{3, 4, 4}));
    EXPECT_DOUBLE_EQ(kolmogorov_smirnov(a, Values{3, 1}, Values{1.5}, Values{9}), 0.75);
    EXPECT_DOUBLE_EQ(energy_distance(a, Values{3, 1}, b, Values{1, 2}),
                     energy_distance(Values{1, 1, 1, 2}, Values{3, 4, 4}));
    // A value of weight 0 is not there.
    EXPECT_DOUBLE_EQ(wasserstein1(Values{1, 99}, Values{1, 0}, Values{1}, Values{1}), 0);
}

TEST(Ordered, EqualValuesAreOneStep) {
    // Were ties taken one by one, the statistic would be 1 in between.
    EXPECT_EQ(kolmogorov_smirnov(Values{5, 5, 5}, Values{5, 5}), 0);
    EXPECT_EQ(wasserstein1(Values{5, 5, 5}, Values{5, 5}), 0);
    EXPECT_EQ(energy_distance(Values{5, 5, 5}, Values{5, 5}), 0);
}

TEST(Ordered, NothingHasNoDistance) {
    EXPECT_THROW(wasserstein1(Values{}, Values{1}), std::invalid_argument);
    EXPECT_THROW(kolmogorov_smirnov(Values{1}, Values{}), std::invalid_argument);
    EXPECT_THROW(energy_distance(Values{}, Values{1}), std::invalid_argument);
    EXPECT_THROW(energy_distance(Values{1}, Values{1}, Values{1}, Values{}), std::invalid_argument);
    EXPECT_THROW(wasserstein1(Values{1}, Values{0}, Values{1}, Values{1}), std::invalid_argument);
    EXPECT_THROW(wasserstein1(Values{1}, Values{1, 1}, Values{1}, Values{1}), std::invalid_argument);
}

TEST(SortedSessions, AgreesWithTheWholeSamples) {
    const Values values{3, 1, 1, 7, 2, 2, 9};
    const std::vector<std::uint32_t> sessions{0, 0, 0, 1, 2, 2, 3};
    const SortedSessions sorted(values, sessions);
    OrderedDistances distances;
    // Session 0 twice and 1 once against 2 once and 3 three times.
    ASSERT_TRUE(sorted.compare(Values{2, 1, 0, 0}, Values{0, 0, 1, 3}, distances));
    const Values a{3, 1, 1, 3, 1, 1, 7}, b{2, 2, 9, 9, 9};
    EXPECT_DOUBLE_EQ(distances.wasserstein, wasserstein1(a, b));
    EXPECT_DOUBLE_EQ(distances.ks, kolmogorov_smirnov(a, b));
    EXPECT_DOUBLE_EQ(distances.energy, energy_distance(a, b));
}

TEST(SortedSessions, SaysWhenASideIsEmpty) {
    const SortedSessions sorted(Values{1, 2}, std::vector<std::uint32_t>{0, 2});
    OrderedDistances distances{-1, -1, -1};
    // Session 1 has no value.
    EXPECT_FALSE(sorted.compare(Values{1, 0, 0}, Values{0, 1, 0}, distances));
    EXPECT_EQ(distances.ks, -1);
    EXPECT_TRUE(sorted.compare(Values{1, 0, 0}, Values{0, 1, 1}, distances));
}

}  // namespace
}  // namespace tracebench
