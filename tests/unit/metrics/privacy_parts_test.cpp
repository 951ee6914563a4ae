// The parts that privacy measures are made of: sequences, runs, halves, levels.

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "metrics/privacy/flow_selection.h"
#include "metrics/privacy/minhash.h"
#include "metrics/privacy/roc.h"
#include "metrics/privacy/session_share.h"
#include "metrics/privacy/shared_runs.h"
#include "metrics/privacy/verdict.h"

namespace tracebench {
namespace {

TEST(PacketClass, ForgivesSmallChangesAndNoOthers) {
    const auto base = packet_class(false, 1000, 0x18, 1'000'000);
    EXPECT_EQ(packet_class(false, 1020, 0x18, 900'000), base);
    EXPECT_NE(packet_class(true, 1000, 0x18, 1'000'000), base);
    EXPECT_NE(packet_class(false, 1300, 0x18, 1'000'000), base);
    EXPECT_NE(packet_class(false, 1000, 0x10, 1'000'000), base);
    EXPECT_NE(packet_class(false, 1000, 0x18, 9'000'000), base);
    EXPECT_NE(packet_class(false, 0, 0x18, 1'000'000), packet_class(false, 1, 0x18, 1'000'000));
    EXPECT_EQ(packet_class(false, 0, 0x10, -5), packet_class(false, 0, 0x10, 15'999));
    EXPECT_NE(packet_class(false, 0, 0x10, 15'999), packet_class(false, 0, 0x10, 16'000));
}

TEST(Shingles, CountRepetitions) {
    const std::vector<std::uint32_t> three = {1, 1, 1}, five = {1, 1, 1, 1, 1}, two = {1, 1};
    EXPECT_EQ(shingles(three).size(), 1U);
    EXPECT_EQ(shingles(two).size(), 1U);
    EXPECT_TRUE(shingles({}).empty());
    EXPECT_NE(shingles(two), shingles(three));
    // One of three in common, not one of one: a longer flow of the same packets is another flow.
    EXPECT_DOUBLE_EQ(jaccard(shingles(three), shingles(five)), 1.0 / 3);
}

TEST(MinHash, HasTheStandardErrorOfABinomialShare) {
    constexpr std::size_t pairs = 400;
    for (const std::size_t shared : {20, 50, 80}) {
        double sum = 0, squares = 0;
        Random random(shared);
        for (std::size_t p = 0; p < pairs; ++p) {
            std::vector<std::uint64_t> a, b;
            for (std::size_t i = 0; i < 100; ++i) {
                const std::uint64_t x = random.bits();
                if (i < shared || i % 2 == 0) a.push_back(x);
                if (i < shared || i % 2 == 1) b.push_back(x);
            }
            const double error = estimated_jaccard(minhash(a), minhash(b)) - jaccard(a, b);
            sum += error;
            squares += error * error;
        }
        const double j = static_cast<double>(shared) / 100, variance = j * (1 - j) / minhash_size;
        EXPECT_LT(std::abs(sum / pairs), 4 * std::sqrt(variance / pairs));
        // The ratio's own standard error is the square root of 2 over 400: 0.07.
        EXPECT_NEAR(squares / pairs / variance, 1, 0.3);
    }
}

TEST(SharedRuns, EndWhereASequenceDoes) {
    const std::vector<std::uint32_t> first = {1, 2, 3}, second = {4, 5}, across = {2, 3, 4, 5, 9};
    const SharedRuns runs({first, second});
    EXPECT_EQ(runs.longest_in(across), 2U);
    EXPECT_EQ(runs.longest_in(first), 3U);
    EXPECT_EQ(runs.longest_in({}), 0U);
    EXPECT_EQ(SharedRuns({}).longest_in(first), 0U);
    const std::vector<std::uint32_t> endless(1000, 7);
    EXPECT_EQ(SharedRuns({endless}).longest_in(endless), SharedRuns::longest);
}

TEST(RandomHalves, AreEvenInEveryLabel) {
    std::vector<std::string> labels;
    for (int i = 0; i < 9; ++i) labels.insert(labels.end(), {"a", "b"});
    Random random(1);
    const auto halves = random_halves(labels, random);
    for (std::size_t label : {0, 1}) {
        int ones = 0;
        for (std::size_t i = label; i < halves.size(); i += 2) ones += halves[i];
        EXPECT_TRUE(ones == 4 || ones == 5);
    }
    EXPECT_EQ(std::accumulate(halves.begin(), halves.end(), 0), 9);
}

TEST(SessionShare, IsResampledBySession) {
    SessionShare share(3);
    EXPECT_FALSE(share.rate());
    share.add(0, 1);
    share.add(1, 0);
    share.add(1, 1, 2);
    EXPECT_EQ(share.rate(), 0.5);
    EXPECT_EQ(share.rate(std::vector<double>{0, 2, 0}), 1.0 / 3);
    EXPECT_FALSE(share.rate(std::vector<double>{0, 0, 5}));
    const std::vector<std::string> labels = {"a", "a", "a"};
    EXPECT_EQ(resampled_rates(share, labels, 1, 50).size(), 50U);
    EXPECT_TRUE(resampled_rates(SessionShare(1), std::vector<std::string>{"a"}, 1, 50).empty());
}

Finding finding(const std::string& metric, double excess, std::optional<Interval> interval) {
    return {privacy_value(metric, ""), excess, interval};
}

TEST(PrivacyVerdict, NeedsAnExcessThatIsLargeAndNoChance) {
    const auto level = [](double excess, std::optional<Interval> interval) {
        return privacy_verdicts({finding("copy_rate", excess, interval)}).front().level;
    };
    EXPECT_EQ(level(0.5, Interval{0.3, 0.7}), PrivacyLevel::high);
    EXPECT_EQ(level(0.5, Interval{0.009, 0.9}), PrivacyLevel::medium);
    EXPECT_EQ(level(0.05, Interval{0.02, 0.08}), PrivacyLevel::medium);
    EXPECT_EQ(level(0.005, Interval{0.002, 0.008}), PrivacyLevel::low);
    EXPECT_EQ(level(0.5, Interval{-0.1, 1}), PrivacyLevel::low);
    EXPECT_EQ(level(-0.5, Interval{-0.7, -0.3}), PrivacyLevel::low);
    EXPECT_EQ(level(0.5, std::nullopt), PrivacyLevel::unknown);
}

TEST(PrivacyVerdict, IsTheWorstOfItsArea) {
    Finding attack = finding("membership_auc", 0.01, Interval{-0.1, 0.1});
    attack.value.group = "distance";
    const auto verdicts = privacy_verdicts({finding("copy_rate", 0.02, Interval{0.01, 0.03}),
                                            finding("extracted_flows", 0.4, Interval{0.3, 0.5}), attack});
    ASSERT_EQ(verdicts.size(), 4U);
    EXPECT_EQ(verdicts[0].area, "copies");
    EXPECT_EQ(verdicts[0].level, PrivacyLevel::high);
    EXPECT_EQ(verdicts[0].metric, "privacy.extracted_flows");
    EXPECT_EQ(verdicts[1].level, PrivacyLevel::low);
    EXPECT_EQ(verdicts[2].level, PrivacyLevel::unknown);
}

TEST(Roc, WithoutASideThereIsNoCurve) {
    const std::vector<double> once = {1.0};
    const std::vector<Judged> members = {{1, true, 0}, {2, true, 0}};
    EXPECT_TRUE(std::isnan(area_under_curve(members, once, once)));
    EXPECT_TRUE(std::isnan(true_positive_rate(members, 0.01, once, once)));
    EXPECT_TRUE(std::isnan(area_under_curve({}, once, once)));
}

}  // namespace
}  // namespace tracebench
