// Against NumPy, SciPy and PyWavelets: tests/golden/flows/make_series.py says how the expected values were
// made.

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <vector>

#include "base/file.h"
#include "metrics/session/hurst.h"
#include "metrics/session/throughput.h"

namespace tracebench {
namespace {

TEST(GoldenSeries, AgreesWithNumPyAndPyWavelets) {
    const auto cases =
        nlohmann::json::parse(read_file(TRACEBENCH_SOURCE_DIR "/tests/golden/flows/series_expected.json"));
    ASSERT_EQ(cases.size(), 3u);
    for (const auto& expected : cases) {
        SCOPED_TRACE(expected.at("hurst").get<double>());
        const auto series = expected.at("series").get<std::vector<double>>();
        EXPECT_NEAR(hurst_aggregated_variance(series).value(), expected.at("aggregated_variance"), 1e-12);
        // The digamma function is a series here: 1e-7.
        EXPECT_NEAR(hurst_wavelet(series).value(), expected.at("wavelet"), 1e-6);
        const auto memory = autocorrelation(series).value();
        EXPECT_NEAR(memory.lag1, expected.at("lag1"), 1e-12);
        EXPECT_EQ(memory.decay_lag, expected.at("decay_lag"));
        // And the noise, which another method made, is what it should be.
        EXPECT_NEAR(hurst_wavelet(series).value(), expected.at("hurst"), 0.1);
    }
}

}  // namespace
}  // namespace tracebench
