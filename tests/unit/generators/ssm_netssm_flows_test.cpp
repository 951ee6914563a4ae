#include <gmock/gmock.h>

#include "generators/ssm/encoding/netssm_flows.h"

namespace tracebench::ssm {
namespace {

using ::testing::ElementsAre;

constexpr std::int64_t second = 1'000'000'000;

TupleBytes tuple(char client) {
    return {10, 0, 0, client, 10, 0, 0, 99, 100, client, 1, 2};
}
TupleBytes back(char client) {
    return {10, 0, 0, 99, 10, 0, 0, client, 1, 2, 100, client};
}

SegmentFields segment(std::uint8_t flags, std::uint32_t sequence, std::uint32_t payload) {
    SegmentFields s;
    s.flags = flags;
    s.sequence = sequence;
    s.payload = payload;
    return s;
}

TEST(LiveFlows, FindsBothDirections) {
    LiveFlows flows;
    flows.add(tuple(1), segment(tcp_flag::syn, 7, 0));
    ASSERT_TRUE(flows.find(tuple(1)));
    EXPECT_EQ(flows.find(tuple(1))->direction, Direction::forward);
    ASSERT_TRUE(flows.find(back(1)));
    EXPECT_EQ(flows.find(back(1))->direction, Direction::reverse);
    EXPECT_EQ(flows.find(back(1))->peer().initial_sequence, 7U);
    EXPECT_FALSE(flows.find(tuple(2)));
    EXPECT_EQ(flows.flows().size(), 1U);
}

TEST(LiveFlows, ForgetsTheOneIdleLongest) {
    LiveFlows flows(2);
    flows.add(tuple(1), segment(tcp_flag::syn, 7, 0));
    flows.add(tuple(2), segment(tcp_flag::syn, 7, 0));
    flows.add(back(1), segment(tcp_flag::syn | tcp_flag::ack, 9, 0));
    flows.add(tuple(3), segment(tcp_flag::syn, 7, 0));
    EXPECT_TRUE(flows.find(tuple(1)));
    EXPECT_FALSE(flows.find(tuple(2)));
    EXPECT_FALSE(flows.find(back(2)));
    EXPECT_TRUE(flows.find(tuple(3)));
}

TEST(LiveFlows, SilenceEndsThem) {
    LiveFlows flows;
    flows.add(tuple(1), segment(tcp_flag::syn, 7, 0));
    flows.expire(200 * second);
    flows.add(tuple(2), segment(tcp_flag::syn, 7, 0));
    flows.expire(300 * second);  // FlowOptions: more than 300 s
    EXPECT_TRUE(flows.find(tuple(1)));
    flows.expire(301 * second);
    EXPECT_FALSE(flows.find(tuple(1)));
    EXPECT_TRUE(flows.find(tuple(2)));
}

TEST(LiveFlows, RemembersWhatMayBeSentAgain) {
    LiveFlows flows;
    flows.add(tuple(1), segment(tcp_flag::syn, 99, 0));
    flows.add(tuple(1), segment(tcp_flag::ack, 100, 50));
    flows.add(tuple(1), segment(tcp_flag::ack, 150, 0));
    flows.add(tuple(1), segment(tcp_flag::ack, 250, 50));  // two are missing before it
    const SentSegments& sent = flows.find(tuple(1))->sent();
    EXPECT_THAT(sent.begins.numbers(), ElementsAre(100, 250));
    EXPECT_THAT(sent.missing.numbers(), ElementsAre(150, 200));
    EXPECT_EQ(sent.largest, 50U);
}

TEST(LiveFlows, AHostThatTalksToItself) {
    const TupleBytes self{10, 0, 0, 1, 10, 0, 0, 1, 5, 5, 5, 5};
    LiveFlows flows(1);
    flows.add(self, segment(tcp_flag::syn, 7, 0));
    EXPECT_EQ(flows.find(self)->direction, Direction::forward);
    flows.add(tuple(1), segment(tcp_flag::syn, 7, 0));
    EXPECT_FALSE(flows.find(self));
}

}  // namespace
}  // namespace tracebench::ssm
