// Against SciPy: tests/golden/distance/make.py says how the expected values were made.

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "metrics/distance/csv_columns.h"
#include "metrics/distance/field_report.h"

namespace tracebench {
namespace {

const std::string folder = TRACEBENCH_SOURCE_DIR "/tests/golden/distance/";

TEST(GoldenDistance, AgreesWithSciPy) {
    const auto expected = nlohmann::json::parse(read_file(folder + "expected.json"));
    const auto pairs = pair_columns(read_csv(folder + "real.csv"), read_csv(folder + "synthetic.csv"));
    ASSERT_EQ(pairs.size(), expected.size());
    for (const ColumnPair& pair : pairs) {
        SCOPED_TRACE(pair.real.info.name);
        const auto& want = expected.at(pair.real.info.name);
        ReportOptions options;
        options.bootstrap = 0;
        const std::vector<std::string> real(pair.real.values.size(), "row"),
            synthetic(pair.synthetic.values.size(), "row");
        const FieldReport report =
            report_field(pair.real, real, pair.synthetic, synthetic, options, pair.names);
        const nlohmann::json got = report.to_json();
        EXPECT_EQ(got.at("kind"), want.at("kind"));
        EXPECT_EQ(got.at("n"), want.at("n"));
        EXPECT_EQ(report.real_counts, want.at("real").get<std::vector<double>>());
        EXPECT_EQ(report.synthetic_counts, want.at("synthetic").get<std::vector<double>>());
        const char* bins = want.contains("edges") ? "edges" : "categories";
        EXPECT_EQ(got.at("bins").at(bins), want.at(bins));
        for (const char* measure :
             {"jsd", "tvd", "hellinger", "kl", "chi_square", "wasserstein", "ks", "energy"}) {
            if (!want.contains(measure)) {
                EXPECT_TRUE(got.at(measure).is_null()) << measure;
                continue;
            }
            const double value = want.at(measure);
            EXPECT_NEAR(got.at(measure).get<double>(), value, 1e-12 * std::max(1.0, value)) << measure;
        }
    }
}

}  // namespace
}  // namespace tracebench
