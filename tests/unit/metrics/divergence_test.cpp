#include "metrics/distance/divergence.h"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>
#include <vector>

namespace tracebench {
namespace {

using Masses = std::vector<double>;

TEST(Divergence, HandComputed) {
    const Masses p{1, 1}, q{1, 3};
    // Middle (3/8, 5/8): JSD = (1/2 log2(4/3) + 1/2 log2(4/5)) / 2 + (1/4 log2(2/3) + 3/4 log2(6/5)) / 2.
    const double bits = 0.25 * std::log2(4.0 / 3) + 0.25 * std::log2(0.8) + 0.125 * std::log2(2.0 / 3) +
                        0.375 * std::log2(1.2);
    EXPECT_NEAR(jensen_shannon(p, q), bits, 1e-15);
    EXPECT_DOUBLE_EQ(total_variation(p, q), 0.25);
    const double a = std::sqrt(0.5) - 0.5, b = std::sqrt(0.5) - std::sqrt(0.75);
    EXPECT_NEAR(hellinger(p, q), std::sqrt((a * a + b * b) / 2), 1e-15);
    // (1/4)^2 / (3/4) and (1/4)^2 / (5/4), halved.
    EXPECT_NEAR(chi_square(p, q), (1.0 / 12 + 1.0 / 20) / 2, 1e-15);
    // Half an observation more in each bin: (1/2, 1/2) from (3/10, 7/10); the third bin is nobody's.
    EXPECT_NEAR(kullback_leibler(Masses{1, 1, 0}, Masses{1, 3, 0}),
                0.5 * std::log2(5.0 / 3) + 0.5 * std::log2(5.0 / 7), 1e-15);
}

TEST(Divergence, PearsonsStatisticOverTwiceTheObservations) {
    // Sum of (r - s)^2 / (r + s) over the bins of 60 observations on either side.
    const Masses r{30, 20, 10}, s{10, 20, 30};
    EXPECT_NEAR(chi_square(r, s), (400.0 / 40 + 400.0 / 40) / 120, 1e-15);
}

TEST(Divergence, WhatSyntheticDataNeverHasCostsTheLogarithmOfItsSize) {
    const Masses real{50, 50};
    EXPECT_NEAR(kullback_leibler(real, Masses{1023, 0}) - kullback_leibler(real, Masses{511, 0}), 0.5, 0.01);
    EXPECT_EQ(kullback_leibler(real, real), 0);
    EXPECT_LT(kullback_leibler(Masses{500, 500}, real), 1e-9);
    EXPECT_LT(kullback_leibler(Masses{20, 80}, Masses{200, 800}), 1e-3);
}

TEST(Divergence, DisjointIsOneAndEqualIsZero) {
    for (const auto distance : {jensen_shannon, total_variation, hellinger, chi_square}) {
        EXPECT_DOUBLE_EQ(distance(Masses{2, 3, 0}, Masses{0, 0, 7}), 1);
        EXPECT_EQ(distance(Masses{2, 3, 0}, Masses{4, 6, 0}), 0);
    }
}

TEST(Divergence, NothingHasNoDistance) {
    for (const auto distance : {jensen_shannon, total_variation, hellinger, chi_square, kullback_leibler}) {
        EXPECT_THROW(distance(Masses{0, 0}, Masses{1, 1}), std::invalid_argument);
        EXPECT_THROW(distance(Masses{1, 1}, Masses{0, 0}), std::invalid_argument);
        EXPECT_THROW(distance(Masses{}, Masses{}), std::invalid_argument);
        EXPECT_THROW(distance(Masses{1}, Masses{1, 1}), std::invalid_argument);
        EXPECT_THROW(distance(Masses{NAN, 1}, Masses{1, 1}), std::invalid_argument);
    }
}

}  // namespace
}  // namespace tracebench
