#include "generators/turn.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <thread>
#include <vector>

#include "base/parallel.h"

namespace tracebench {
namespace {

TEST(Turn, SoManyThreadsRunAsThereAreCores) {
    Progress progress;
    const auto cores = static_cast<int>(usable_cores());
    std::atomic<int> running = 0, most = 0, turns = 0;
    std::vector<std::jthread> threads;
    for (int i = 0; i < 12; ++i)
        threads.emplace_back([&, wanted = i % 3 == 0 ? 0 : i % 3] {
            const Turn turn(progress, wanted);
            const int used = wanted == 0 ? cores : std::min(wanted, cores);
            const int now = running += used;
            for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
            }
            std::this_thread::yield();
            running -= used;
            ++turns;
        });
    threads.clear();
    EXPECT_EQ(turns, 12);
    EXPECT_LE(most, cores);
}

TEST(Turn, WhoCameFirstGoesFirst) {
    Progress progress;
    std::optional<Turn> first(std::in_place, progress, 1);
    std::vector<int> order;
    std::jthread wants_all([&] {
        const Turn turn(progress, 0);
        order.push_back(1);
    });
    while (Turn::waiting() < 1) std::this_thread::yield();
    std::jthread wants_it_too([&] {
        const Turn turn(progress, 0);
        order.push_back(2);
    });
    while (Turn::waiting() < 2) std::this_thread::yield();
    EXPECT_TRUE(order.empty());
    first.reset();
    wants_all.join();
    wants_it_too.join();
    EXPECT_EQ(order, (std::vector{1, 2}));
}

}  // namespace
}  // namespace tracebench
