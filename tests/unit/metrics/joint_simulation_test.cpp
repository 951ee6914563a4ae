// What the joint measures promise of chance: false positives, power, intervals.

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "metrics/distance/session_resamples.h"
#include "metrics/joint/joint_measures.h"
#include "metrics/joint/kernel_distances.h"

namespace tracebench {
namespace {

/// `per_session` vectors of three features around a centre of each session's own.
Points clustered(Random& random, std::size_t sessions, std::size_t per_session, double mean, double spread) {
    Points points{3, {}, {}, sessions};
    for (std::size_t s = 0; s < sessions; ++s) {
        std::vector<double> centre, row(3);
        for (std::size_t f = 0; f < 3; ++f) centre.push_back(mean + spread * random.normal());
        for (std::size_t i = 0; i < per_session; ++i) {
            for (std::size_t f = 0; f < 3; ++f) row[f] = centre[f] + random.normal();
            points.add(row, static_cast<std::uint32_t>(s));
        }
    }
    return points;
}

/// Share of `tests` in which fewer than 5% of 99 permutations are as far apart as what was drawn.
double rejections(double shift, std::size_t tests, std::uint64_t seed) {
    constexpr std::size_t n = 12, permutations = 99;
    Random random(seed);
    std::size_t rejected = 0;
    for (std::size_t test = 0; test < tests; ++test) {
        const Points a = clustered(random, n, 1, 0, 0), b = clustered(random, n, 1, shift, 0);
        const PairDistances pairs(a, b);
        const KernelSums sums(pairs, median_distance(pairs));
        std::vector<double> left(2 * n), right(2 * n);
        std::fill_n(left.begin(), n, 1.0);
        const auto value = [&] {
            for (std::size_t i = 0; i < left.size(); ++i) right[i] = 1 - left[i];
            return sums.compare(left, right)->mmd;
        };
        const double drawn = value();
        std::size_t as_far = 1;
        for (std::size_t i = 0; i < permutations; ++i) {
            random.shuffle(left);
            as_far += value() >= drawn;
        }
        rejected += as_far <= 5;  // of 100: a test of size 5% exactly
    }
    return static_cast<double>(rejected) / static_cast<double>(tests);
}

TEST(MmdTest, RejectsEqualDistributionsInFivePercent) {
    const double share = rejections(0, 1000, 77);
    RecordProperty("false_positives", std::to_string(share));
    // Binomial with 1,000 draws: 99.9% lie within 3.3 deviations of 0.0069.
    EXPECT_NEAR(share, 0.05, 0.0228);
}

TEST(MmdTest, PowerRisesWithTheShift) {
    double before = 0.15;  // three deviations above the size of the test
    for (const double shift : {0.5, 0.8, 1.2}) {
        const double power = rejections(shift, 100, 78);
        RecordProperty("power_at_" + std::to_string(shift), std::to_string(power));
        EXPECT_GT(power, before) << shift;
        before = power;
    }
    EXPECT_GT(before, 0.95);
}

TEST(MmdTest, BothEstimatesAreUnbiased) {
    // Over many draws from equal distributions the mean is 0, as far as its own error goes.
    Random random(79);
    constexpr std::size_t draws = 300, n = 20;
    std::vector<double> quadratic, linear;
    for (std::size_t i = 0; i < draws; ++i) {
        const Points a = clustered(random, n, 1, 0, 0), b = clustered(random, n, 1, 0, 0);
        std::vector<double> left(2 * n), right(2 * n);
        std::fill_n(left.begin(), n, 1.0);
        std::fill(right.begin() + n, right.end(), 1.0);
        quadratic.push_back(KernelSums(PairDistances(a, b), 2).compare(left, right)->mmd);
        std::vector<std::uint32_t> of_a(n), of_b(n);
        std::iota(of_a.begin(), of_a.end(), 0U);
        std::iota(of_b.begin(), of_b.end(), static_cast<std::uint32_t>(n));
        linear.push_back(mmd_linear(joined(a, b), of_a, of_b, 2));
    }
    double deviations[2] = {};
    for (const bool is_linear : {false, true}) {
        const auto& values = is_linear ? linear : quadratic;
        const double mean = std::accumulate(values.begin(), values.end(), 0.0) / draws;
        double squares = 0;
        for (const double value : values) squares += (value - mean) * (value - mean);
        deviations[is_linear] = std::sqrt(squares / (draws - 1));
        EXPECT_NEAR(mean, 0, 3.5 * deviations[is_linear] / std::sqrt(draws)) << is_linear;
    }
    EXPECT_GT(deviations[1], 2 * deviations[0]);  // the price of one pass
}

/// Share of 95% intervals that hold the expected value at this number of sessions.
std::vector<double> coverage(const JointFamily& family, double shift) {
    constexpr std::size_t sessions = 24, per_session = 4, trials = 100, resamples = 100;
    Random random(2025);
    std::vector<MeasuredValue> kinds;
    for (const JointMeasure& measure : family.measures) kinds.push_back(measure.kind);
    std::vector<std::vector<double>> values(kinds.size());
    std::vector<std::vector<Interval>> intervals(kinds.size());
    const Bootstrap bootstrap(std::vector<std::string>(sessions, "a"));
    for (std::size_t trial = 0; trial < trials; ++trial) {
        const JointSides sides(clustered(random, sessions, per_session, 0, 1),
                               clustered(random, sessions, per_session, shift, 1));
        const SessionMeasure measure = family.prepare(sides);
        std::vector<double> left(2 * sessions), right(2 * sessions);
        std::fill_n(left.begin(), sessions, 1.0);
        std::fill(right.begin() + sessions, right.end(), 1.0);
        const auto found = measure(left, right).value();
        const auto lists =
            bootstrap_values(measure, found, kinds,
                             {bootstrap, bootstrap, sessions, sessions, 2 * trial, 2 * trial + 1}, resamples);
        for (std::size_t v = 0; v < kinds.size(); ++v) {
            values[v].push_back(found[v]);
            intervals[v].push_back(interval95(lists[v]).value());
        }
    }
    std::vector<double> covered(kinds.size());
    for (std::size_t v = 0; v < kinds.size(); ++v) {
        const double mean = std::accumulate(values[v].begin(), values[v].end(), 0.0) / trials;
        for (const Interval& interval : intervals[v])
            covered[v] += (interval.low <= mean && mean <= interval.high) / static_cast<double>(trials);
    }
    return covered;
}

void expect_coverage(const std::vector<JointFamily>& families) {
    for (const JointFamily& family : families)
        for (const double shift : {0.0, 1.0}) {
            const auto covered = coverage(family, shift);
            for (std::size_t v = 0; v < covered.size(); ++v) {
                const std::string& name = family.measures[v].name;
                testing::Test::RecordProperty(name + (shift > 0 ? "_at_1" : "_at_0"),
                                              std::to_string(covered[v]));
                EXPECT_GE(covered[v], 0.85) << name << " at shift " << shift;
            }
        }
}

TEST(JointIntervals, CoverTheExpectedValueOfPairwiseMeasures) {
    expect_coverage(pairwise_families(2, 3));
}

TEST(JointIntervals, CoverTheExpectedValueOfLinearMeasures) {
    expect_coverage(linear_families(2));
}

}  // namespace
}  // namespace tracebench
