#include "bench/check.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "bench/exit_code.h"

namespace tracebench {
namespace {
using nlohmann::json;

MetricRow row(const std::string& group, std::vector<double> seeds, bool lower = true) {
    MetricRow out;
    out.dataset = "lab";
    out.generator = "markov";
    out.metric = "jsd";
    out.group = group;
    out.lower_is_better = lower;
    out.unit = "bit";
    out.seeds = std::move(seeds);
    double sum = 0;
    for (const double seed : out.seeds) sum += seed;
    out.value = sum / static_cast<double>(out.seeds.size());
    out.floor = lower ? 0 : 1;
    out.ceiling = lower ? 1 : 0;
    return out;
}

RunRecord record(std::vector<MetricRow> rows) {
    RunRecord out;
    out.document = {{"manifest", {{"sha256", "m"}}},
                    {"datasets", {{{"name", "lab"}, {"sha256", "d"}}}},
                    {"seeds", {1, 2, 3}}};
    out.metrics = std::move(rows);
    return out;
}

json baseline_of(const RunRecord& run) { return parse_baseline(render_baseline(run), "baseline.json"); }

GateResult check(const RunRecord& now, const RunRecord& then) {
    return check_regression(now, baseline_of(then), "now", "then");
}

TEST(Check, TheSameRunPasses) {
    const RunRecord run = record({row("a", {0.1, 0.12, 0.11}), row("b", {0.9, 0.8, 0.85}, false)});
    const GateResult result = check(run, run);
    EXPECT_EQ(result.exit_code, exit_code::success);
    EXPECT_EQ(result.summary.outcome, "pass");
    EXPECT_EQ(result.findings.size(), 2u);
}

TEST(Check, AClearLossIsARegression) {
    const GateResult result = check(record({row("a", {0.31, 0.32, 0.30})}), record({row("a", {0.10, 0.12, 0.11})}));
    EXPECT_EQ(result.exit_code, exit_code::failed);
    EXPECT_EQ(result.findings.front().outcome, "regression");
    EXPECT_NEAR(result.findings.front().tolerance, 0.05, 1e-12);
}

TEST(Check, DirectionMatters) {
    const RunRecord high = record({row("a", {0.9, 0.91, 0.92}, false)}), low = record({row("a", {0.5, 0.51, 0.52}, false)});
    EXPECT_EQ(check(low, high).exit_code, exit_code::failed);
    EXPECT_EQ(check(high, low).exit_code, exit_code::success);
    EXPECT_EQ(check(high, low).findings.front().outcome, "improved");
}

TEST(Check, AChangeWithinTheTolerancePasses) {
    EXPECT_EQ(check(record({row("a", {0.14, 0.16, 0.15})}), record({row("a", {0.10, 0.12, 0.11})})).exit_code,
              exit_code::success);
}

TEST(Check, ALossThatSeedsExplainIsInconclusive) {
    const GateResult result = check(record({row("a", {0.9, 0.1, 0.2})}), record({row("a", {0.1, 0.12, 0.11})}));
    EXPECT_EQ(result.exit_code, exit_code::inconclusive);
    EXPECT_EQ(result.findings.front().outcome, "inconclusive");
}

TEST(Check, OneSeedCannotTell) {
    EXPECT_EQ(check(record({row("a", {0.9})}), record({row("a", {0.1})})).exit_code, exit_code::inconclusive);
    EXPECT_EQ(check(record({row("a", {0.1})}), record({row("a", {0.1})})).exit_code, exit_code::success);
}

TEST(Check, AMetricThatDisappearedOrFailedIsARegression) {
    const RunRecord then = record({row("a", {0.1, 0.1, 0.1}), row("b", {0.1, 0.1, 0.1})});
    EXPECT_EQ(check(record({row("a", {0.1, 0.1, 0.1})}), then).exit_code, exit_code::failed);
    RunRecord failed = then;
    failed.metrics[1].status = "failed";
    failed.metrics[1].reason = "no packets";
    const GateResult result = check(failed, then);
    EXPECT_EQ(result.exit_code, exit_code::failed);
    EXPECT_EQ(result.findings.front().outcome, "missing");
    EXPECT_NE(result.findings.front().message.find("no packets"), std::string::npos);
}

TEST(Check, OtherDataOrManifestIsNotComparable) {
    const RunRecord then = record({row("a", {0.1, 0.1, 0.1})});
    RunRecord now = then;
    now.document["datasets"][0]["sha256"] = "other";
    EXPECT_EQ(check(now, then).exit_code, exit_code::not_comparable);
    now = then;
    now.document["manifest"]["sha256"] = "other";
    EXPECT_EQ(check(now, then).exit_code, exit_code::not_comparable);
    now = then;
    now.metrics[0].version = 2;
    EXPECT_EQ(check(now, then).exit_code, exit_code::not_comparable);
}

TEST(Check, ABaselineThatMeasuresNothingDoesNotPass) {
    EXPECT_EQ(check(record({row("a", {0.1, 0.1, 0.1})}), record({})).exit_code, exit_code::not_comparable);
}

TEST(Check, ManyRowsOfNoiseRaiseNoAlarm) {
    // 200 rows that differ by seed noise alone, some by more than the tolerance: none may be a regression.
    std::vector<MetricRow> then, now;
    std::uint64_t state = 1;
    const auto noise = [&] {
        state = state * 6364136223846793005ull + 1442695040888963407ull;
        return static_cast<double>(state >> 11) * 0x1p-53;
    };
    for (int i = 0; i < 200; ++i) {
        then.push_back(row(std::to_string(i), {noise(), noise(), noise()}));
        now.push_back(row(std::to_string(i), {noise(), noise(), noise()}));
    }
    EXPECT_NE(check(record(now), record(then)).exit_code, exit_code::failed);
}

TEST(Baseline, IsOneLineARowAndRefusesOtherFiles) {
    const std::string text = render_baseline(record({row("a", {0.1}), row("b", {0.2})}));
    EXPECT_NE(text.find("\"group\":\"a\""), std::string::npos);
    EXPECT_EQ(parse_baseline(text, "b").at("rows").size(), 2u);
    EXPECT_THROW(parse_baseline("{}", "b"), InputError);
    EXPECT_THROW(parse_baseline("not json", "b"), InputError);
    EXPECT_THROW(parse_baseline(R"({"baseline_version":2,"manifest_sha256":"","datasets":{},"rows":[]})", "b"),
                 InputError);
}

}  // namespace
}  // namespace tracebench
