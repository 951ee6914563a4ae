#include "bench/aggregate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"

namespace tracebench {
namespace {

MetricValue value(double number, double floor, double ceiling, const std::string& group = "ip.ttl",
                  const std::string& area = "packet") {
    MetricValue out;
    out.metric = "jsd";
    out.group = group;
    out.area = area;
    out.value = number;
    out.floor = floor;
    out.ceiling = ceiling;
    out.n_synthetic = 10;
    return out;
}

TEST(NormalisedScore, IsZeroAtTheFloorAndOneAtTheCeiling) {
    EXPECT_DOUBLE_EQ(normalised_score(0.1, 0.1, 0.5), 0);
    EXPECT_DOUBLE_EQ(normalised_score(0.5, 0.1, 0.5), 1);
    EXPECT_DOUBLE_EQ(normalised_score(0.7, 0.1, 0.5), 1.5);
    // Higher is better: the floor (real) lies above the ceiling (chance).
    EXPECT_DOUBLE_EQ(normalised_score(0.5, 0.9, 0.1), 0.5);
}

TEST(NormalisedScore, HasNoValueWithoutARange) {
    EXPECT_TRUE(std::isnan(normalised_score(0.5, 0.2, 0.2)));
    EXPECT_TRUE(std::isnan(normalised_score(0.5, 0.2, std::nan(""))));
}

TEST(HierarchicalInterval, CoversTheMeanOfItsReplicates) {
    std::vector<std::vector<double>> replicates(3);
    Random random(1);
    for (auto& seed : replicates)
        for (int i = 0; i < 200; ++i) seed.push_back(1 + random.normal() * 0.1);
    const auto [low, high] = hierarchical_interval(replicates, 7);
    // The mean of three draws of standard deviation 0.1: half width 1.96 * 0.1 / sqrt(3) = 0.113.
    EXPECT_NEAR(low, 1 - 0.113, 0.02);
    EXPECT_NEAR(high, 1 + 0.113, 0.02);
}

TEST(HierarchicalInterval, HasTheVariationBetweenSeedsInIt) {
    // No variation within a seed: all of the width comes from drawing seeds.
    const auto [low, high] = hierarchical_interval({{1, 1}, {2, 2}, {3, 3}}, 7);
    EXPECT_LT(low, 1.4);
    EXPECT_GT(high, 2.6);
    EXPECT_TRUE(std::isnan(hierarchical_interval({{1, 2}, {}}, 7).first));
    EXPECT_TRUE(std::isnan(hierarchical_interval({}, 7).first));
}

TEST(HierarchicalInterval, IsTheSameOnEveryCall) {
    const std::vector<std::vector<double>> replicates = {{1, 2, 3}, {4, 5, 6}};
    EXPECT_EQ(hierarchical_interval(replicates, 3), hierarchical_interval(replicates, 3));
}

TEST(Aggregate, AveragesSeeds) {
    const MetricRow row = aggregate({"lab", "markov", 2, {value(0.2, 0.1, 0.5), value(0.4, 0.1, 0.5)}});
    EXPECT_DOUBLE_EQ(row.value, 0.3);
    EXPECT_DOUBLE_EQ(row.score, 0.5);
    EXPECT_THAT(row.seeds, testing::ElementsAre(0.2, 0.4));
    EXPECT_EQ(row.status, "ok");
    EXPECT_EQ(row.version, 2);
}

TEST(Aggregate, FailsLoudlyWhenOneSeedFailed) {
    MetricValue failed = value(0, 0, 0);
    failed.failed = "no TCP packet";
    const MetricRow row = aggregate({"lab", "markov", 1, {value(0.2, 0.1, 0.5), failed}});
    EXPECT_EQ(row.status, "failed");
    EXPECT_EQ(row.reason, "no TCP packet");
    EXPECT_TRUE(std::isnan(row.value));
    EXPECT_TRUE(row.seeds.empty());
}

TEST(Aggregate, NeverReportsANumberThatIsNone) {
    const MetricRow row = aggregate({"lab", "markov", 1, {value(std::nan(""), 0, 1)}});
    EXPECT_EQ(row.status, "failed");
    EXPECT_FALSE(row.reason.empty());
}

const MetricRow& row_of(const std::vector<MetricRow>& rows, const std::string& group) {
    for (const MetricRow& row : rows)
        if (row.group == group) return row;
    throw std::runtime_error("no row " + group);
}

TEST(ScoreRows, AverageGroupsThenAreas) {
    const std::vector<SeedValues> all = {
        {"lab", "g", 1, {value(0.3, 0.1, 0.5, "ip.ttl", "packet")}},         // score 0.5
        {"lab", "g", 1, {value(0.1, 0.1, 0.5, "tcp.window", "packet")}},     // score 0
        {"lab", "g", 1, {value(0.5, 0.1, 0.5, "flow.packets", "flow")}},     // score 1
        {"lab", "g", 1, {value(0.5, 0.5, 0.5, "flow.nothing", "flow")}}};    // no range: no score
    const auto rows = score_rows(all);
    EXPECT_DOUBLE_EQ(row_of(rows, "packet").value, 0.25);
    EXPECT_DOUBLE_EQ(row_of(rows, "flow").value, 1);
    EXPECT_DOUBLE_EQ(row_of(rows, "overall").value, 0.625);
}

TEST(ScoreRows, OneFieldCannotDecideAlone) {
    const auto rows = score_rows({{"lab", "g", 1, {value(100, 0.1, 0.2, "a", "packet")}},
                                  {"lab", "g", 1, {value(0.1, 0.1, 0.2, "b", "packet")}}});
    EXPECT_DOUBLE_EQ(row_of(rows, "packet").value, 1);  // (2 + 0) / 2
}

TEST(ScoreRows, PartsOfAnotherValueDoNotCount) {
    MetricValue part = value(0.2, 0.1, 0.2, "tcp", "packet");
    part.in_score = false;
    const auto rows =
        score_rows({{"lab", "g", 1, {part}}, {"lab", "g", 1, {value(0.1, 0.1, 0.2, "all", "packet")}}});
    EXPECT_DOUBLE_EQ(row_of(rows, "packet").value, 0);
    EXPECT_DOUBLE_EQ(aggregate({"lab", "g", 1, {part}}).score, 1);
}

TEST(ScoreRows, PrivacyIsNoFidelity) {
    const auto rows = score_rows({{"lab", "g", 1, {value(0.2, 0.1, 0.2, "copies", "privacy")}},
                                  {"lab", "g", 1, {value(0.1, 0.1, 0.2, "b", "packet")}}});
    EXPECT_DOUBLE_EQ(row_of(rows, "privacy").value, 1);
    EXPECT_DOUBLE_EQ(row_of(rows, "overall").value, 0);
}

}  // namespace
}  // namespace tracebench
