#include "metrics/value_counts.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "base/random.h"
#include "metrics/distance/field_comparison.h"
#include "metrics/field_writer.h"

namespace tracebench {
namespace {

using testing::ElementsAre;

const FieldInfo number{"x", FieldKind::continuous, FieldScope::packet, "s", "", false, CeilingModel::samples};

TEST(ValueCounts, RanksAreThoseOfTheWholeList) {
    const std::vector<double> values = {5, 1, 3, 3, 3, 1, 9};
    std::vector<double> sorted = values;
    std::sort(sorted.begin(), sorted.end());
    const RankedValues ranked(sorted_counts(values));
    ASSERT_EQ(ranked.size(), values.size());
    ASSERT_EQ(ranked.counts().size(), 4U);
    for (std::size_t i = 0; i < sorted.size(); ++i) EXPECT_EQ(ranked.at(i), sorted[i]);
    EXPECT_DOUBLE_EQ(ranked.quantile(0), 1);
    EXPECT_DOUBLE_EQ(ranked.quantile(0.25), 2);  // between the second 1 and the first 3: numpy.quantile
    EXPECT_DOUBLE_EQ(ranked.quantile(0.9), 6.6);
    EXPECT_DOUBLE_EQ(ranked.quantile(1), 9);
    EXPECT_THROW(RankedValues({}).quantile(0.5), std::invalid_argument);
}

TEST(ValueCounts, JoiningLeavesOtherSessionsAlone) {
    Column column{number, {7, 7, 2, 1, 2}, {0, 0, 1, 1, 1}};
    merge_equal(column, 2);
    EXPECT_THAT(column.values, ElementsAre(7, 7, 1, 2));
    EXPECT_THAT(column.session, ElementsAre(0, 0, 1, 1));
    EXPECT_THAT(column.counts, ElementsAre(1, 1, 1, 2));
    EXPECT_EQ(column.total(), 5U);
    merge_equal(column, 4);
    EXPECT_EQ(column.total(), 5U);
}

TEST(ValueCounts, CountsBeyondTheirTypeAreSplit) {
    Column column{number, {3, 3}, {0, 0}, {UINT32_MAX, 2}};
    merge_equal(column, 0);
    EXPECT_EQ(column.total(), std::uint64_t{UINT32_MAX} + 2);
    EXPECT_EQ(sorted_counts(column).size(), 1U);
}

// A million values written, of which a few thousand differ: the memory is that of the few thousand, and all
// that is asked of the column is what it was.
TEST(ValueCounts, LongSamplesAreCounted) {
    Random random(1);
    Column plain{number, {}, {}};
    std::vector<Column> written{{number, {}, {}}};
    for (std::uint32_t session = 0; session < 3; ++session) {
        FieldWriter writer(written, session);
        const std::size_t packets = session == 1 ? 10 : 500'000;
        for (std::size_t i = 0; i < packets; ++i) {
            const double value = static_cast<double>(random.below(3000)) * (session + 1);
            writer.add(0, value);
            plain.values.push_back(value);
            plain.session.push_back(session);
        }
        writer.finish();
    }
    EXPECT_LT(written[0].values.capacity(), 600'000U);
    EXPECT_EQ(written[0].total(), plain.total());
    ASSERT_TRUE(std::is_sorted(written[0].session.begin(), written[0].session.end()));
    const auto a = sorted_counts(plain), b = sorted_counts(written[0]);
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
        ASSERT_EQ(a[i].value, b[i].value);
        ASSERT_EQ(a[i].count, b[i].count);
    }
    const Column other{number, {100, 200, 4000}, {0, 0, 1}};
    const Bins bins = Bins::numeric(RankedValues(a));
    const FieldComparison of_plain(plain, 3, other, 2, bins), of_counts(written[0], 3, other, 2, bins);
    const std::vector<double> left = {1, 3, 0, 0, 0}, right = {0, 0, 1, 1, 2};
    EXPECT_EQ(of_plain.distances(left, right), of_counts.distances(left, right));
    EXPECT_EQ(of_plain.histogram(false), of_counts.histogram(false));
}

}  // namespace
}  // namespace tracebench
