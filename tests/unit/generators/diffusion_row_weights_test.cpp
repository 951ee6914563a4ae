#include <gmock/gmock.h>

#include <cmath>

#include "generators/diffusion/row_fields.h"
#include "generators/diffusion/training/row_weights.h"

namespace tracebench::diffusion {
namespace {

using ::testing::Each;

/// A sample of one TCP row for each of the flags.
ModelRows rows_with(const std::vector<std::uint8_t>& flags) {
    ModelRows rows;
    rows.ternary.resize(flags.size() * kTernary, -1);
    rows.log_gap.resize(flags.size());
    for (std::size_t i = 0; i < flags.size(); ++i) {
        put(rows.row(i).first<kNprintColumns>(), field::sequence, 0);
        put(rows.row(i).first<kNprintColumns>(), field::tcp_flags, flags[i]);
    }
    return rows;
}

/// 81 acknowledgements, 16 with data, a SYN, a FIN of samples that are not trained with.
struct Flags {
    TrainingSet set;
    std::vector<std::size_t> rows;
    Flags() {
        std::vector<std::uint8_t> flags(81, tcp_flag::ack);
        flags.insert(flags.end(), 16, tcp_flag::ack | tcp_flag::psh);
        flags.push_back(tcp_flag::syn);
        set.add("a", 0, rows_with(flags));
        set.add("a", 0, rows_with({tcp_flag::fin}));
        for (std::size_t i = 0; i < 98; ++i) rows.push_back(i);
    }
};

TEST(DiffusionRowWeights, AreSharesToThePowerOfMinusTheExponent) {
    const Flags all;
    const std::vector<float> weights = row_weights(all.set, all.rows, 0.5);
    ASSERT_EQ(weights.size(), 99U);
    // 81^-0.5, 16^-0.5, 1: sums 9, 4, 1 over the rows of each kind, scaled by 98 / 14.
    EXPECT_NEAR(weights[0], 7.0 / 9, 1e-6);
    EXPECT_NEAR(weights[81], 7.0 / 4, 1e-6);
    EXPECT_NEAR(weights[97], 7.0, 1e-6);
    EXPECT_EQ(weights[98], 1);  // of a kind that none of the rows has
    EXPECT_THAT(row_weights(all.set, all.rows, 0), Each(1.0F));
}

TEST(DiffusionRowWeights, AreLimited) {
    const Flags all;
    const std::vector<float> weights = row_weights(all.set, all.rows, 1);
    // A third of 98 each: the SYN gets no more than the limit, then all are scaled again.
    const double scale = 98 / (98.0 / 3 * 2 + most_row_weight);
    EXPECT_NEAR(weights[97], most_row_weight * scale, 1e-4);
    EXPECT_NEAR(weights[0], 98.0 / 3 / 81 * scale, 1e-5);
}

TEST(DiffusionRowWeights, ABeginningIsAKindOfItsOwn) {
    ModelRows rows = rows_with({tcp_flag::ack, tcp_flag::ack, tcp_flag::ack, tcp_flag::ack, tcp_flag::ack});
    rows.row(0)[model_column::new_flow] = 1;
    TrainingSet set;
    set.add("a", 0, rows);
    const std::vector<std::size_t> all = {0, 1, 2, 3, 4};
    const std::vector<float> weights = row_weights(set, all, 0.5);
    EXPECT_NEAR(weights[0] / weights[1], 2, 1e-6);
}

}  // namespace
}  // namespace tracebench::diffusion
