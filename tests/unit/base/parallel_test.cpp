#include "base/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <numeric>
#include <stdexcept>
#include <vector>

namespace tracebench {
namespace {

class Threads : public testing::TestWithParam<unsigned> {
  protected:
    void SetUp() override { set_compute_threads(GetParam()); }
    void TearDown() override { set_compute_threads(0); }
};

TEST_P(Threads, EveryIndexOnce) {
    std::vector<std::atomic<int>> calls(1000);
    parallel_for(calls.size(), [&](std::size_t i) { ++calls[i]; });
    for (const auto& count : calls) EXPECT_EQ(count, 1);
    parallel_for(0, [](std::size_t) { FAIL(); });
}

TEST_P(Threads, ExceptionsComeThrough) {
    std::atomic<std::size_t> calls = 0;
    const auto fail_at_3 = [&](std::size_t i) {
        ++calls;
        if (i == 3) throw std::runtime_error("three");
    };
    EXPECT_THROW(parallel_for(1'000'000, fail_at_3), std::runtime_error);
    EXPECT_LT(calls, 1'000'000U);
}

/// Numbers from 0 go through two stages in batches of seven.
struct Numbers {
    static constexpr std::size_t count = 10'000;
    std::vector<std::vector<std::size_t>> batches{batches_wanted()};
    std::size_t next = 0;
    std::vector<std::size_t> seen;
    std::size_t fail_in_order_at = count;  ///< nowhere
    std::size_t fail_anywhere_at = count;

    void run() {
        const auto read = [this](std::size_t b) {
            batches[b].clear();
            while (next < count && batches[b].size() < 7) batches[b].push_back(next++);
            return !batches[b].empty();
        };
        const auto square = [this](std::size_t b) {
            for (std::size_t& number : batches[b]) {
                if (number == fail_anywhere_at) throw std::runtime_error("anywhere");
                number *= number;
            }
        };
        const auto keep = [this](std::size_t b) {
            for (const std::size_t number : batches[b]) {
                if (seen.size() == fail_in_order_at) throw std::runtime_error("in order");
                seen.push_back(number);
            }
        };
        run_stages(batches.size(), read, {{square, false}, {keep}});
    }
};

TEST_P(Threads, StagesKeepTheOrder) {
    Numbers numbers;
    numbers.run();
    ASSERT_EQ(numbers.seen.size(), Numbers::count);
    for (std::size_t i = 0; i < Numbers::count; ++i) ASSERT_EQ(numbers.seen[i], i * i);
}

TEST_P(Threads, StagesStopAtAnException) {
    Numbers in_order;
    in_order.fail_in_order_at = 100;
    EXPECT_THROW(in_order.run(), std::runtime_error);
    EXPECT_EQ(in_order.seen.size(), 100U);
    Numbers anywhere;
    anywhere.fail_anywhere_at = 100;
    EXPECT_THROW(anywhere.run(), std::runtime_error);
    EXPECT_LE(anywhere.seen.size(), 98U);
    EXPECT_LT(anywhere.next, Numbers::count);
}

INSTANTIATE_TEST_SUITE_P(OneTwoMany, Threads, testing::Values(1U, 2U, 7U));

}  // namespace
}  // namespace tracebench
