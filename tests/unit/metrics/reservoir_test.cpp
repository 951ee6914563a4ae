#include "metrics/flow/reservoir.h"

#include <gmock/gmock.h>

namespace tracebench {
namespace {

using testing::ElementsAre;

std::vector<int> some_of(int n, std::size_t capacity, std::uint64_t seed) {
    Reservoir<int> reservoir(capacity, seed);
    for (int i = 0; i < n; ++i) reservoir.add(i);
    return reservoir.take();
}

TEST(Reservoir, KeepsAllThatFit) {
    EXPECT_THAT(some_of(4, 4, 1), ElementsAre(0, 1, 2, 3));
    EXPECT_TRUE(some_of(0, 4, 1).empty());
    EXPECT_TRUE(some_of(5, 0, 1).empty());
}

TEST(Reservoir, KeepsEachAsLikelyAsAnyOther) {
    std::vector<double> kept(20);
    constexpr int rounds = 4000;
    for (int round = 0; round < rounds; ++round) {
        const auto some = some_of(20, 5, static_cast<std::uint64_t>(round));
        ASSERT_EQ(some.size(), 5u);
        ASSERT_TRUE(std::is_sorted(some.begin(), some.end()));
        for (const int item : some) ++kept[static_cast<std::size_t>(item)];
    }
    // A quarter of the rounds each; five standard deviations of a binomial are 137.
    for (const double count : kept) EXPECT_NEAR(count, rounds / 4.0, 137);
    EXPECT_EQ(some_of(20, 5, 7), some_of(20, 5, 7));
}

}  // namespace
}  // namespace tracebench
