#include "traffic/tcp_analysis.h"

#include <gtest/gtest.h>

namespace tracebench {
namespace {

using namespace tcp_flag;
constexpr std::int64_t ms = 1'000'000;

/// A connection whose client (0) began at sequence number 1000 and whose server (1) at 5000, at time 0, 10
/// and 20 ms: the round-trip time is 20 ms.
class Connection {
  public:
    Connection() {
        send(0, 0, 1000, 0, syn);
        send(1, 10, 5000, 1001, syn | ack);
        send(0, 20, 1001, 5001, ack);
    }
    void send(unsigned from, double at_ms, std::uint32_t seq, std::uint32_t ackn, std::uint8_t flags,
              std::uint32_t length = 0, std::uint16_t window = 1000) {
        TcpSegment segment;
        segment.time_ns = static_cast<std::int64_t>(at_ms * ms);
        segment.sequence = seq;
        segment.acknowledgement = ackn;
        segment.length = length;
        segment.window = window;
        segment.flags = flags;
        tcp.add(from, segment);
    }
    void data(unsigned from, double at_ms, std::uint32_t seq, std::uint32_t length, std::uint32_t ackn) {
        send(from, at_ms, seq, ackn, ack, length);
    }

    TcpAnalysis tcp;
};

#define EXPECT_COUNTS(connection, again, disordered)                \
    EXPECT_EQ((connection).tcp.retransmissions(), unsigned{again}); \
    EXPECT_EQ((connection).tcp.out_of_order(), unsigned{disordered})

TEST(TcpAnalysis, HandshakeAndRoundTrip) {
    Connection c;
    EXPECT_TRUE(c.tcp.handshake());
    EXPECT_FALSE(c.tcp.closed());
    EXPECT_DOUBLE_EQ(*c.tcp.rtt_ms(), 20);
    EXPECT_COUNTS(c, 0, 0);
}

TEST(TcpAnalysis, NoHandshakeWithoutEachPart) {
    const auto of = [](std::initializer_list<TcpSegment> segments, std::initializer_list<unsigned> from) {
        TcpAnalysis tcp;
        auto side = from.begin();
        for (const TcpSegment& segment : segments) tcp.add(*side++, segment);
        EXPECT_FALSE(tcp.rtt_ms().has_value() && !tcp.handshake());
        return tcp.handshake();
    };
    const TcpSegment first{0, 1000, 0, 0, 100, syn, true}, second{1, 5000, 1001, 0, 100, syn | ack, true},
        third{2, 1001, 5001, 0, 100, ack, true};
    EXPECT_TRUE(of({first, second, third}, {0, 1, 0}));
    EXPECT_FALSE(of({first, third}, {0, 0}));
    EXPECT_FALSE(of({second, third}, {1, 0}));
    EXPECT_FALSE(of({first, second}, {0, 1}));
    EXPECT_FALSE(of({first, second, third}, {0, 0, 0})) << "all from one side";
    TcpSegment foreign = second;
    foreign.acknowledgement = 1000;
    EXPECT_FALSE(of({first, foreign, third}, {0, 1, 0})) << "the SYN-ACK acknowledges something else";
    TcpSegment short_of = third;
    short_of.acknowledgement = 5000;
    EXPECT_FALSE(of({first, second, short_of}, {0, 1, 0}));
}

TEST(TcpAnalysis, ClosedByFinBothWaysOrReset) {
    Connection c;
    c.send(0, 30, 1001, 5001, fin | ack);
    EXPECT_FALSE(c.tcp.closed());
    c.send(1, 40, 5001, 1002, fin | ack);
    EXPECT_TRUE(c.tcp.closed());
    Connection d;
    d.send(1, 30, 5001, 1001, rst);
    EXPECT_TRUE(d.tcp.closed());
}

TEST(TcpAnalysis, OrderedDataCountsNothing) {
    Connection c;
    c.data(0, 30, 1001, 100, 5001);
    c.data(0, 31, 1101, 100, 5001);
    c.data(1, 32, 5001, 500, 1201);
    c.data(0, 33, 1201, 0, 5501);
    EXPECT_COUNTS(c, 0, 0);
}

TEST(TcpAnalysis, RetransmissionAfterATimeout) {
    Connection c;
    c.data(0, 30, 1001, 100, 5001);
    c.data(0, 31, 1101, 100, 5001);
    c.data(0, 300, 1001, 100, 5001);  // longer than a round trip after the newest
    EXPECT_COUNTS(c, 1, 0);
}

TEST(TcpAnalysis, OutOfOrderWithinARoundTrip) {
    Connection c;
    c.data(0, 30, 1001, 100, 5001);
    c.data(0, 31, 1201, 100, 5001);  // a hole
    c.data(0, 32, 1101, 100, 5001);  // filled within 20 ms
    EXPECT_COUNTS(c, 0, 1);
}

TEST(TcpAnalysis, TheNewestSegmentAgainIsARetransmissionHoweverSoon) {
    Connection c;
    c.data(0, 30, 1001, 100, 5001);
    c.data(0, 31, 1001, 100, 5001);  // ends where the newest ends: not reordering
    EXPECT_COUNTS(c, 1, 0);
}

TEST(TcpAnalysis, WithoutAHandshakeThreeMillisecondsDecide) {
    for (const auto& [delay, disordered] : {std::pair{2.9, 1U}, {3.0, 0U}}) {
        TcpAnalysis tcp;
        const auto add = [&tcp](double at, std::uint32_t seq) {
            tcp.add(0, {static_cast<std::int64_t>(at * ms), seq, 1, 100, 1000, ack, true});
        };
        add(0, 1000);
        add(1, 1200);
        add(1 + delay, 1100);
        EXPECT_EQ(tcp.out_of_order(), disordered);
        EXPECT_EQ(tcp.retransmissions(), 1 - disordered);
    }
}

TEST(TcpAnalysis, FastRetransmissionBeatsReordering) {
    Connection c;
    c.data(0, 30, 1001, 100, 5001);
    c.data(0, 31, 1101, 100, 5001);
    c.data(0, 32, 1201, 100, 5001);
    c.data(1, 40, 5001, 0, 1101);  // asks for 1101
    for (int i = 1; i <= 2; ++i) c.data(1, 40 + i, 5001, 0, 1101);
    c.data(0, 45, 1101, 100, 5001);  // 13 ms after the newest, but twice asked for
    EXPECT_COUNTS(c, 1, 0);

    Connection once;  // one duplicate is not enough
    once.data(0, 30, 1001, 100, 5001);
    once.data(0, 31, 1101, 100, 5001);
    once.data(0, 32, 1201, 100, 5001);
    once.data(1, 40, 5001, 0, 1101);
    once.data(1, 41, 5001, 0, 1101);
    once.data(0, 45, 1101, 100, 5001);
    EXPECT_COUNTS(once, 0, 1);
}

TEST(TcpAnalysis, AWindowUpdateIsNoDuplicate) {
    Connection c;
    c.data(0, 30, 1001, 100, 5001);
    c.data(0, 31, 1101, 100, 5001);
    c.data(0, 32, 1201, 100, 5001);
    c.data(1, 40, 5001, 0, 1101);
    c.send(1, 41, 5001, 1101, ack, 0, 1100);
    c.send(1, 42, 5001, 1101, ack, 0, 1200);
    c.data(0, 45, 1101, 100, 5001);
    EXPECT_COUNTS(c, 0, 1);
}

TEST(TcpAnalysis, DuplicateAcknowledgementsAreCounted) {
    Connection c;
    c.data(0, 30, 1001, 100, 5001);
    c.data(1, 40, 5001, 0, 1101);  // the first one is none
    EXPECT_EQ(c.tcp.duplicate_acks(), 0u);
    for (int i = 1; i <= 3; ++i) c.data(1, 40 + i, 5001, 0, 1101);
    c.send(1, 45, 5001, 1101, ack, 0, 2000);  // a window update
    c.data(1, 46, 5001, 10, 1101);            // data
    c.send(1, 47, 5011, 1101, fin | ack);
    EXPECT_EQ(c.tcp.duplicate_acks(), 3u);
}

TEST(TcpAnalysis, ClosedWindowsAndKeepAlivesAreCounted) {
    Connection c;
    c.data(0, 30, 1001, 100, 5001);
    c.send(1, 35, 5001, 1101, ack, 0, 0);
    c.send(1, 36, 5001, 1101, ack, 0, 0);
    c.send(1, 37, 5001, 1101, rst | ack, 0, 0);  // says nothing of a window
    EXPECT_EQ(c.tcp.zero_windows(), 2u);
    EXPECT_EQ(c.tcp.duplicate_acks(), 0u);

    Connection quiet;
    quiet.data(0, 30, 1001, 100, 5001);
    quiet.data(1, 35, 5001, 0, 1101);
    quiet.data(0, 1000, 1100, 1, 5001);
    quiet.data(1, 1010, 5001, 0, 1101);  // the answer is no duplicate
    quiet.data(0, 2000, 1100, 0, 5001);
    EXPECT_EQ(quiet.tcp.keep_alives(), 2u);
    EXPECT_EQ(quiet.tcp.duplicate_acks(), 0u);
}

TEST(TcpAnalysis, SpuriousRetransmissionOfAcknowledgedData) {
    Connection c;
    c.data(0, 30, 1001, 100, 5001);
    c.data(1, 35, 5001, 0, 1101);
    c.data(0, 36, 1001, 100, 5001);
    EXPECT_COUNTS(c, 1, 0);
}

TEST(TcpAnalysis, KeepAlivesAndProbesAreNotRetransmissions) {
    Connection c;
    c.data(0, 30, 1001, 100, 5001);
    c.data(1, 35, 5001, 0, 1101);
    c.data(0, 1000, 1100, 1, 5001);  // keep-alive with one byte
    c.data(1, 1010, 5001, 0, 1101);
    c.data(0, 2000, 1100, 0, 5001);  // without
    EXPECT_COUNTS(c, 0, 0);

    Connection closed;
    closed.data(0, 30, 1001, 100, 5001);
    closed.send(1, 35, 5001, 1101, ack, 0, 0);  // window closed
    closed.data(0, 500, 1101, 1, 5001);         // probe: does not advance
    closed.send(1, 510, 5001, 1101, ack, 0, 0);
    closed.data(0, 900, 1101, 1, 5001);
    EXPECT_COUNTS(closed, 0, 0);
    closed.send(1, 910, 5001, 1101, ack, 0, 1000);
    closed.data(0, 920, 1101, 100, 5001);
    EXPECT_COUNTS(closed, 0, 0);
}

TEST(TcpAnalysis, SynAndFinOccupyANumber) {
    Connection c;
    c.send(0, 30, 1001, 5001, fin | ack);
    c.send(0, 300, 1001, 5001, fin | ack);
    EXPECT_COUNTS(c, 1, 0);
}

TEST(TcpAnalysis, SequenceNumbersWrap) {
    TcpAnalysis tcp;
    const auto add = [&tcp](std::int64_t at, std::uint32_t seq) {
        tcp.add(0, {at * ms, seq, 1, 256, 1000, ack, true});
    };
    add(0, 0xFFFFFF00);
    add(1, 0x00000100);  // beyond the wrap, with a hole before it
    EXPECT_EQ(tcp.retransmissions(), 0u);
    add(2, 0x00000001);
    EXPECT_EQ(tcp.out_of_order(), 1u);
}

TEST(TcpAnalysis, SaysWhichSynStartsAgain) {
    Connection c;
    TcpSegment again;
    again.flags = syn;
    again.sequence = 1000;
    EXPECT_FALSE(c.tcp.restarted_by(0, again)) << "the same SYN";
    again.sequence = 1001;
    EXPECT_TRUE(c.tcp.restarted_by(0, again));
    again.flags = syn | ack;
    EXPECT_FALSE(c.tcp.restarted_by(0, again)) << "not a pure SYN";
    again.flags = syn;
    EXPECT_TRUE(c.tcp.restarted_by(1, again)) << "the server calls back";
    EXPECT_FALSE(TcpAnalysis().restarted_by(0, again));
}

TEST(TcpAnalysis, SegmentsOfUnknownLengthOnlyMoveTheState) {
    Connection c;
    TcpSegment segment{30 * ms, 1, 5001, 0, 1000, rst | ack, false};
    c.tcp.add(0, segment);
    EXPECT_TRUE(c.tcp.closed());
    EXPECT_COUNTS(c, 0, 0);
}

}  // namespace
}  // namespace tracebench
