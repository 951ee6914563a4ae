// What holds of distances between sets of vectors, whatever the vectors.

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <numeric>

#include "metrics/joint/gaussian.h"
#include "metrics/joint/kernel_distances.h"
#include "metrics/joint/mutual_information.h"
#include "metrics/joint/neighbours.h"
#include "metrics/joint/rank_correlation.h"
#include "metrics/joint/sliced_wasserstein.h"

namespace tracebench {
namespace {

constexpr std::size_t width = 3;

/// At least `least` vectors of small whole numbers, so that ties are common; every vector a session.
Points vectors(std::size_t least = 2) {
    const auto rows = *rc::gen::inRange<std::size_t>(least, least + 12);
    Points points{width, {}, {}, rows};
    for (std::size_t i = 0; i < rows; ++i) {
        std::vector<double> row;
        for (std::size_t f = 0; f < width; ++f) row.push_back(*rc::gen::inRange(-8, 8));
        points.add(row, static_cast<std::uint32_t>(i));
    }
    return points;
}

Points moved(Points points, double shift, double scale = 1) {
    for (double& value : points.values) value = value * scale + shift;
    return points;
}

Points backwards(const Points& points) {
    Points result{width, {}, {}, points.sessions};
    for (std::size_t i = points.size(); i-- > 0;)
        result.add(points.row(i), static_cast<std::uint32_t>(result.size()));
    return result;
}

/// Every session of `a` on the left and of `b` on the right.
struct Weights {
    std::vector<double> left, right;
    Weights(const Points& a, const Points& b)
        : left(a.sessions + b.sessions), right(a.sessions + b.sessions) {
        std::fill_n(left.begin(), a.sessions, 1.0);
        std::fill(right.begin() + static_cast<std::ptrdiff_t>(a.sessions), right.end(), 1.0);
    }
};

KernelDistances kernel(const Points& a, const Points& b) {
    const Weights weights(a, b);
    return KernelSums(PairDistances(a, b), 3).compare(weights.left, weights.right).value();
}

double energy(const Points& a, const Points& b) {
    return kernel(a, b).energy;
}

double mmd(const Points& a, const Points& b) {
    return kernel(a, b).mmd;
}

double sliced(const Points& a, const Points& b) {
    const Weights weights(a, b);
    return SlicedWasserstein(joined(a, b), random_directions(width, 9, 1))
        .compare(weights.left, weights.right)
        .value();
}

double root_frechet(const Points& a, const Points& b) {
    const Weights weights(a, b);
    const SessionMoments moments(joined(a, b));
    return std::sqrt(frechet_distance(moments.fit(weights.left).value(), moments.fit(weights.right).value()));
}

Manifolds manifolds(const Points& a, const Points& b) {
    const Weights weights(a, b);
    return compare_manifolds(PairDistances(a, b), weights.left, weights.right, 2).value();
}

template <typename Fit>
double correlation(const Points& a, const Points& b) {
    const Weights weights(a, b);
    const Fit fit(joined(a, b));
    return correlation_difference(fit.fit(weights.left).value(), fit.fit(weights.right).value()).value_or(0);
}

using Distance = double (*)(const Points&, const Points&);
constexpr Distance metrics[] = {energy, sliced, root_frechet};

RC_GTEST_PROP(JointDistances, AreSymmetricAndZeroForThemselves, ()) {
    const Points a = vectors(), b = vectors();
    for (const Distance distance :
         {energy, sliced, root_frechet, mmd, correlation<SessionMoments>, correlation<RankCorrelation>})
        RC_ASSERT(std::abs(distance(a, b) - distance(b, a)) < 1e-5);
    for (const Distance distance : metrics) RC_ASSERT(distance(a, a) < 1e-5);
    RC_ASSERT(sliced(a, a) == 0);
    RC_ASSERT(correlation<SessionMoments>(a, a) == 0);
    RC_ASSERT(correlation<RankCorrelation>(a, a) == 0);
    // Vectors that are on both sides make the unbiased estimate of equal sets negative, if anything.
    RC_ASSERT(mmd(a, a) <= 1e-12);
}

RC_GTEST_PROP(JointDistances, KeepTheTriangleInequality, ()) {
    const Points a = vectors(), b = vectors(), c = vectors();
    for (const Distance distance : metrics)
        RC_ASSERT(distance(a, c) <= distance(a, b) + distance(b, c) + 1e-5);
}

RC_GTEST_PROP(JointDistances, DoNotDependOnTheOrderOfVectors, ()) {
    const Points a = vectors(4), b = vectors(4), turned = backwards(a);
    for (const Distance distance :
         {energy, sliced, root_frechet, mmd, correlation<SessionMoments>, correlation<RankCorrelation>})
        RC_ASSERT(std::abs(distance(a, b) - distance(turned, b)) < 1e-5);
    const Manifolds straight = manifolds(a, b), reversed = manifolds(turned, b);
    RC_ASSERT(straight.precision == reversed.precision);
    RC_ASSERT(std::abs(straight.recall - reversed.recall) < 1e-12);
    RC_ASSERT(straight.density == reversed.density);
    RC_ASSERT(std::abs(straight.coverage - reversed.coverage) < 1e-12);
}

RC_GTEST_PROP(JointDistances, GrowWithTheShift, ()) {
    const Points a = vectors(4);
    double before[std::size(metrics)] = {};
    double mmd_before = -2;
    for (const double shift : {1.0, 3.0, 10.0, 30.0}) {
        const Points b = moved(a, shift);
        for (std::size_t m = 0; m < std::size(metrics); ++m) {
            const double value = metrics[m](a, b);
            RC_ASSERT(value > before[m]);
            before[m] = value;
        }
        RC_ASSERT(mmd(a, b) >= mmd_before - 1e-12);
        mmd_before = mmd(a, b);
    }
    // Covariances are the same: what is left is the shift of three features by 30.
    RC_ASSERT(std::abs(before[2] - 30 * std::sqrt(3.0)) < 1e-5);
    const Manifolds apart = manifolds(a, moved(a, 1000));
    RC_ASSERT(apart.precision == 0 && apart.recall == 0 && apart.density == 0 && apart.coverage == 0);
}

RC_GTEST_PROP(JointDistances, CorrelationsDoNotDependOnTheUnit, ()) {
    const Points a = vectors(3), b = vectors(3);
    const double scale = *rc::gen::inRange(1, 9);
    const Points b_scaled = moved(b, 5, scale);
    RC_ASSERT(std::abs(correlation<SessionMoments>(a, b) - correlation<SessionMoments>(a, b_scaled)) < 1e-6);
    RC_ASSERT(std::abs(correlation<RankCorrelation>(a, b) - correlation<RankCorrelation>(a, b_scaled)) <
              1e-9);
    // Ranks do not even change under a map that keeps the order.
    Points b_bent = b;
    for (double& value : b_bent.values) value = std::exp(value / 2);
    RC_ASSERT(std::abs(correlation<RankCorrelation>(a, b) - correlation<RankCorrelation>(a, b_bent)) < 1e-9);
}

RC_GTEST_PROP(Manifolds, SwappedSidesSwapPrecisionAndRecall, ()) {
    const Points a = vectors(4), b = vectors(4);
    const Manifolds there = manifolds(a, b), back = manifolds(b, a);
    RC_ASSERT(std::abs(there.precision - back.recall) < 1e-12);
    RC_ASSERT(std::abs(there.recall - back.precision) < 1e-12);
    RC_ASSERT(there.precision >= 0 && there.precision <= 1);
    RC_ASSERT(there.coverage >= 0 && there.coverage <= 1 && there.density >= 0);
    const Manifolds self = manifolds(a, a);
    RC_ASSERT(self.precision == 1 && self.recall == 1 && self.coverage == 1);
}

RC_GTEST_PROP(JointDistances, SessionsThatCountTwiceAreThereTwice, ()) {
    const Points a = vectors(4), b = vectors(4);
    std::vector<double> counts;
    Points written{width, {}, {}, 1};
    for (std::size_t i = 0; i < a.size(); ++i) {
        counts.push_back(*rc::gen::inRange(0, 3));
        if (i == 0) counts[0] = 2;
        for (int copy = 0; copy < static_cast<int>(counts[i]); ++copy) written.add(a.row(i), 0);
    }
    Weights weights(a, b);
    std::copy(counts.begin(), counts.end(), weights.left.begin());
    const Points all = joined(a, b);
    const auto by_weight = KernelSums(PairDistances(a, b), 3).compare(weights.left, weights.right).value();
    const auto by_copy = kernel(written, b);
    RC_ASSERT(std::abs(by_weight.mmd - by_copy.mmd) < 1e-9);
    RC_ASSERT(std::abs(by_weight.energy - by_copy.energy) < 1e-6);
    const SessionMoments moments(all);
    const Weights copied(written, b);
    const SessionMoments of_copies(joined(written, b));
    RC_ASSERT(
        std::abs(frechet_distance(moments.fit(weights.left).value(), moments.fit(weights.right).value()) -
                 frechet_distance(of_copies.fit(copied.left).value(), of_copies.fit(copied.right).value())) <
        1e-6);
    const auto ranks = RankCorrelation(all).fit(weights.left).value(),
               ranks_of_copies = RankCorrelation(joined(written, b)).fit(copied.left).value();
    for (std::size_t i = 0; i < width * width; ++i)
        RC_ASSERT(std::abs(ranks.covariance[i] - ranks_of_copies.covariance[i]) < 1e-9);
}

RC_GTEST_PROP(MutualInformation, IsSymmetricBoundedAndOneForItself, ()) {
    const auto rows = *rc::gen::inRange<std::size_t>(1, 6), columns = *rc::gen::inRange<std::size_t>(1, 6);
    std::vector<double> table(rows * columns), turned(rows * columns), diagonal(rows * rows);
    for (std::size_t r = 0; r < rows; ++r) {
        for (std::size_t c = 0; c < columns; ++c)
            turned[c * rows + r] = table[r * columns + c] = *rc::gen::inRange(0, 9);
        diagonal[r * rows + r] = *rc::gen::inRange(1, 9);
    }
    table[0] += 1;
    turned[0] += 1;
    const double value = normalised_mutual_information(table, columns).value();
    RC_ASSERT(value >= 0 && value <= 1);
    RC_ASSERT(std::abs(value - normalised_mutual_information(turned, rows).value()) < 1e-12);
    RC_ASSERT(std::abs(normalised_mutual_information(diagonal, rows).value() - (rows > 1 ? 1 : 0)) < 1e-12);
    // Products of a row and a column are independent.
    for (std::size_t r = 0; r < rows; ++r)
        for (std::size_t c = 0; c < columns; ++c)
            table[r * columns + c] = static_cast<double>((r + 1) * (c + 2));
    RC_ASSERT(normalised_mutual_information(table, columns).value() < 1e-12);
}

}  // namespace
}  // namespace tracebench
