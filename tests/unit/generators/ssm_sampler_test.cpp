#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "base/error.h"
#include "generators/ssm/generation/sampler.h"

namespace tracebench::ssm {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;

constexpr double near = 1e-6;

/// Logits of the probabilities 0.4, 0.3, 0.2, 0.1.
std::vector<float> four() {
    return {std::log(0.4f), std::log(0.3f), std::log(0.2f), std::log(0.1f)};
}

std::vector<double> filtered(const SamplerOptions& options, const std::vector<float>& logits,
                             const std::vector<Token>& past = {}) {
    TokenHistory history(logits.size(), options.repetition_window);
    for (const Token token : past) history.add(token);
    return Sampler(options, logits.size()).distribution(logits, history);
}

auto probabilities(double a, double b, double c, double d) {
    return ElementsAre(DoubleNear(a, near), DoubleNear(b, near), DoubleNear(c, near), DoubleNear(d, near));
}

TEST(SsmSampler, WithoutFiltersDrawsTheSoftmax) {
    EXPECT_THAT(filtered({}, four()), probabilities(0.4, 0.3, 0.2, 0.1));
}

TEST(SsmSampler, TemperatureRaisesToAPower) {  // p^(1/T): squares at one half
    SamplerOptions options;
    options.temperature = 0.5;
    EXPECT_THAT(filtered(options, four()), probabilities(16 / 30.0, 9 / 30.0, 4 / 30.0, 1 / 30.0));
    options.temperature = 0;
    EXPECT_THAT(filtered(options, four()), probabilities(1, 0, 0, 0));
    EXPECT_THAT(filtered(options, {1, 3, 3, 0}), probabilities(0, 1, 0, 0));
}

TEST(SsmSampler, TopKKeepsTheLikeliest) {
    SamplerOptions options;
    options.top_k = 2;
    EXPECT_THAT(filtered(options, four()), probabilities(4 / 7.0, 3 / 7.0, 0, 0));
    options.top_k = 100;
    EXPECT_THAT(filtered(options, four()), probabilities(0.4, 0.3, 0.2, 0.1));
    options.top_k = 2;
    EXPECT_THAT(filtered(options, {0, 0, 0, 0}), probabilities(0.5, 0.5, 0, 0));  // ties: the smaller ids
}

TEST(SsmSampler, TopPKeepsTheSmallestSetThatReachesIt) {
    SamplerOptions options;
    options.top_p = 0.65;  // 0.4 is not enough, 0.4 + 0.3 is
    EXPECT_THAT(filtered(options, four()), probabilities(4 / 7.0, 3 / 7.0, 0, 0));
    options.top_p = 0.75;
    EXPECT_THAT(filtered(options, four()), probabilities(4 / 9.0, 3 / 9.0, 2 / 9.0, 0));
    options.top_p = 1e-6;
    EXPECT_THAT(filtered(options, four()), probabilities(1, 0, 0, 0));
}

TEST(SsmSampler, TopPCountsWhatTopKLeft) {
    SamplerOptions options;
    options.top_k = 3;     // 4/9, 3/9, 2/9
    options.top_p = 0.75;  // 7/9 reaches it; of all four 0.7 would not have
    EXPECT_THAT(filtered(options, four()), probabilities(4 / 7.0, 3 / 7.0, 0, 0));
}

TEST(SsmSampler, MinPIsRelativeToTheLikeliest) {
    SamplerOptions options;
    options.min_p = 0.45;  // of 0.4: 0.18
    EXPECT_THAT(filtered(options, four()), probabilities(4 / 9.0, 3 / 9.0, 2 / 9.0, 0));
    options.min_p = 1;
    EXPECT_THAT(filtered(options, four()), probabilities(1, 0, 0, 0));
}

TEST(SsmSampler, MinPLeavesSparedTokens) {
    SamplerOptions options;
    options.min_p = 0.6;  // of 0.4: 0.24
    Sampler sampler(options, 4, {0, 0, 0, 1});
    EXPECT_THAT(sampler.distribution(four(), TokenHistory(4, 0)),
                probabilities(0.4 / 0.8, 0.3 / 0.8, 0, 0.1 / 0.8));
}

TEST(SsmSampler, RepetitionPenaltyShrinksWhatOccurred) {
    SamplerOptions options;
    options.repetition_penalty = 2;
    // 2 -> 1 and -1 -> -2; the others stay.
    const double sum = std::exp(1) + std::exp(2) + std::exp(-2) + std::exp(-1);
    EXPECT_THAT(filtered(options, {2, 2, -1, -1}, {0, 2, 0}),
                probabilities(std::exp(1) / sum, std::exp(2) / sum, std::exp(-2) / sum, std::exp(-1) / sum));
}

TEST(SsmSampler, RepetitionPenaltyForgetsBeyondItsWindow) {
    SamplerOptions options;
    options.repetition_penalty = 2;
    options.repetition_window = 2;
    const double sum = std::exp(2) + std::exp(1) + 2;
    EXPECT_THAT(filtered(options, {2, 2, 0, 0}, {0, 1, 3}),
                probabilities(std::exp(2) / sum, std::exp(1) / sum, 1 / sum, 1 / sum));
}

std::vector<double> frequencies(Sampler& sampler, const std::vector<float>& logits,
                                const std::function<bool(Token)>& allowed, int draws = 20'000) {
    const TokenHistory history(logits.size(), 0);
    Random random(11);
    std::vector<double> counts(logits.size());
    for (int i = 0; i < draws; ++i)
        counts[static_cast<std::size_t>(sampler.draw(logits, history, random, allowed).token)] += 1.0 / draws;
    return counts;
}

/// Standard deviation of a frequency over 20,000 draws is at most 0.0036.
TEST(SsmSampler, RejectionGivesTheConditionalDistribution) {
    Sampler sampler({}, 4);
    const auto odd = [](Token token) { return token % 2 == 1; };
    EXPECT_THAT(frequencies(sampler, four(), odd),
                ElementsAre(0, DoubleNear(0.75, 0.018), 0, DoubleNear(0.25, 0.018)));
}

/// More is rejected than is drawn one by one.
TEST(SsmSampler, RejectionOfNearlyEverythingGivesTheSame) {
    std::vector<float> logits(200, 0.0f);
    logits[150] = std::log(3.0f);
    Sampler sampler({}, logits.size());
    const auto counts = frequencies(sampler, logits, [](Token token) { return token == 20 || token == 150; });
    EXPECT_NEAR(counts[20], 0.25, 0.018);
    EXPECT_NEAR(counts[150], 0.75, 0.018);
}

TEST(SsmSampler, FallsBackToTheLikeliestAllowedWhereFiltersLeaveNone) {
    SamplerOptions options;
    options.top_k = 1;
    Sampler sampler(options, 4);
    const TokenHistory history(4, 0);
    Random random(1);
    const Sampler::Draw draw = sampler.draw(four(), history, random, [](Token token) { return token >= 2; });
    EXPECT_EQ(draw.first, 0);
    EXPECT_EQ(draw.token, 2);
    EXPECT_LT(sampler.draw(four(), history, random, [](Token) { return false; }).token, 0);
}

TEST(SsmSampler, TakesNoInfinityForAnAnswer) {
    EXPECT_THAT(filtered({}, {std::nanf(""), 0, 0, -INFINITY}), probabilities(0, 0.5, 0.5, 0));
    EXPECT_THROW(filtered({}, {std::nanf(""), -INFINITY}), InputError);
}

}  // namespace
}  // namespace tracebench::ssm
