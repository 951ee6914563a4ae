#include "reports/comparison.h"

#include <gmock/gmock.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "reports/render.h"

namespace tracebench {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

MetricRow row(const std::string& group, std::vector<double> seeds) {
    MetricRow out;
    out.dataset = "lab";
    out.generator = "markov";
    out.metric = "jsd";
    out.group = group;
    out.area = "packet";
    out.seeds = seeds;
    out.value = 0;
    for (const double seed : seeds) out.value += seed / static_cast<double>(seeds.size());
    out.ci95[0] = out.ci95[1] = std::nan("");
    out.score = out.value;
    return out;
}

RunRecord record(std::vector<MetricRow> rows, const std::string& data = "aa", int order = 1) {
    RunRecord out;
    out.metrics = std::move(rows);
    out.document = {
        {"schema_version", 1},
        {"datasets", {{{"name", "lab"}, {"sha256", data}}}},
        {"manifest",
         {{"path", "m.json"}, {"sha256", "m" + std::to_string(order)}, {"content", {{"order", order}}}}},
        {"leaderboard",
         {{{"dataset", "lab"}, {"generator", "markov"}, {"score", 0.5}, {"ci95", {0.4, 0.6}}}}}};
    return out;
}

// Differences 0.1, 0.2, 0.3: mean 0.2, s = 0.1; 4.303 * 0.1 / sqrt(3) = 0.24843.
TEST(SeedDifference, PairedWhereBothHaveTheSameSeeds) {
    const Difference d = seed_difference({1, 2, 3}, {1.1, 2.2, 3.3});
    EXPECT_TRUE(d.paired);
    EXPECT_NEAR(d.value, 0.2, 1e-12);
    EXPECT_NEAR(d.ci95[0], 0.2 - 0.24843, 1e-4);
    EXPECT_NEAR(d.ci95[1], 0.2 + 0.24843, 1e-4);
}

// Means 2 and 4, variances 1 and 2, n 3 and 2: se^2 = 1/3 + 1, degrees = (16/9) / (1/18 + 1) = 1.684;
// scipy.stats.t.ppf(0.975, 1.684211) = 5.17623.
TEST(SeedDifference, WelchWhereTheyDiffer) {
    const Difference d = seed_difference({1, 2, 3}, {3, 5});
    EXPECT_FALSE(d.paired);
    EXPECT_NEAR(d.value, 2, 1e-12);
    EXPECT_NEAR(d.ci95[1] - d.value, 5.17623 * std::sqrt(4.0 / 3), 1e-4);
}

TEST(SeedDifference, NoIntervalFromOneSeed) {
    const Difference d = seed_difference({1}, {2});
    EXPECT_DOUBLE_EQ(d.value, 1);
    EXPECT_TRUE(std::isnan(d.ci95[0]));
    EXPECT_TRUE(std::isnan(seed_difference({}, {1}).value));
    EXPECT_TRUE(std::isnan(seed_difference({std::nan("")}, {1}).value));
}

TEST(Comparison, OutcomesInOrder) {
    MetricRow broken = row("broken", {0.1, 0.1});
    broken.status = "failed";
    broken.reason = "no packets";
    MetricRow newer = row("newer", {0.5, 0.5});
    newer.version = 2;
    const RunRecord a = record({row("same", {0.1, 0.2}), row("better", {0.5, 0.6}), row("worse", {0.1, 0.2}),
                                row("unclear", {0.1, 0.9}), row("gone", {0.1}), row("broken", {0.1, 0.2}),
                                row("newer", {0.1, 0.2})});
    const RunRecord b = record({row("new", {0.1}), row("same", {0.1, 0.2}), row("better", {0.3, 0.4}),
                                row("worse", {0.3, 0.4001}), row("unclear", {0.9, 0.2}), broken, newer});
    std::vector<std::string> got;
    for (const Change& change : compare_metrics(a, b))
        got.push_back(change.either().group + ":" + change.outcome);
    EXPECT_THAT(got, ElementsAre("worse:worse", "better:better", "unclear:unclear", "newer:not_comparable",
                                 "broken:not_comparable", "gone:only_a", "new:only_b", "same:same"));
}

TEST(Comparison, HigherIsBetterTurnsTheVerdict) {
    MetricRow low = row("x", {0.1, 0.2}), high = row("x", {0.3, 0.4});
    low.lower_is_better = high.lower_is_better = false;
    EXPECT_EQ(compare_metrics(record({low}), record({high}))[0].outcome, "better");
}

TEST(Comparison, OtherDataIsNotComparable) {
    const RunRecord a = record({row("x", {0.1, 0.2})}), b = record({row("x", {0.3, 0.4})}, "bb", 2);
    const Change change = compare_metrics(a, b)[0];
    EXPECT_EQ(change.outcome, "not_comparable");
    EXPECT_EQ(change.reason, "the data set differs");
    EXPECT_THAT(
        comparison_warnings(a, b),
        ElementsAre("Data set lab has another content in B (bb against aa): its values are not comparable.",
                    "The manifests differ, at /order."));
    EXPECT_TRUE(comparison_warnings(a, a).empty());
}

TEST(Comparison, JsonCountsAndSides) {
    const json out = comparison_json(record({row("x", {0.1, 0.2})}), record({row("x", {0.3, 0.4})}));
    EXPECT_EQ(out["counts"]["worse"], 1);
    EXPECT_EQ(out["changes"][0]["seeds"], json({2, 2}));
    EXPECT_EQ(out["leaderboard"][0]["b"]["score"], 0.5);
}

TEST(Comparison, MarkdownEscapesNames) {
    RunRecord a = record({row("a|b", {0.1, 0.2})}), b = record({row("a|b", {0.3, 0.4})});
    const std::string text = render_comparison_markdown(a, b, "x`y", "b");
    EXPECT_THAT(text, HasSubstr("A: `x'y`"));
    EXPECT_THAT(text, HasSubstr("| worse | lab | markov | jsd a\\|b | 0.15 | 0.35 | +0.2 [+0.2, +0.2] |"));
}

}  // namespace
}  // namespace tracebench
