// Joint measures one by one, on vectors small enough to work out by hand.

#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>

#include "metrics/joint/gaussian.h"
#include "metrics/joint/kernel_distances.h"
#include "metrics/joint/mutual_information.h"
#include "metrics/joint/neighbours.h"
#include "metrics/joint/rank_correlation.h"
#include "metrics/joint/sliced_wasserstein.h"

namespace tracebench {
namespace {

using Values = std::vector<double>;
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// All rows of one session, unless told.
Points points(std::size_t width, Values values, std::vector<std::uint32_t> sessions = {}) {
    Points result{width, std::move(values), std::move(sessions), 1};
    if (result.session.empty()) result.session.assign(result.values.size() / width, 0);
    for (const std::uint32_t session : result.session)
        result.sessions = std::max<std::size_t>(result.sessions, session + 1);
    return result;
}

const Values left{1, 0}, right{0, 1};

TEST(Points, JoinedSessionsAreNumberedThrough) {
    const Points all = joined(points(1, {1, 2}, {0, 1}), points(1, {3, 4}, {0, 2}));
    EXPECT_EQ(all.values, (Values{1, 2, 3, 4}));
    EXPECT_EQ(all.session, (std::vector<std::uint32_t>{0, 1, 2, 4}));
    EXPECT_EQ(all.sessions, 5u);
    EXPECT_THROW(joined(points(1, {1}), points(2, {1, 2})), std::invalid_argument);
}

TEST(Points, ThinnedKeepsOrderAndSessions) {
    Points many = points(1, {0}, {0});
    for (std::uint32_t i = 1; i < 100; ++i) many.add(Values{static_cast<double>(i)}, i / 10);
    many.sessions = 10;
    const Points few = thinned(many, 20, 5);
    ASSERT_EQ(few.size(), 20u);
    EXPECT_EQ(few.sessions, 10u);
    for (std::size_t i = 0; i < few.size(); ++i) {
        EXPECT_EQ(few.session[i], static_cast<std::uint32_t>(few.values[i]) / 10);
        if (i > 0) {
            EXPECT_GT(few.values[i], few.values[i - 1]);
        }
    }
    EXPECT_EQ(thinned(many, 20, 5).values, few.values);
    EXPECT_NE(thinned(many, 20, 6).values, few.values);
    EXPECT_EQ(thinned(many, 100, 5).values, many.values);
}

TEST(Standardiser, ScalesByRealMeanAndDeviation) {
    // 1 and 3: mean 2, deviation 1. The second feature is constant, the third missing once, the fourth
    // always.
    const Standardiser standardiser(points(4, {1, 7, 10, nan, 3, 7, nan, nan}));
    Points made = points(4, {4, 9, 10, 5, nan, 7, 12, nan, 1e9, -1e9, 10, 0});
    standardiser.apply(made);
    EXPECT_EQ(made.values, (Values{2, 2, 0, 0, 0, 0, 2, 0, 10, -10, 0, 0}));
    Points other = points(1, {1});
    EXPECT_THROW(standardiser.apply(other), std::invalid_argument);
}

TEST(PairDistances, AreEuclidean) {
    const PairDistances pairs(points(2, {0, 0, 3, 4}), points(2, {0, 1}));
    EXPECT_THAT(pairs.row(0), testing::ElementsAre(0, 25, 1));
    EXPECT_THAT(pairs.row(2), testing::ElementsAre(1, 18, 0));
    EXPECT_EQ(pairs.session(2), 1u);
    // Of 5, 1 and the root of 18.
    EXPECT_DOUBLE_EQ(median_distance(pairs), std::sqrt(18.0));
}

TEST(PairDistances, MedianIsNeverZero) {
    const auto median = [](Values values) {
        return median_distance({points(1, std::move(values)), points(1, {})});
    };
    EXPECT_EQ(median({5, 5, 5}), 1);
    EXPECT_EQ(median({5}), 1);
    EXPECT_EQ(median({5, 5, 5, 5, 5, 8}), 3);  // 10 pairs at 0, 5 at 3
    EXPECT_EQ(median({0, 1, 3, 3}), 2);        // 0 1 2 2 3 3
}

TEST(KernelDistances, HandComputed) {
    const Points a = points(2, {0, 0, 0, 0}), b = points(2, {3, 4, 3, 4});
    const auto distances = KernelSums(PairDistances(a, b), 10).compare(left, right).value();
    EXPECT_DOUBLE_EQ(distances.energy, std::sqrt(10.0));
    const double across = std::exp(-25.0 / 200);
    EXPECT_NEAR(distances.mmd, 2 - 2 * across, 1e-14);
    const std::vector<std::uint32_t> of_a{0, 1}, of_b{2, 3}, one{0};
    EXPECT_NEAR(mmd_linear(joined(a, b), of_a, of_b, 10), 2 - 2 * across, 1e-14);
    EXPECT_THROW(mmd_linear(joined(a, b), of_a, one, 10), std::invalid_argument);
    EXPECT_FALSE(KernelSums(PairDistances(points(1, {1}), points(1, {1, 2})), 1).compare(left, right));
}

TEST(Manifolds, HandComputed) {
    // Balls reach to the nearest neighbour: 1, 1 and 9 of the real vectors, 19.5, 1 and 1 of the others.
    const PairDistances pairs(points(1, {0, 1, 10}), points(1, {0.5, 20, 21}));
    const Manifolds manifolds = compare_manifolds(pairs, left, right, 1).value();
    EXPECT_DOUBLE_EQ(manifolds.precision, 1.0 / 3);
    EXPECT_DOUBLE_EQ(manifolds.recall, 1);
    EXPECT_DOUBLE_EQ(manifolds.density, 2.0 / 3);
    EXPECT_DOUBLE_EQ(manifolds.coverage, 2.0 / 3);
    EXPECT_FALSE(compare_manifolds(pairs, left, right, 3));
    EXPECT_FALSE(compare_manifolds(pairs, left, Values{0, 0}, 1));
}

TEST(Manifolds, CopiesOfASessionCountInMeansAlone) {
    const PairDistances pairs(points(1, {0, 1, 10}, {0, 0, 1}), points(1, {0.5, 20, 21}, {0, 1, 1}));
    const Manifolds once = compare_manifolds(pairs, Values{1, 1, 0, 0}, Values{0, 0, 1, 1}, 1).value();
    const Manifolds twice = compare_manifolds(pairs, Values{1, 2, 0, 0}, Values{0, 0, 3, 1}, 1).value();
    EXPECT_DOUBLE_EQ(once.coverage, 2.0 / 3);
    EXPECT_DOUBLE_EQ(twice.coverage, 2.0 / 4);
    EXPECT_DOUBLE_EQ(twice.precision, 3.0 / 5);
    EXPECT_DOUBLE_EQ(twice.density, 6.0 / 5);
}

TEST(Manifolds, OneOutlierRaisesPrecisionButNotDensity) {
    // Around a real outlier everything counts as precise (Naeem et al. 2020, figure 3).
    Values real{1000}, made;
    for (int i = 0; i < 50; ++i) {
        real.push_back(0.01 * i);
        made.push_back(300 + i);
    }
    const Manifolds manifolds =
        compare_manifolds(PairDistances(points(1, real), points(1, made)), left, right, 5).value();
    EXPECT_EQ(manifolds.precision, 1);
    EXPECT_DOUBLE_EQ(manifolds.density, 0.2);
    EXPECT_NEAR(manifolds.coverage, 1.0 / 51, 1e-12);
}

TEST(Gaussian, FrechetDistanceIsThatOfMeansAndDeviations) {
    EXPECT_NEAR(frechet_distance({{1}, {4}, 9}, {{3}, {9}, 9}), 4 + 1, 1e-12);
    // Diagonal covariances: axis by axis.
    EXPECT_NEAR(frechet_distance({{0, 0}, {1, 0, 0, 16}, 9}, {{0, 2}, {9, 0, 0, 1}, 9}), 4 + 4 + 9, 1e-12);
    // A singular one.
    EXPECT_NEAR(frechet_distance({{0, 0}, {0, 0, 0, 0}, 9}, {{0, 0}, {9, 0, 0, 1}, 9}), 10, 1e-12);
    EXPECT_THROW(frechet_distance({{0}, {1}, 9}, {{0, 0}, {9, 0, 0, 1}, 9}), std::invalid_argument);
}

TEST(Gaussian, CorrelationOfConstantsIsZeroOrLeftOut) {
    const Gaussian half{{0, 0}, {4, 1, 1, 1}, 9}, flat{{0, 0}, {4, 0, 0, 0}, 9};
    EXPECT_DOUBLE_EQ(correlation_difference(half, flat).value(), 0.5);
    EXPECT_FALSE(correlation_difference(flat, flat));
    const Gaussian three{{0, 0, 0}, {4, 1, 0, 1, 1, 0, 0, 0, 0}, 9},
        other{{0, 0, 0}, {1, 0, 0, 0, 1, 0, 0, 0, 0}, 9};
    EXPECT_DOUBLE_EQ(correlation_difference(three, other).value(), 0.5);  // one pair, not three
}

TEST(Gaussian, MomentsOfSessionsAddUp) {
    // Session 0 twice, session 1 not, session 2 once: 0 0 2 6.
    const SessionMoments moments(points(1, {0, 99, 2, 6}, {0, 1, 2, 2}));
    const Gaussian fit = moments.fit(Values{2, 0, 1}).value();
    EXPECT_DOUBLE_EQ(fit.n, 4);
    EXPECT_DOUBLE_EQ(fit.mean[0], 2);
    EXPECT_DOUBLE_EQ(fit.covariance[0], (4 + 4 + 0 + 16) / 3.0);
    EXPECT_FALSE(moments.fit(Values{1, 0, 0}));
}

TEST(RankCorrelation, SeesOrderAlone) {
    Points cubes{2, {}, {}, 1};
    for (int i = -5; i <= 5; ++i) cubes.add(Values{static_cast<double>(i), std::pow(i, 3.0)}, 0);
    const Gaussian ranks = RankCorrelation(cubes).fit(Values{1}).value();
    EXPECT_NEAR(ranks.covariance[1] / ranks.covariance[0], 1, 1e-12);
    EXPECT_FALSE(RankCorrelation(cubes).fit(Values{0}));
}

TEST(SlicedWasserstein, OfOneDirectionIsThatOfTheProjection) {
    const Points a = points(2, {0, 5, 1, 5, 3, 5}), b = points(2, {5, 5, 6, 5, 8, 5});
    const SlicedWasserstein along(joined(a, b), Values{1, 0}), across(joined(a, b), Values{0, 1}),
        both(joined(a, b), Values{1, 0, 0, 1});
    EXPECT_DOUBLE_EQ(along.compare(left, right).value(), 5);
    EXPECT_DOUBLE_EQ(across.compare(left, right).value(), 0);
    EXPECT_DOUBLE_EQ(both.compare(left, right).value(), 2.5);
    EXPECT_FALSE(along.compare(left, Values{0, 0}));
    EXPECT_THROW(SlicedWasserstein(a, Values{1, 0, 1}), std::invalid_argument);
    EXPECT_THROW(SlicedWasserstein(a, Values{}), std::invalid_argument);
}

TEST(SlicedWasserstein, DirectionsAreUnitVectorsAllAround) {
    const Values directions = random_directions(3, 2000, 4);
    Values mean(3);
    for (std::size_t i = 0; i < directions.size(); i += 3) {
        double squares = 0;
        for (std::size_t f = 0; f < 3; ++f) {
            squares += directions[i + f] * directions[i + f];
            mean[f] += directions[i + f] / 2000;
        }
        EXPECT_NEAR(squares, 1, 1e-12);
    }
    // A coordinate's deviation is 1/sqrt(3): its mean's is 0.013.
    for (const double coordinate : mean) EXPECT_NEAR(coordinate, 0, 0.05);
}

TEST(MutualInformation, HandComputed) {
    // One bit shared of one bit and of two: 2 * 1 / (1 + 2).
    EXPECT_NEAR(normalised_mutual_information(Values{1, 1, 0, 0, 0, 0, 1, 1}, 4).value(), 2.0 / 3, 1e-12);
    EXPECT_EQ(normalised_mutual_information(Values{7, 0, 0, 0}, 2).value(), 0);  // constants
    EXPECT_EQ(normalised_mutual_information(Values{7, 5, 0, 0}, 2).value(), 0);
    EXPECT_FALSE(normalised_mutual_information(Values{0, 0}, 2));
}

TEST(Classes, HoldNumbersByMassAndCodesByFrequency) {
    Values values;
    for (int i = 0; i < 120; ++i) {
        values.push_back(i);                          // many numbers
        values.push_back(i % 3 * 10);                 // few numbers
        values.push_back(i < 60 ? 6 : 100 + i % 30);  // codes
    }
    const Classes classes(points(3, values), {true, true, false});
    std::vector<int> sizes(Classes::count);
    for (int i = 0; i < 120; ++i) ++sizes[classes.of(0, i)];
    EXPECT_EQ(sizes, (std::vector<int>{10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 0, 0, 0, 0}));
    EXPECT_EQ(classes.of(0, -1e300), 0);
    EXPECT_EQ(classes.of(0, 1e300), 11);
    EXPECT_EQ(classes.of(1, 0), 0);
    EXPECT_EQ(classes.of(1, 10), 1);
    EXPECT_EQ(classes.of(1, 20), 2);
    EXPECT_EQ(classes.of(2, 6), 0);
    EXPECT_EQ(classes.of(2, 113), 14);  // the 14th of those next in frequency, ties by code
    EXPECT_EQ(classes.of(2, 114), Classes::max_codes);
    EXPECT_EQ(classes.of(2, 12345), Classes::max_codes);
    EXPECT_EQ(classes.of(2, nan), Classes::missing);
}

TEST(PairTables, AreOverVectorsThatHaveBoth) {
    // The third feature exists in session 1 alone, where it follows the first.
    const Points all =
        points(3, {0, 0, nan, 0, 1, nan, 1, 0, nan, 1, 1, nan, 0, 5, 3, 1, 5, 4}, {0, 0, 0, 0, 1, 1});
    const PairTables tables(all, Classes(all, {false, false, false}));
    ASSERT_EQ(tables.pairs(), 3u);
    const auto first = tables.information(Values{1, 0}), second = tables.information(Values{0, 1});
    EXPECT_NEAR(first[0].value(), 0, 1e-12);
    EXPECT_FALSE(first[1]);
    EXPECT_FALSE(first[2]);
    EXPECT_EQ(second[0].value(), 0);  // the second feature is constant there
    EXPECT_NEAR(second[1].value(), 1, 1e-12);
    // What one side does not have counts as 0 there.
    EXPECT_NEAR(information_difference(first, second).value(), 1.0 / 3, 1e-12);
    EXPECT_FALSE(
        information_difference(std::vector<std::optional<double>>(3), std::vector<std::optional<double>>(3)));
}

}  // namespace
}  // namespace tracebench
