#include <gmock/gmock.h>

#include <cmath>

#include "bench/utility.h"

namespace tracebench {
namespace {

using nlohmann::json;

json synthetic(double auc) {
    return {{"auc", auc},
            {"accuracy", 0.6},
            {"auc_replicates", {0.6, 0.7}},
            {"accuracy_replicates", {0.5, 0.7}},
            {"sessions", {12, 12}},
            {"n", {40, 30}}};
}

/// Nineteen AUCs, 0.41 to 0.59 in steps of 0.01, and as many accuracies.
json null_distribution() {
    json draws = json::array();
    for (int i = 41; i < 60; ++i) draws.push_back({{"auc", i / 100.0}, {"accuracy", 0.5}});
    return {{"sessions", {12, 12}}, {"draws", draws}};
}

TEST(TwoSampleValues, StandBesideTheirNullDistribution) {
    const json of = synthetic(0.65), null = null_distribution();
    const std::vector<MetricValue> values = two_sample_values({&of, &null, ""});
    ASSERT_EQ(values.size(), 3U);
    for (const MetricValue& value : values) {
        EXPECT_EQ(value.group, "xgboost/flow");
        EXPECT_EQ(value.area, "flow");
        EXPECT_FALSE(value.in_score);
        EXPECT_EQ(value.n_real, 40U);
        EXPECT_EQ(value.n_synthetic, 30U);
    }
    EXPECT_EQ(values[0].metric, "c2st.auc");
    EXPECT_EQ(values[0].value, 0.65);
    EXPECT_NEAR(values[0].floor, 0.5, 1e-12);
    EXPECT_EQ(values[0].ceiling, 1);
    EXPECT_TRUE(values[0].lower_is_better);
    EXPECT_EQ(values[0].replicates, (std::vector<double>{0.6, 0.7}));
    EXPECT_EQ(values[1].metric, "c2st.accuracy");
    EXPECT_EQ(values[1].value, 0.6);
    EXPECT_EQ(values[2].metric, "c2st.p_value");
    EXPECT_FALSE(values[2].lower_is_better);
    EXPECT_DOUBLE_EQ(values[2].value, 1.0 / 20);
    const json nearer = synthetic(0.575);
    EXPECT_DOUBLE_EQ(two_sample_values({&nearer, &null, ""})[2].value, 3.0 / 20);
}

TEST(TwoSampleValues, SayWhatIsMissing) {
    const json of = synthetic(0.65), no_draws = {{"sessions", {1, 1}}, {"draws", json::array()}};
    const std::vector<MetricValue> values = two_sample_values({&of, &no_draws, ""});
    EXPECT_TRUE(std::isnan(values[0].floor) && std::isnan(values[0].ceiling));
    EXPECT_EQ(values[2].skipped, "too few real sessions to compare with each other");
    json few = of;
    few["sessions"] = {12, 8};
    const json null = null_distribution();
    EXPECT_THAT(two_sample_values({&few, &null, ""})[2].skipped,
                testing::HasSubstr("fewer synthetic sessions"));
    const json skipped = {{"skipped", "a side has fewer than two sessions with flows"}};
    for (const MetricValue& value : two_sample_values({&skipped, &no_draws, ""}))
        EXPECT_EQ(value.skipped, "a side has fewer than two sessions with flows") << value.metric;
    for (const MetricValue& value : two_sample_values({nullptr, nullptr, "seed 2: no memory"}))
        EXPECT_EQ(value.failed, "seed 2: no memory") << value.metric;
}

}  // namespace
}  // namespace tracebench
