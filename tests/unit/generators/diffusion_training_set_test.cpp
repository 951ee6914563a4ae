#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>

#include "diffusion_fakes.h"
#include "generators/diffusion/training/training_set.h"

namespace tracebench::diffusion {
namespace {

using namespace tracebench::diffusion::testing;
using ::testing::ElementsAre;

TrainingSet three_samples() {
    TrainingSet set;
    set.add("a", 0, rows_of(1, 10));
    set.add("b", 1, rows_of(2, 100));
    set.add("a", 0, rows_of(3, 70));
    return set;
}

TEST(DiffusionTrainingSet, GivesBackTheRowsThatWentIn) {
    const TrainingSet set = three_samples();
    EXPECT_EQ(set.rows(), 180U);
    const ModelRows second = rows_of(2, 100);
    BatchBuffer buffer;
    const std::size_t rows[] = {10, 109, 12};
    const RowBatch& batch = set.fill(rows, buffer);
    EXPECT_EQ(batch.samples, 1);
    EXPECT_EQ(batch.rows, 3);
    std::size_t at = 0;
    for (const std::size_t row : {0, 99, 2}) {
        EXPECT_TRUE(std::ranges::equal(batch.ternary.subspan(at * kTernary, kTernary), second.row(row)))
            << row;
        EXPECT_EQ(batch.gaps[at], second.log_gap[row]);
        ++at;
    }
}

TEST(DiffusionTrainingSet, PadsPiecesWithRowsThatDoNotCount) {
    const TrainingSet set = three_samples();
    BatchBuffer buffer;
    const Piece pieces[] = {{0, 0, 10}, {1, 30, 65}};
    const RowBatch& batch = set.fill(pieces, 64, true, buffer);
    EXPECT_EQ(batch.samples, 2);
    EXPECT_EQ(batch.rows, 128);  // 65, rounded up to a multiple of 64
    EXPECT_THAT(std::vector(batch.classes.begin(), batch.classes.end()), ElementsAre(0, 1));
    EXPECT_THAT(std::vector(batch.first_row.begin(), batch.first_row.end()), ElementsAre(0, 30));
    EXPECT_THAT(std::vector(batch.lengths.begin(), batch.lengths.end()), ElementsAre(10, 100));
    EXPECT_EQ(std::count(batch.mask.begin(), batch.mask.end(), 1), 75);
    EXPECT_EQ(batch.mask[9], 1);
    EXPECT_EQ(batch.mask[10], 0);
    const ModelRows second = rows_of(2, 100);
    EXPECT_TRUE(std::ranges::equal(batch.ternary.subspan(128 * kTernary, kTernary), second.row(30)));
    // As rows past the end are defined.
    EXPECT_EQ(batch.ternary[10 * kTernary + model_column::there], 0);
    EXPECT_EQ(batch.ternary[10 * kTernary], -1);
    EXPECT_EQ(batch.gaps[10], kPaddingGap);
    EXPECT_EQ(batch.control.size(), 2 * 128 * kImageBytes);
    EXPECT_EQ(batch.control[10 * kImageBytes], 0);
}

/// The first packet of the made-up session is UDP over IPv4 without options: 20 and 8 bytes of nPrint's
/// layout (60 IPv4, 60 TCP, 8 UDP, 8 ICMP).
TEST(DiffusionTrainingSet, LayoutSaysWhichBytesAreThere) {
    const ModelRows rows = rows_of(1, 1);
    std::array<std::uint8_t, kImageBytes> layout{};
    row_layout(rows.row(0), layout);
    for (std::size_t byte = 0; byte < kImageBytes; ++byte)
        EXPECT_EQ(layout[byte], byte < 20 || (byte >= 120 && byte < 128)) << byte;
}

TEST(DiffusionTrainingSet, FixedColumnsAreThoseWithOneValueOnly) {
    const TrainingSet set = three_samples();
    std::vector<std::int8_t> all;
    for (const auto& [number, count] : {std::pair(1, 10), std::pair(2, 100), std::pair(3, 70)}) {
        const ModelRows rows = rows_of(static_cast<std::uint16_t>(number), static_cast<std::size_t>(count));
        all.insert(all.end(), rows.ternary.begin(), rows.ternary.end());
    }
    EXPECT_EQ(set.fixed(), fixed_columns(all, kTernary));
    EXPECT_EQ(TrainingSet().fixed(), std::vector<std::int8_t>(kTernary, kVaries));
}

TEST(DiffusionTrainingSet, HashTellsSamplesApart) {
    TrainingSet other = three_samples();
    EXPECT_EQ(other.hash(), three_samples().hash());
    other.add("a", 0, rows_of(4, 1));
    EXPECT_NE(other.hash(), three_samples().hash());
}

TEST(DiffusionTrainingSet, PiecesOfAnEpochCoverEverySample) {
    const TrainingSet set = three_samples();
    const std::size_t samples[] = {0, 1};
    std::vector<int> seen(100);
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        const std::vector<Piece> pieces = plan_pieces(set, samples, 32, seed);
        // One of the 10 rows; one for every 32 of the 100 begun.
        ASSERT_EQ(pieces.size(), 1U + 4U);
        EXPECT_EQ(pieces, plan_pieces(set, samples, 32, seed));
        EXPECT_EQ(std::count(pieces.begin(), pieces.end(), Piece{0, 0, 10}), 1);
        for (const Piece& piece : pieces) {
            if (piece.sample != 1) continue;
            ASSERT_EQ(piece.rows, 32U);
            ASSERT_LE(piece.first + piece.rows, 100U);
            for (std::size_t row = piece.first; row < piece.first + piece.rows; ++row) ++seen[row];
        }
    }
    // 800 pieces begin at place - 16, moved inside [0, 68], of a place in [0, 100): rows from 32 on are in
    // one if it begins at one of 32 places, 256 of 800; the first and last row if it was moved to the end,
    // the last where the place is from 84 on (16 in 100) and the first where it is up to 16 (17 in 100).
    EXPECT_NEAR(seen[50], 800 * 0.32, 5 * std::sqrt(800 * 0.32 * 0.68));
    EXPECT_NEAR(seen[0], 800 * 0.17, 5 * std::sqrt(800 * 0.17 * 0.83));
    EXPECT_NEAR(seen[99], 800 * 0.16, 5 * std::sqrt(800 * 0.16 * 0.84));
}

}  // namespace
}  // namespace tracebench::diffusion
