#include "metrics/summary.h"

#include <gmock/gmock.h>

#include "metrics/details.h"
#include "metrics/distance/distributions.h"
#include "metrics/session/timeline.h"
#include "tests/unit/metrics/traces.h"

namespace tracebench {
namespace {

using nlohmann::json;

TEST(Details, RealAndGeneratorsComeTogether) {
    json dataset;
    merge_real_details(dataset, {{"distributions", {{"x", {{"kind", "categorical"}, {"real", {1, 0}}}}}},
                                 {"summary", {{"real", {{"a", 1}}}}}});
    merge_real_details(dataset, {{"compliance", {{"real", 1}}}, {"summary", {{"statistics", {2}}}}});
    merge_real_details(dataset, nullptr);
    merge_generator_details(
        dataset, "g",
        {{"distributions", {{"x", {0.5, 0.5}}, {"only synthetic", {1}}}}, {"summary", {{"a", 3}}}});
    merge_generator_details(dataset, "g", nullptr);
    EXPECT_EQ(dataset, json::parse(R"({
        "distributions": {"x": {"kind": "categorical", "real": [1, 0], "generators": {"g": [0.5, 0.5]}}},
        "summary": {"real": {"a": 1}, "statistics": [2], "generators": {"g": {"a": 3}}},
        "compliance": {"real": 1}})"));
}

TEST(Details, Rounded) {
    EXPECT_EQ(json(rounded(123456789.0)).dump(), "123457000.0");
    EXPECT_EQ(json(rounded(-0.00012345678)).dump(), "-0.000123457");
    EXPECT_EQ(rounded(0), 0);
    EXPECT_EQ(rounded(1e308), 1e308);
}

TEST(Distributions, CumulativeKeepsEveryStepOfFewValues) {
    EXPECT_EQ(cumulative(sorted_counts(std::vector<double>{3, 1, 1, 2})),
              json::parse(R"({"x": [1, 2, 3], "p": [0.5, 0.75, 1]})"));
    EXPECT_TRUE(cumulative({}).is_null());
}

TEST(Distributions, CumulativeIsBoundedAndMonotone) {
    std::vector<double> values;
    Random random(1);
    for (int i = 0; i < 5000; ++i) values.push_back(random.chance(0.3) ? 0 : random.exponential(1));
    const json cdf = cumulative(sorted_counts(values));
    const auto x = cdf["x"].get<std::vector<double>>(), p = cdf["p"].get<std::vector<double>>();
    EXPECT_LE(x.size(), 100u);
    EXPECT_EQ(x.size(), p.size());
    EXPECT_TRUE(std::is_sorted(x.begin(), x.end()));
    EXPECT_TRUE(std::is_sorted(p.begin(), p.end()));
    EXPECT_EQ(x.front(), 0);
    EXPECT_NEAR(p.front(), 0.3, 0.03);
    EXPECT_EQ(p.back(), 1);
}

class Details3 : public testing::Test {
  protected:
    SampleSet real = testing_traces::sample_set("real", testing_traces::random_samples(1, 6)),
              other = testing_traces::sample_set("g", testing_traces::random_samples(2, 6));
};

TEST_F(Details3, SharesAddUpAndHaveOnePlaceACategory) {
    SampleSet odd = other;
    for (Column& column : odd.observations.columns)
        if (column.info.name == "tcp.flags") std::fill(column.values.begin(), column.values.end(), 255.0);
    json dataset;
    merge_real_details(dataset, Summary().describe_real(real));
    merge_generator_details(dataset, "g", Summary().evaluate({real, real, odd, odd}).details);
    const json& flags = dataset["distributions"]["tcp.flags"];
    const std::size_t places = flags["categories"].size();
    EXPECT_EQ(flags["categories"][places - 1], "other");
    EXPECT_EQ(flags["real"].size(), places);
    EXPECT_EQ(flags["generators"]["g"].size(), places);
    // None of the real flags.
    EXPECT_EQ(flags["generators"]["g"][places - 1], 1);
    double sum = 0;
    for (const json& share : flags["real"]) sum += share.get<double>();
    EXPECT_NEAR(sum, 1, 1e-4);
    EXPECT_EQ(dataset["distributions"]["flow.duration"]["log"], true);
    EXPECT_FALSE(dataset["distributions"].contains("udp.length"));
    EXPECT_TRUE(dataset["summary"]["generators"]["g"].contains("flow.bytes"));
    EXPECT_EQ(dataset["fields"].size(), all_fields().size());
}

TEST_F(Details3, SessionsAreBounded) {
    LabelledTrace large{"big.pcap#TCP|x", "a", {}};
    Random random(1);
    for (std::uint8_t host = 1; host <= 50; ++host)
        testing_traces::append_flow(large.trace, random, host, 40000, 20);
    const json session = describe_session(large);
    EXPECT_EQ(session["file"], "big.pcap");
    EXPECT_EQ(session["flows"].size(), 40u);
    EXPECT_EQ(session["flows_left_out"], 10);
    std::size_t points = 0;
    for (const json& flow : session["flows"]) {
        points += flow["points"].size();
        ASSERT_GE(flow["points"].size(), 2u);
        EXPECT_EQ(flow["points"].front()[0], flow["start"]);
        EXPECT_EQ(flow["points"].back()[0], flow["end"]);
    }
    EXPECT_LE(points, 300u);
    EXPECT_GT(points, 150u);
    const json& throughput = session["throughput"];
    EXPECT_LE(throughput["up"].size(), 120u);
    double bits = 0;
    for (const char* side : {"up", "down"})
        for (const json& rate : throughput[side])
            bits += rate.get<double>() * throughput["step_s"].get<double>();
    EXPECT_NEAR(bits / 8 / session["bytes"].get<double>(), 1, 0.001);
}

TEST_F(Details3, TwoSessionsOfEveryLabel) {
    EXPECT_EQ(describe_sessions(real.samples).size(), 4u);
    EXPECT_EQ(describe_sessions(std::vector{real.samples.load().front()}).size(), 1u);
    EXPECT_EQ(describe_session({"empty", "a", {}})["flows"], json::array());
}

}  // namespace
}  // namespace tracebench
