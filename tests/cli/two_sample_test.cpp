/// The two-sample test, NetShare's measures and consistency as a run reports them.

#include <gmock/gmock.h>

#include "tests/cli/cli.h"

namespace tracebench::test {
namespace {

using nlohmann::json;

class TwoSample : public CliTest {
  protected:
    json run() const {
        const std::string manifest = write(
            "small.json",
            R"({"name":"small","datasets":[{"name":"lab","folder":")" + lab().string() + R"(","labels":")" +
                (lab() / "labels.csv").string() +
                R"(","classes":["dns","ssh","web"],"max_samples_per_class":8,"max_packets":60}],)"
                R"("generators":[{"name":"resample"},{"name":"marginal"}],"metrics":["netshare","consistency"],)"
                R"("classifiers":{"models":["xgboost"],"features":["flow"],"mixing":[1]},"seeds":[1],"bootstrap":30})");
        const ProcessResult result = tracebench({"run", manifest, "-o", path("out")});
        EXPECT_EQ(result.code, 0) << result.errors;
        return json::parse(read_file(path("out/results.json")));
    }
    static json row(const json& record, const std::string& generator, const std::string& metric,
                    const std::string& group) {
        for (const json& row : record.at("metrics"))
            if (row["generator"] == generator && row["metric"] == metric && row["group"] == group) return row;
        return {};
    }
};

TEST_F(TwoSample, FindsIndependentMarginalsAndNotCopies) {
    const json record = run();
    const json copies = row(record, "resample", "c2st.auc", "xgboost/flow"),
               marginal = row(record, "marginal", "c2st.auc", "xgboost/flow");
    ASSERT_FALSE(copies.is_null() || marginal.is_null());
    EXPECT_GT(marginal["value"], 0.95);
    EXPECT_LT(copies["value"], 0.8);
    EXPECT_GT(copies["floor"], 0.3);
    EXPECT_LT(copies["floor"], 0.7);
    EXPECT_EQ(copies["ceiling"], 1);
    EXPECT_EQ(copies["ci95"].size(), 2u);
    EXPECT_EQ(row(record, "marginal", "c2st.p_value", "xgboost/flow")["value"], 1.0 / 40);
    EXPECT_GT(row(record, "resample", "c2st.p_value", "xgboost/flow")["value"], 1.0 / 40);

    EXPECT_EQ(row(record, "resample", "consistency.rate", "")["value"], 1);
    EXPECT_LT(row(record, "marginal", "consistency.rate", "")["value"], 0.99);
    EXPECT_FALSE(record.at("details").at("lab").at("consistency").at("rules").empty());
    EXPECT_EQ(row(record, "resample", "netshare.emd", "packet.PS")["unit"], "bytes");
    // None of them moves a score.
    EXPECT_TRUE(row(record, "marginal", "score", "compliance").is_null());
    EXPECT_TRUE(row(record, "marginal", "score", "flow").is_null());
}

}  // namespace
}  // namespace tracebench::test
