#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "base/random.h"
#include "generators/ssm/training/batches.h"
#include "generators/training/learning_rate.h"
#include "generators/training/validation_split.h"

namespace tracebench::ssm {
namespace {

std::vector<std::int64_t> mixed_lengths() {
    Random random(5);
    std::vector<std::int64_t> lengths;
    for (int i = 0; i < 300; ++i) lengths.push_back(static_cast<std::int64_t>(random.exponential(300)));
    for (int i = 0; i < 40; ++i) lengths.push_back(1000 + static_cast<std::int64_t>(random.below(9000)));
    lengths.push_back(0);
    lengths.push_back(1);
    lengths.push_back(64);
    lengths.push_back(512);
    lengths.push_back(513);
    return lengths;
}

/// What the model sees is every sample's every target once, in order, with the state carried.
TEST(SsmBatches, CoverEveryTargetOnceAndInOrder) {
    const std::vector<std::int64_t> lengths = mixed_lengths();
    const BatchShape shape{2048, 512};
    const auto plan = plan_batches(lengths, shape, 3);
    std::vector<std::int64_t> done(lengths.size());
    std::vector<RowSegment> before;
    for (const SegmentBatch& call : plan) {
        EXPECT_EQ(call.length % length_multiple, 0);
        EXPECT_LE(call.length, shape.segment);
        EXPECT_LE(call.length * static_cast<std::int64_t>(call.rows.size()), shape.batch_tokens);
        EXPECT_GT(call.tokens(), 0);
        for (std::size_t row = 0; row < call.rows.size(); ++row) {
            const RowSegment& segment = call.rows[row];
            if (segment.sample < 0) continue;
            const auto sample = static_cast<std::size_t>(segment.sample);
            ASSERT_EQ(segment.offset, done[sample]);
            done[sample] += segment.count;
            ASSERT_LE(segment.count, call.length);
            if (segment.offset > 0) {  // the same row held the sample up to here, without padding behind it
                ASSERT_LT(row, before.size());
                ASSERT_EQ(before[row].sample, segment.sample);
                ASSERT_EQ(before[row].offset + before[row].count, segment.offset);
            }
            if (done[sample] < lengths[sample]) {
                ASSERT_EQ(segment.count, call.length);
            }
        }
        before = call.rows;
    }
    EXPECT_EQ(done, lengths);
}

TEST(SsmBatches, WasteLittle) {
    const std::vector<std::int64_t> lengths = mixed_lengths();
    std::int64_t slots = 0;
    for (const SegmentBatch& call : plan_batches(lengths, {2048, 512}, 3))
        slots += call.length * static_cast<std::int64_t>(call.rows.size());
    const std::int64_t used = std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0});
    EXPECT_LT(static_cast<double>(slots), 1.25 * static_cast<double>(used));
}

TEST(SsmBatches, GiveOneGiantARowOfItsOwn) {
    const auto plan = plan_batches(std::vector<std::int64_t>{1'000'000, 600, 700}, {4096, 512}, 1);
    ASSERT_FALSE(plan.empty());
    for (const SegmentBatch& call : plan) EXPECT_EQ(call.rows.size(), 1U);
}

TEST(SsmBatches, DependOnTheSeedAlone) {
    const std::vector<std::int64_t> lengths = mixed_lengths();
    const auto order = [&](std::uint64_t seed) {
        std::vector<std::int64_t> samples;
        for (const SegmentBatch& call : plan_batches(lengths, {2048, 512}, seed))
            for (const RowSegment& row : call.rows) samples.push_back(row.sample);
        return samples;
    };
    EXPECT_EQ(order(1), order(1));
    EXPECT_NE(order(1), order(2));
}

TEST(SsmBatches, FillInputsTargetsAndPadding) {
    const std::vector<Token> a = {10, 11, 12, 13}, b = {20, 21};
    const std::vector<std::span<const Token>> samples = {a, b};
    SegmentBatch call;
    call.length = 3;
    call.rows = {{0, 1, 2}, {1, 0, 1}, {-1, 0, 0}};
    BatchBuffers buffers;
    const Batch batch = buffers.fill(call, samples);
    EXPECT_EQ(batch.rows, 3);
    EXPECT_EQ(batch.length, 3);
    EXPECT_EQ(std::vector<Token>(batch.inputs.begin(), batch.inputs.end()),
              (std::vector<Token>{11, 12, 0, 20, 0, 0, 0, 0, 0}));
    EXPECT_EQ(std::vector<Token>(batch.targets.begin(), batch.targets.end()),
              (std::vector<Token>{12, 13, -1, 21, -1, -1, -1, -1, -1}));
    EXPECT_EQ(std::vector<std::uint8_t>(batch.continues.begin(), batch.continues.end()),
              (std::vector<std::uint8_t>{1, 0, 0}));
}

