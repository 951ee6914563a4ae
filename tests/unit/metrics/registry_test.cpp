#include <gmock/gmock.h>

#include "base/error.h"
#include "metrics/metric.h"

namespace tracebench {
namespace {

TEST(Registry, MakesEveryMetricItNames) {
    for (const std::string& name : metric_names()) {
        const auto metric = make_metric(name, nullptr);
        ASSERT_NE(metric, nullptr);
        EXPECT_EQ(metric->name(), name);
        EXPECT_GE(metric->version(), 1);
    }
}

TEST(Registry, SaysWhichThereAre) {
    try {
        make_metric("distnace", nullptr);
        FAIL();
    } catch (const InputError& error) {
        EXPECT_THAT(error.what(), testing::HasSubstr("'distnace' is no metric"));
        EXPECT_THAT(error.what(), testing::HasSubstr("distance"));
    }
    EXPECT_THROW(make_metric("distance", {{"bins", 3}}), InputError);
    EXPECT_NO_THROW(make_metric("distance", nlohmann::json::object()));
}

}  // namespace
}  // namespace tracebench
