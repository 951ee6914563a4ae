#include "reports/run_record.h"

#include <gmock/gmock.h>

#include <cmath>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"

namespace tracebench {
namespace {

using nlohmann::json;

json example() {
    return {{"schema_version", 1},
            {"created", "2024-01-02T03:04:05Z"},
            {"leaderboard", json::array()},
            {"metrics",
             {{{"dataset", "lab"},
               {"generator", "markov"},
               {"metric", "jsd"},
               {"group", "ip.ttl"},
               {"area", "packet"},
               {"value", 0.25},
               {"direction", "lower"},
               {"unit", "bit"},
               {"n", 1200},
               {"seeds", {0.2, 0.3, nullptr}},
               {"ci95", {0.21, 0.29}},
               {"floor", 0.05},
               {"ceiling", 0.45},
               {"score", 0.5},
               {"status", "ok"},
               {"reason", ""},
               {"version", 3},
               {"in_score", false}}}}};
}

std::string error_of(const json& document) {
    try {
        RunRecord::from_json(document, "results.json");
    } catch (const InputError& error) {
        return error.what();
    }
    return "no error";
}

TEST(RunRecord, RoundTripKeepsEveryValue) {
    const RunRecord record = RunRecord::from_json(example(), "results.json");
    ASSERT_EQ(record.metrics.size(), 1u);
    const MetricRow& row = record.metrics[0];
    EXPECT_EQ(row.group, "ip.ttl");
    EXPECT_EQ(row.n, 1200u);
    EXPECT_TRUE(row.lower_is_better);
    EXPECT_DOUBLE_EQ(row.ci95[1], 0.29);
    EXPECT_TRUE(std::isnan(row.seeds[2]));
    EXPECT_EQ(row.version, 3);
    EXPECT_FALSE(row.in_score);
    EXPECT_FALSE(record.document.contains("metrics"));
    EXPECT_EQ(record.to_json(), example());
}

TEST(RunRecord, NotANumberIsNullInTheFile) {
    RunRecord record;
    MetricRow row;
    row.value = row.floor = row.ceiling = row.score = row.ci95[0] = row.ci95[1] = std::nan("");
    row.seeds = {std::nan(""), 1.5};
    row.area = "packet";
    row.status = "failed";
    record.metrics.push_back(row);
    record.document["leaderboard"] = {
        {{"dataset", "d"}, {"generator", "g"}, {"score", std::numeric_limits<double>::infinity()}}};
    const json out = record.to_json();
    EXPECT_TRUE(out["metrics"][0]["value"].is_null());
    EXPECT_TRUE(out["metrics"][0]["ci95"].is_null());
    EXPECT_EQ(out["metrics"][0]["seeds"], json({nullptr, 1.5}));
    EXPECT_TRUE(out["leaderboard"][0]["score"].is_null());
    const RunRecord again = RunRecord::from_json(out, "again");
    EXPECT_TRUE(std::isnan(again.metrics[0].value));
    EXPECT_TRUE(std::isnan(again.metrics[0].ci95[0]));
    EXPECT_EQ(again.to_json(), out);
}

TEST(RunRecord, ErrorsNameThePlace) {
    json broken = example();
    broken["metrics"][0]["value"] = "many";
    EXPECT_EQ(error_of(broken), "results.json: /metrics/0/value is \"many\"; expected number or null");
    broken = example();
    broken["metrics"][0]["status"] = "fine";
    EXPECT_EQ(error_of(broken),
              "results.json: /metrics/0/status is \"fine\"; expected ok or failed or skipped");
    broken = example();
    broken["metrics"][0].erase("n");
    EXPECT_THAT(error_of(broken), testing::HasSubstr("/metrics/0: Missing required property 'n'"));
    broken = example();
    broken["details"] = {{"a/b", {{"fields", 5}}}};
    EXPECT_EQ(error_of(broken), "results.json: /details/a~1b/fields is 5; expected array");
    broken = example();
    broken["schema_version"] = 2;
    EXPECT_THAT(error_of(broken),
                testing::HasSubstr("/schema_version is 2; this tracebench reads version 1"));
    EXPECT_THAT(error_of(json::array()), testing::HasSubstr("not a run record"));
}

TEST(RunRecord, TrainingAndSamplingOfGenerators) {
    const json training = {{"seed", 1},
                           {"best_validation", nullptr},
                           {"stopped", "seconds"},
                           {"curve", {{{"tokens", 10}, {"train_loss", 2.5}, {"validation_loss", nullptr}}}}};
    const json sampling = {{"seed", 1}, {"tokens", 100}, {"illegal_first_choices", 3}, {"packets", 9}};
    json record = example();
    record["generators"] = {
        {{"name", "old"}, {"fit_s", {1.5, nullptr}}},
        {{"name", "new"}, {"training", {training, nullptr}}, {"sampling", {sampling, nullptr}}}};
    EXPECT_EQ(RunRecord::from_json(record, "results.json").to_json(), record);
    json broken = record;
    broken["generators"][1]["training"][0]["curve"][0]["train_loss"] = "low";
    EXPECT_EQ(
        error_of(broken),
        "results.json: /generators/1/training/0/curve/0/train_loss is \"low\"; expected number or null");
    broken = record;
    broken["generators"][1]["training"][0]["curve"] = 7;
    EXPECT_EQ(error_of(broken), "results.json: /generators/1/training/0/curve is 7; expected array");
    broken = record;
    broken["generators"][1]["sampling"] = sampling;
    EXPECT_THAT(error_of(broken), testing::HasSubstr("/generators/1/sampling is "));
}

TEST(RunRecord, LoadsAFileOrItsFolder) {
    const std::filesystem::path folder = std::filesystem::path(testing::TempDir()) / "run_record_test";
    write_file(folder / "results.json", example().dump());
    EXPECT_EQ(RunRecord::load(folder).to_json(), example());
    EXPECT_EQ(RunRecord::load(folder / "results.json").to_json(), example());
    write_file(folder / "deep.json", std::string(100000, '['));
    EXPECT_THROW(RunRecord::load(folder / "deep.json"), InputError);
    write_file(folder / "half.json", "{\"schema_version\": 1,");
    EXPECT_THROW(RunRecord::load(folder / "half.json"), InputError);
    std::filesystem::remove_all(folder);
    EXPECT_THROW(RunRecord::load(folder), InputError);
}

}  // namespace
}  // namespace tracebench