TEST(SsmBatches, LeaveContextTokensOutOfTheTargets) {
    const std::vector<Token> a = {3, 1, 2, 1, 3};
    const std::vector<std::span<const Token>> samples = {a};
    SegmentBatch call;
    call.length = 4;
    call.rows = {{0, 0, 4}};
    BatchBuffers buffers({1, 0, 3});  // token 1 is context, token 2 counts for three
    EXPECT_EQ(buffers.targets(call, samples), 2);
    const Batch batch = buffers.fill(call, samples);
    EXPECT_EQ(std::vector<Token>(batch.inputs.begin(), batch.inputs.end()), (std::vector<Token>{3, 1, 2, 1}));
    EXPECT_EQ(std::vector<Token>(batch.targets.begin(), batch.targets.end()),
              (std::vector<Token>{-1, 2, -1, 3}));
    EXPECT_EQ(call.tokens(), 4);
    EXPECT_EQ(batch.weights[1], 3);
    EXPECT_EQ(batch.weights[3], 1);  // beyond the end of the list
}

TEST(SsmBatches, NoiseReplacesInputsByOthersOfTheirKind) {
    std::vector<Token> tokens;
    for (int i = 0; i < 400; ++i) tokens.insert(tokens.end(), {0, 1 + i % 2, 3});
    const std::vector<std::span<const Token>> samples = {tokens};
    const TokenNoise noise(0.25, {-1, 7, 7, 2},
                           samples);  // 0 stays, 1 and 2 stand for each other, 3 is alone
    SegmentBatch call;
    call.length = 1199;
    call.rows = {{0, 0, 1199}};
    BatchBuffers buffers;
    Random random(1);
    const Batch batch = buffers.fill(call, samples, noise, random);
    int changed = 0;
    for (std::size_t i = 0; i < 1199; ++i) {
        EXPECT_EQ(batch.targets[i], tokens[i + 1]);
        if (tokens[i] == 0 || tokens[i] == 3) {
            EXPECT_EQ(batch.inputs[i], tokens[i]);
            continue;
        }
        EXPECT_TRUE(batch.inputs[i] == 1 || batch.inputs[i] == 2);
        changed += batch.inputs[i] != tokens[i] ? 1 : 0;
    }
    // A quarter of 400 is drawn anew, half of those come out as they were: 50, deviation 6.6.
    EXPECT_NEAR(changed, 50, 33);
    Random again(1);
    BatchBuffers others;
    EXPECT_TRUE(std::ranges::equal(others.fill(call, samples, noise, again).inputs, batch.inputs));
    const TokenNoise none(0, {-1, 7, 7, 2}, samples);
    EXPECT_TRUE(std::ranges::equal(buffers.fill(call, samples, none, random).inputs,
                                   std::span<const Token>(tokens).first(1199)));
}

TEST(SsmBatches, OfNothingAreNone) {
    EXPECT_TRUE(plan_batches({}, {}, 1).empty());
}

/// Values by hand: peak 1, warm-up over a fifth, floor a tenth.
TEST(SsmLearningRate, WarmsUpThenFallsAlongACosine) {
    const LearningRateSchedule schedule{1, 0.2, 0.1};
    EXPECT_DOUBLE_EQ(schedule.at(0), 0.01);
    EXPECT_DOUBLE_EQ(schedule.at(0.1), 0.5);
    EXPECT_DOUBLE_EQ(schedule.at(0.2), 1);
    EXPECT_NEAR(schedule.at(0.4), 0.1 + 0.9 * (0.5 + std::sqrt(0.5) / 2), 1e-12);  // cos 45 degrees
    EXPECT_NEAR(schedule.at(0.6), 0.55, 1e-12);
    EXPECT_NEAR(schedule.at(1), 0.1, 1e-12);
    EXPECT_NEAR(schedule.at(7), 0.1, 1e-12);
    EXPECT_DOUBLE_EQ((LearningRateSchedule{2, 0, 0}).at(0), 2);
}

TEST(SsmValidationSplit, TakesAShareOfEveryLabelThatCanSpareIt) {
    std::vector<std::string> labels(20, "many");
    labels.insert(labels.end(), 4, "four");
    labels.insert(labels.end(), 3, "three");
    const ValidationSplit split = split_validation(labels, 0.1, 7);
    std::map<std::string, int> kept;
    for (const std::size_t i : split.validation) ++kept[labels[i]];
    EXPECT_EQ(kept, (std::map<std::string, int>{{"many", 2}, {"four", 1}}));
    std::set<std::size_t> all(split.train.begin(), split.train.end());
    all.insert(split.validation.begin(), split.validation.end());
    EXPECT_EQ(all.size(), labels.size());
    EXPECT_EQ(split.train.size() + split.validation.size(), labels.size());
    EXPECT_EQ(split_validation(labels, 0.1, 7).validation, split.validation);
    EXPECT_TRUE(split_validation(labels, 0, 7).validation.empty());
    for (const std::size_t i : split_validation(std::vector<std::string>(4, "x"), 0.9, 1).train)
        EXPECT_LT(i, 4U);
}

}  // namespace
}  // namespace tracebench::ssm
