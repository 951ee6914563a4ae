// The choice between one thread and all, with made-up timings.

#include "generators/ssm/kernels/decode_team.h"

#include <gtest/gtest.h>

namespace tracebench::ssm::decode {
namespace {

/// Share of steps that all threads did, where a step takes `alone` or `together` seconds.
double share_together(TeamChooser& chooser, int steps, double alone, double together) {
    int count = 0;
    for (int i = 0; i < steps; ++i) {
        const bool all = chooser.team() > 1;
        count += all;
        chooser.report(all ? together : alone, 1);
    }
    return static_cast<double>(count) / steps;
}

TEST(TeamChooser, OneThreadHasNoChoice) {
    TeamChooser chooser(1);
    EXPECT_EQ(share_together(chooser, 1000, 1e-5, 1), 0);
}

TEST(TeamChooser, TakesTheFasterAndFollowsTheMachine) {
    TeamChooser chooser(2);
    EXPECT_EQ(chooser.team(), 2);
    EXPECT_GT(share_together(chooser, 20000, 3e-5, 2e-5), 0.95);
    EXPECT_LT(share_together(chooser, 20000, 3e-5, 1e-2), 0.01);   // another program came: at once
    EXPECT_GT(share_together(chooser, 1000000, 3e-5, 2e-5), 0.8);  // and went: within four seconds
}

TEST(TeamChooser, LittleTimeGoesIntoTrials) {
    TeamChooser chooser(2);
    share_together(chooser, 20000, 1e-3, 0.1);
    constexpr int steps = 20000;
    const double together = share_together(chooser, steps, 1e-3, 0.1) * steps;
    EXPECT_LT(together * 0.1, 0.03 * steps * 1e-3);
    EXPECT_GT(together, 0);
}

TEST(TeamChooser, CountsByRow) {
    TeamChooser chooser(2);
    for (int i = 0; i < 20000; ++i) {  // more rows together are no reason against it
        const bool all = chooser.team() > 1;
        chooser.report(all ? 32 * 2e-5 : 3e-5, all ? 32 : 1);
    }
    EXPECT_EQ(chooser.team(), 2);
}

}  // namespace
}  // namespace tracebench::ssm::decode
