#include "generators/baseline/packet_chain.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.h"

namespace tracebench {
namespace {

constexpr auto forward = Direction::forward, reverse = Direction::reverse;

ChainPacket packet(Direction direction, std::uint32_t payload, std::int64_t time_ns,
                   std::uint16_t flags = 0) {
    return {direction, flags, payload, time_ns};
}

ChainState state(Direction direction, std::uint32_t payload) {
    return {direction, 0, size_class(payload), TcpPhase::not_tcp};
}

/// By hand: flow 1 is q a a, flow 2 is q q a, flow 3 is q; q = forward 40 bytes, a = reverse 200 bytes.
/// q occurs 4 times: twice followed by a, once by q, once it ends. a occurs 3 times: once a follows, twice
/// it ends.
PacketChain example() {
    PacketChain chain;
    chain.learn(std::vector{packet(forward, 40, 0), packet(reverse, 200, 100), packet(reverse, 201, 300)},
                false);
    chain.learn(std::vector{packet(forward, 40, 0), packet(forward, 40, 5000), packet(reverse, 200, 5100)},
                false);
    chain.learn(std::vector{packet(forward, 41, 0)}, false);
    return chain;
}

TEST(PacketChain, CountsTransitionsStartsAndEnds) {
    const PacketChain chain = example();
    const ChainState q = state(forward, 40), a = state(reverse, 200);
    EXPECT_EQ(chain.flows(), 3U);
    EXPECT_EQ(chain.states(), 2U);
    EXPECT_DOUBLE_EQ(chain.start_probability(q), 1);
    EXPECT_DOUBLE_EQ(chain.start_probability(a), 0);
    EXPECT_DOUBLE_EQ(chain.probability(q, a), 2.0 / 4);
    EXPECT_DOUBLE_EQ(chain.probability(q, q), 1.0 / 4);
    EXPECT_DOUBLE_EQ(chain.end_probability(q), 1.0 / 4);
    EXPECT_DOUBLE_EQ(chain.probability(a, a), 1.0 / 3);
    EXPECT_DOUBLE_EQ(chain.probability(a, q), 0);
    EXPECT_DOUBLE_EQ(chain.end_probability(a), 2.0 / 3);
    EXPECT_DOUBLE_EQ(chain.end_probability(state(reverse, 0)), 0);  // never seen
}

TEST(PacketChain, LossIsMinusTheLogarithmOfTheProbability) {
    const PacketChain chain = example();
    // q with 40 bytes, a with 200 bytes 100 ns later, end; one count more than there was in each place.
    const double likely = 3.0 / 4 * (3.0 / 5) * (2.0 / 5) * (2.0 / 3) * (2.0 / 4) * (2.0 / 4);
    EXPECT_NEAR(chain.loss(std::vector{packet(forward, 40, 0), packet(reverse, 200, 100)}, false),
                -std::log(likely), 1e-12);
    // A size that was never seen has its share of the one count for all 65,536 of them.
    EXPECT_NEAR(chain.loss(std::vector{packet(forward, 42, 0)}, false),
                -std::log(3.0 / 4 * (1.0 / 5 / 65536) * (1.0 / 5)), 1e-12);
    // A first state that was never seen: 2 directions, 65,536 flags, 7 sizes, 8 phases; then nothing is
    // known.
    EXPECT_NEAR(chain.loss(std::vector{packet(forward, 0, 0)}, false),
                -std::log(1.0 / 4 / 7340032 / 65536 / 7340033), 1e-12);
}

TEST(PacketChain, DrawsWhatItLearned) {
    PacketChain chain = example();
    Random random(1);
    std::size_t alone = 0, flows = 20000;
    std::set<std::uint32_t> sizes;
    for (std::size_t i = 0; i < flows; ++i) {
        const auto flow = chain.draw(random, SIZE_MAX);
        ASSERT_GE(flow.size(), 1U);
        ASSERT_LE(flow.size(), 12U);  // four times the longest learned
        ASSERT_EQ(flow[0].direction, forward);
        alone += flow.size() == 1 ? 1 : 0;
        bool answered = false;
        for (std::size_t k = 0; k < flow.size(); ++k) {
            sizes.insert(flow[k].payload);
            if (answered) {
                ASSERT_EQ(flow[k].direction, reverse);
            }
            answered |= flow[k].direction == reverse;
            if (k == 0) continue;
            const std::int64_t gap = flow[k].time_ns - flow[k - 1].time_ns;
            // q -> a was 100 ns both times, a -> a 200, q -> q 5000, to 5 leading bits.
            if (flow[k].direction == forward) {
                ASSERT_NEAR(gap, 5000, 5000 / 32.0);
            } else if (flow[k - 1].direction == forward) {
                ASSERT_NEAR(gap, 100, 100 / 32.0);
            } else {
                ASSERT_NEAR(gap, 200, 200 / 32.0);
            }
        }
    }
    EXPECT_EQ(sizes, (std::set<std::uint32_t>{40, 41, 200, 201}));
    EXPECT_NEAR(static_cast<double>(alone) / static_cast<double>(flows), 0.25,
                0.015);  // 4.9 standard deviations
}

TEST(PacketChain, KeepsTheLimit) {
    PacketChain chain = example();
    Random random(1);
    for (int i = 0; i < 100; ++i) EXPECT_LE(chain.draw(random, 2).size(), 2U);
}

TEST(PacketChain, FollowsTcpPhases) {
    using namespace tcp_flag;
    TcpPhase phase = TcpPhase::not_tcp;
    const auto next = [&](Direction direction, std::uint16_t flags) {
        return phase = next_phase(phase, packet(direction, 0, 0, flags));
    };
    EXPECT_EQ(next(forward, syn), TcpPhase::opening);
    EXPECT_EQ(next(forward, syn), TcpPhase::opening);
    EXPECT_EQ(next(reverse, syn | ack), TcpPhase::answered);
    EXPECT_EQ(next(forward, ack), TcpPhase::open);
    EXPECT_EQ(next(reverse, ack), TcpPhase::open);
    EXPECT_EQ(next(reverse, fin | ack), TcpPhase::closing_reverse);
    EXPECT_EQ(next(forward, ack), TcpPhase::closing_reverse);
    EXPECT_EQ(next(reverse, fin | ack), TcpPhase::closing_reverse);  // again
    EXPECT_EQ(next(forward, fin | ack), TcpPhase::closed);
    EXPECT_EQ(next(reverse, ack), TcpPhase::closed);
    EXPECT_EQ(next(reverse, rst), TcpPhase::reset);
    phase = TcpPhase::not_tcp;
    EXPECT_EQ(next(reverse, ack), TcpPhase::open);  // began before the capture
}

TEST(PacketChain, SizeClasses) {
    EXPECT_EQ(size_class(0), 0);
    EXPECT_EQ(size_class(1), 1);
    EXPECT_EQ(size_class(63), 1);
    EXPECT_EQ(size_class(64), 2);
    EXPECT_EQ(size_class(1023), 3);
    EXPECT_EQ(size_class(1024), 4);
    EXPECT_EQ(size_class(1400), 5);
    EXPECT_EQ(size_class(1500), 5);
    EXPECT_EQ(size_class(1501), 6);
}

TEST(PacketChain, SurvivesJson) {
    PacketChain chain = example();
    const nlohmann::json json = chain.to_json();
    PacketChain loaded = PacketChain::from_json(CheckedJson(json, "test"));
    EXPECT_EQ(loaded.to_json(), json);
    Random a(9), b(9);
    for (int i = 0; i < 50; ++i) {
        const auto x = chain.draw(a, SIZE_MAX), y = loaded.draw(b, SIZE_MAX);
        ASSERT_EQ(x.size(), y.size());
        for (std::size_t k = 0; k < x.size(); ++k) EXPECT_EQ(x[k].time_ns, y[k].time_ns);
    }
}

TEST(PacketChain, RejectsHostileJson) {
    const nlohmann::json good = example().to_json();
    const auto reject = [&](const char* pointer, nlohmann::json value) {
        nlohmann::json bad = good;
        bad[nlohmann::json::json_pointer(pointer)] = std::move(value);
        EXPECT_THROW(PacketChain::from_json(CheckedJson(bad, "test")), InputError) << pointer;
    };
    reject("/states/0/next/0/to", 99);
    reject("/states/0/next/0/gap_ns", nlohmann::json::array());
    reject("/states/0/payload", nlohmann::json::array());
    reject("/states/0/phase", 8);
    reject("/states/0/ends", -1);
    reject("/starts", nlohmann::json::array());
    reject("/starts/0/0", 2);
    reject("/longest", 0);
    reject("/states", 5);
    nlohmann::json stuck = good;
    stuck["states"][1]["ends"] = 0;
    stuck["states"][1]["next"] = nlohmann::json::array();
    EXPECT_THROW(PacketChain::from_json(CheckedJson(stuck, "test")), InputError);
}

}  // namespace
}  // namespace tracebench
