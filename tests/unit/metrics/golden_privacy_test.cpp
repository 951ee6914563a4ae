// Against scikit-learn: tests/golden/privacy/make.py says how the expected values were made.

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "metrics/privacy/neighbours.h"
#include "metrics/privacy/roc.h"

namespace tracebench {
namespace {

nlohmann::json expected() {
    return nlohmann::json::parse(read_file(TRACEBENCH_SOURCE_DIR "/tests/golden/privacy/expected.json"));
}

TEST(GoldenPrivacy, RocAgreesWithScikitLearn) {
    for (const auto& want : expected().at("attacks")) {
        std::vector<Judged> judged;
        // Every judged sample is a session of its own, so that each can have a weight.
        for (std::size_t i = 0; i < want.at("scores").size(); ++i)
            judged.push_back(
                {want.at("scores")[i], want.at("member")[i] == 1, static_cast<std::uint32_t>(i)});
        sort_by_score(judged);
        const std::vector<double> once(judged.size(), 1.0), weights = want.at("weights");
        EXPECT_NEAR(area_under_curve(judged, once, once), want.at("auc").get<double>(), 1e-12);
        EXPECT_NEAR(area_under_curve(judged, weights, weights), want.at("weighted_auc").get<double>(), 1e-12);
        for (const auto& [level, rate] : want.at("tpr").items())
            EXPECT_NEAR(true_positive_rate(judged, std::stod(level), once, once), rate.get<double>(), 1e-12)
                << level;
        for (const auto& [level, rate] : want.at("weighted_tpr").items())
            EXPECT_NEAR(true_positive_rate(judged, std::stod(level), weights, weights), rate.get<double>(),
                        1e-12)
                << level;
    }
}

TEST(GoldenPrivacy, NeighboursAgreeWithScikitLearn) {
    const auto want = expected().at("neighbours");
    const auto records = [&](const char* side) {
        std::vector<FlowRecord> flows;
        for (const auto& row : want.at(side)) flows.emplace_back().features = row.get<std::vector<double>>();
        return flows;
    };
    PrivacyView sides[3];
    const char* const names[] = {"train", "heldout", "synthetic"};
    for (std::size_t s = 0; s < 3; ++s) {
        sides[s].flows = records(names[s]);
        sides[s].labels = {"one"};
        sides[s].identifiers.resize(1);
    }
    const Flows train = all_flows(sides[0]), heldout = all_flows(sides[1]), synthetic = all_flows(sides[2]);
    const FeatureScaling scaling({&train, &heldout});
    const auto distances = nearest_two(scaling.apply(synthetic), scaling.apply(train));
    ASSERT_EQ(distances.size(), want.at("nearest_two").size());
    for (std::size_t i = 0; i < distances.size(); ++i)
        for (const std::size_t k : {0, 1})
            EXPECT_NEAR(distances[i][k], want.at("nearest_two")[i][k].get<double>(), 1e-12) << i;
    const Findings findings = measure_neighbours({sides[0], sides[1], sides[2]});
    for (const auto& [metric, key] : {std::pair{"privacy.dcr", "dcr_p5"}, {"privacy.nndr", "nndr_p5"}}) {
        const auto found =
            std::find_if(findings.list.begin(), findings.list.end(),
                         [&](const Finding& finding) { return finding.value.metric == metric; });
        ASSERT_NE(found, findings.list.end());
        EXPECT_NEAR(found->value.value, want.at(key).get<double>(), 1e-12) << metric;
    }
}

}  // namespace
}  // namespace tracebench
