#include "bench/generator_record.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "reports/run_record.h"

namespace tracebench {
namespace {

using nlohmann::json;

json point(int tokens, json train, json validation = nullptr) {
    return {{"tokens", tokens},
            {"steps", tokens / 10},
            {"seconds", tokens / 100.0},
            {"train_loss", std::move(train)},
            {"bits_per_packet", validation.is_number() ? json(validation.get<double>() * 10) : json()},
            {"validation_loss", std::move(validation)}};
}

TEST(ThinnedCurve, JoinsNeighbours) {
    const json curve = {point(10, 6.0, 6.5), point(20, 5.0), point(30, 4.0, 4.5), point(40, 3.0),
                        point(50, 1.0)};
    // The first point, then two runs of two: (5 + 4) / 2 with the validation of the second, (3 + 1) / 2 with
    // none.
    EXPECT_EQ(thinned_curve(curve, 3), json({point(10, 6.0, 6.5), point(30, 4.5, 4.5), point(50, 2.0)}));
    EXPECT_EQ(thinned_curve(curve, 5), curve);
    EXPECT_EQ(thinned_curve(curve, 200), curve);
    EXPECT_EQ(thinned_curve(curve, 2), json({point(10, 6.0, 6.5), point(50, 3.25, 4.5)}));
}

TEST(ThinnedCurve, SpansTheRangeAndKeepsTheMean) {
    json curve = json::array();
    for (int i = 0; i <= 5000; ++i) curve.push_back(point(i * 100, i % 2 == 0 ? 1.0 : 3.0));
    const json thin = thinned_curve(curve, 200);
    ASSERT_EQ(thin.size(), 200u);
    EXPECT_EQ(thin.front(), curve.front());
    EXPECT_EQ(thin.back()["tokens"], 500000);
    double sum = 0;
    for (std::size_t i = 1; i < thin.size(); ++i) {
        EXPECT_GT(thin[i]["tokens"], thin[i - 1]["tokens"]);
        sum += thin[i]["train_loss"].get<double>();
    }
    EXPECT_NEAR(sum / 199, 2.0, 0.01);
}

TEST(ThinnedCurve, WhatIsNoNumberIsNull) {
    const json curve = {point(10, std::nan("")), "text", point(20, 2.0, "low"), point(30, 4.0, 1.5)};
    EXPECT_EQ(thinned_curve(curve, 200), json({point(10, nullptr), point(20, 2.0), point(30, 4.0, 1.5)}));
    EXPECT_EQ(thinned_curve(curve, 2), json({point(10, nullptr), point(30, 3.0, 1.5)}));
    EXPECT_EQ(thinned_curve({{{"loss", 1}}}, 2)[0]["seconds"], json());
    for (const json& nothing : {json(), json::array(), json(5), json::object()})
        EXPECT_EQ(thinned_curve(nothing, 200), json::array());
}

GeneratorPlan plan() {
    GeneratorPlan plan;
    plan.name = "a";
    plan.kind = "b";
    plan.settings = {{"preset", "tiny"}};
    return plan;
}

TEST(GeneratorEntry, APlaceForEverySeed) {
    const json fit = {
        {"fit_s", 61.5},
        {"describe",
         {{"kind", "b"},
          {"parameters", 5000},
          {"training",
           {{"tokens", 20}, {"best_validation", "none"}, {"curve", {point(10, 2.0), point(20, 1.0)}}}}}}};
    const json sample = {{"sample_s", 2.5},
                         {"packets", 900},
                         {"sampling", {{"tokens", 9000}, {"illegal_first_choices", 45}, {"packets", 900}}}};
    const json entry = generator_entry(plan(), "lab", {{7, nullptr, nullptr}, {8, &fit, &sample}});
    EXPECT_EQ(entry["fit_s"], json({nullptr, 61.5}));
    EXPECT_EQ(entry["sample_s"], json({nullptr, 2.5}));
    EXPECT_EQ(entry["packets"], json({nullptr, 900}));
    EXPECT_EQ(entry["describe"]["parameters"], 5000);
    EXPECT_FALSE(entry["describe"]["training"].contains("curve"));
    ASSERT_EQ(entry["training"].size(), 2u);
    EXPECT_TRUE(entry["training"][0].is_null());
    EXPECT_EQ(entry["training"][1]["seed"], 8);
    EXPECT_TRUE(entry["training"][1]["best_validation"].is_null());
    EXPECT_EQ(entry["training"][1]["curve"].size(), 2u);
    EXPECT_EQ(
        entry["sampling"],
        json({nullptr, {{"seed", 8}, {"tokens", 9000}, {"illegal_first_choices", 45}, {"packets", 900}}}));

    const json record = {{"schema_version", 1}, {"metrics", json::array()}, {"generators", {entry}}};
    EXPECT_NO_THROW(RunRecord::from_json(record, "results.json"));
}

TEST(GeneratorEntry, NothingAboutTrainingWhereThereIsNone) {
    const json fit = {{"fit_s", 0.5}, {"describe", {{"kind", "b"}}}};
    const json strange = {{"fit_s", 0.5}, {"describe", {{"training", "long"}}}};
    const json sample = {{"sample_s", 2.5}, {"packets", 900}, {"sampling", {1, 2}}};
    for (const json* result : {&fit, &strange}) {
        const json entry = generator_entry(plan(), "lab", {{1, result, &sample}});
        EXPECT_FALSE(entry.contains("training"));
        EXPECT_FALSE(entry.contains("sampling"));
        EXPECT_EQ(entry["fit_s"], json({0.5}));
    }
}

}  // namespace
}  // namespace tracebench
