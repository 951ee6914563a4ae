#include "metrics/distance/bins.h"

#include <gmock/gmock.h>

#include <numeric>
#include <stdexcept>

namespace tracebench {
namespace {

using testing::DoubleEq;
using testing::ElementsAre;

TEST(Bins, FewDifferentValuesHaveABinEach) {
    const Bins bins = Bins::numeric(std::vector<double>{10, 4, 4, 10, 20});
    EXPECT_THAT(bins.edges(), ElementsAre(4, 7, 15, 20));
    EXPECT_EQ(bins.size(), 5u);
    EXPECT_EQ(bins.index(4), 1u);
    EXPECT_EQ(bins.index(10), 2u);
    EXPECT_EQ(bins.index(20), 3u);
}

TEST(Bins, OutOfTheRealRangeIsUnderAndOverflow) {
    const Bins bins = Bins::numeric(std::vector<double>{10, 4, 20});
    EXPECT_EQ(bins.index(3.999), 0u);
    EXPECT_EQ(bins.index(-1e300), 0u);
    EXPECT_EQ(bins.index(20.001), bins.size() - 1);
    EXPECT_EQ(bins.index(1e300), bins.size() - 1);
}

TEST(Bins, OneValueHasAClosedBin) {
    const Bins bins = Bins::numeric(std::vector<double>{7, 7, 7});
    EXPECT_EQ(bins.size(), 3u);
    EXPECT_EQ(bins.index(6.9), 0u);
    EXPECT_EQ(bins.index(7), 1u);
    EXPECT_EQ(bins.index(7.1), 2u);
}

TEST(Bins, ManyValuesFallIntoBinsOfEqualMass) {
    std::vector<double> values(1000);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(i * i);
    const Bins bins = Bins::numeric(values);
    // 2 * 1000^0.4 = 31.7.
    EXPECT_EQ(bins.size(), 32u + 2);
    std::vector<int> counts(bins.size());
    for (const double value : values) ++counts[bins.index(value)];
    EXPECT_EQ(counts.front(), 0);
    EXPECT_EQ(counts.back(), 0);
    for (std::size_t i = 1; i + 1 < counts.size(); ++i) EXPECT_NEAR(counts[i], 1000.0 / 32, 2) << i;
}

TEST(Bins, NumberIsBounded) {
    std::vector<double> values(200'000);
    std::iota(values.begin(), values.end(), 0.0);
    EXPECT_EQ(Bins::numeric(values).size(), Bins::max_bins + 2);
    values.resize(10);
    EXPECT_EQ(Bins::numeric(values).size(), Bins::min_bins + 2);
}

TEST(Bins, CategoriesAreTheUnion) {
    const Bins bins = Bins::categorical({443, 80, 443, 53});
    EXPECT_THAT(bins.edges(), ElementsAre(53, 80, 443));
    EXPECT_EQ(bins.index(80), 1u);
    EXPECT_THROW(bins.index(81), std::invalid_argument);
}

TEST(Bins, NoValuesNoBins) {
    EXPECT_THROW(Bins::numeric(std::vector<double>{}), std::invalid_argument);
}

}  // namespace
}  // namespace tracebench
