#include "traffic/tcp_timestamps.h"

#include <gtest/gtest.h>

#include "traffic/bytes.h"
#include "traffic/packet_builder.h"

namespace tracebench {
namespace {

constexpr std::uint8_t ack = tcp_flag::ack, syn = tcp_flag::syn;

class TimestampRttTest : public testing::Test {
  protected:
    /// A segment at `ms` with the option's two numbers; without them, without the option.
    void send(double ms, unsigned direction, std::uint8_t flags, std::uint32_t payload,
              std::optional<std::pair<std::uint32_t, std::uint32_t>> timestamps) {
        PacketFields fields;
        fields.src.address.version = fields.dst.address.version = 4;
        fields.protocol = ip_protocol::tcp;
        fields.tcp_flags = flags;
        fields.payload_length = payload;
        if (timestamps) {
            fields.tcp_options = {1, 1, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0};
            store32(fields.tcp_options.data() + 4, timestamps->first);
            store32(fields.tcp_options.data() + 8, timestamps->second);
        }
        const auto bytes = build_packet(fields);
        const PacketView view{static_cast<std::int64_t>(ms * 1e6), static_cast<std::uint32_t>(bytes.size()),
                              link_type::ethernet, 1, bytes};
        const Headers headers = dissect(view);
        rtt_.add(direction, headers, tcp_segment(headers, view.time_ns, view.original_length));
    }
    TimestampRtt rtt_;
};

TEST_F(TimestampRttTest, HandshakeAndRequest) {
    send(0, 0, syn, 0, {{100, 0}});
    send(30, 1, syn | ack, 0, {{900, 100}});  // 30 ms
    send(35, 0, ack, 0, {{135, 900}});        // 5 ms
    send(36, 0, ack, 50, {{136, 900}});
    send(86, 1, ack, 0, {{956, 136}});  // 50 ms
    EXPECT_DOUBLE_EQ(rtt_.mean_ms(0).value(), 40);
    EXPECT_DOUBLE_EQ(rtt_.mean_ms(1).value(), 5);
    EXPECT_DOUBLE_EQ(rtt_.mean_ms().value(), 45);
}

TEST_F(TimestampRttTest, PureAcknowledgementsAreNotFollowed) {
    send(0, 0, ack, 0, {{100, 900}});
    send(80, 1, ack, 10, {{901, 100}});
    EXPECT_FALSE(rtt_.mean_ms(0));
    // Nor is a segment whose TSval an acknowledgement had before: the echo may be of that.
    send(90, 0, ack, 50, {{100, 901}});
    send(100, 1, ack, 0, {{902, 100}});
    EXPECT_FALSE(rtt_.mean_ms(0));
    EXPECT_DOUBLE_EQ(rtt_.mean_ms(1).value(), 10);
    EXPECT_FALSE(rtt_.mean_ms());
}

TEST_F(TimestampRttTest, AnEchoThatWasPassedOverEndsTheWait) {
    send(0, 0, ack, 50, {{0xFFFFFFFF, 7}});
    send(1, 0, ack, 50, {{1, 7}});  // after the wrap: newer
    send(20, 1, ack, 0, {{8, 1}});  // the first one's echo was lost
    EXPECT_FALSE(rtt_.mean_ms(0));
    send(21, 0, ack, 50, {{2, 8}});
    send(40, 1, ack, 0, {{8, 1}});  // old news
    send(51, 1, ack, 0, {{9, 2}});
    EXPECT_DOUBLE_EQ(rtt_.mean_ms(0).value(), 30);
}

TEST_F(TimestampRttTest, WithoutTheOptionThereIsNothing) {
    send(0, 0, syn, 0, {});
    send(10, 1, syn | ack, 0, {});
    send(20, 0, ack, 0, {});
    EXPECT_FALSE(rtt_.mean_ms(0));
    EXPECT_FALSE(rtt_.mean_ms());
}

}  // namespace
}  // namespace tracebench
