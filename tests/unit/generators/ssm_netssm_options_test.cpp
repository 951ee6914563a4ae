// TCP options byte by byte: RFC 9293 section 3.1, RFC 7323, RFC 2018.

#include <gmock/gmock.h>

#include "generators/ssm/encoding/netssm_options.h"
#include "traffic/headers.h"
#include "traffic/rules/tcp_options.h"

namespace tracebench::ssm {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;
using namespace tracebench::tcp_flag;

std::vector<int> bytes_of(const ByteSet& set) {
    std::vector<int> bytes;
    for (int byte = 0; byte < 256; ++byte)
        if (set[static_cast<std::size_t>(byte)]) bytes.push_back(byte);
    return bytes;
}

class OptionGrammarTest : public ::testing::Test {
  protected:
    SegmentFields segment(std::uint8_t flags, std::uint32_t sequence, std::uint32_t acknowledgement) {
        SegmentFields s;
        s.flags = flags;
        s.sequence = sequence;
        s.acknowledgement = acknowledgement;
        s.window = 65535;
        s.options_known = true;
        return s;
    }
    /// A SYN and its answer, then 1000 bytes of the server.
    void connect(bool timestamps, bool sack) {
        SegmentFields s = segment(syn, 100, 0);
        s.timestamps = timestamps;
        s.sack_permitted = sack;
        s.timestamp = 7000;
        flow.state.add(s, Direction::forward);
        s = segment(syn | ack, 500, 101);
        s.timestamps = timestamps;
        s.sack_permitted = sack;
        s.timestamp = 90000;
        flow.state.add(s, Direction::reverse);
        s = segment(ack, 101, 501);
        flow.state.add(s, Direction::forward);
        s = segment(ack, 501, 101);
        s.payload = 1000;
        flow.state.add(s, Direction::reverse);
    }
    void begin(const SegmentFields& s, std::uint32_t size) {
        grammar.begin({&flow, Direction::forward}, s, size);
    }
    void feed(const std::vector<int>& bytes) {
        for (const int byte : bytes) {
            ASSERT_TRUE(grammar.allowed()[static_cast<std::size_t>(byte)]) << byte;
            grammar.accept(static_cast<std::uint8_t>(byte));
        }
    }
    std::vector<int> allowed() { return bytes_of(grammar.allowed()); }

    LiveFlow flow;
    OptionGrammar grammar;
};

TEST_F(OptionGrammarTest, LinuxSyn) {
    begin(segment(syn, 100, 0), 20);
    feed({2});
    EXPECT_THAT(allowed(), ElementsAre(4));
    feed({4, 0});
    EXPECT_THAT(allowed(), Not(Contains(0)));  // a segment size of 0
    feed({180, 4, 2, 8, 10, 1, 2, 3, 4});
    EXPECT_THAT(allowed(), ElementsAre(0));  // nothing to echo yet
    feed({0, 0, 0, 0, 1, 3});
    EXPECT_THAT(allowed(), ElementsAre(3));
    feed({3});
    EXPECT_EQ(allowed().back(), 14);  // RFC 7323 section 2.3
}

TEST_F(OptionGrammarTest, OptionsFitTheirHeader) {
    begin(segment(syn, 100, 0), 4);
    // No-operation and end always; segment size and SACK-permitted fit, timestamps do not.
    for (const int kind : {0, 1, 2, 3, 4}) EXPECT_THAT(allowed(), Contains(kind));
    EXPECT_THAT(allowed(), Not(Contains(8)));
    EXPECT_THAT(allowed(), Not(Contains(5)));  // never with SYN
    feed({1});
    EXPECT_THAT(allowed(), Not(Contains(2)));
    feed({4, 2});
    EXPECT_THAT(allowed(), Not(Contains(4)));
    feed({0});
}

TEST_F(OptionGrammarTest, OnlyZerosAfterTheEnd) {
    begin(segment(syn, 100, 0), 8);
    feed({0});
    EXPECT_THAT(allowed(), ElementsAre(0));
}

TEST_F(OptionGrammarTest, AnAnswerHasOnlyWhatTheSynHad) {
    flow.state.add(segment(syn, 900, 0), Direction::reverse);
    begin(segment(syn | ack, 100, 901), 20);
    EXPECT_THAT(allowed(), Contains(2));
    for (const int kind : {3, 4, 8}) EXPECT_THAT(allowed(), Not(Contains(kind)));
}

TEST_F(OptionGrammarTest, AgreedTimestampsAreDue) {
    connect(true, false);
    begin(segment(ack, 101, 1501), 12);
    EXPECT_THAT(allowed(), Not(Contains(0)));
    feed({1, 1});
    EXPECT_THAT(allowed(), ElementsAre(8));  // ten bytes are left
    feed({8, 10});
    EXPECT_THAT(allowed(), ElementsAre(0));
    feed({0, 0});
    EXPECT_EQ(allowed().front(), 7000 >> 8);  // not before the last: 7000 = 0x1B58
    feed({0x1B});
    EXPECT_EQ(allowed().front(), 7000 & 0xFF);
    feed({0x58, 0, 1, 0x5F});
    EXPECT_THAT(allowed(), ElementsAre(0x90));  // 90000 = 0x00015F90, all that the peer has sent
}

TEST_F(OptionGrammarTest, NoTimestampsWithoutAgreementAndNoneOnResets) {
    connect(false, false);
    begin(segment(ack, 101, 1501), 12);
    EXPECT_THAT(allowed(), Not(Contains(8)));
    EXPECT_THAT(allowed(), Contains(0));
    flow = LiveFlow{};
    connect(true, false);
    begin(segment(rst, 101, 0), 12);
    EXPECT_THAT(allowed(), Contains(0));
}

TEST_F(OptionGrammarTest, SackBlocksLieInWhatThePeerSent) {
    connect(false, true);
    // The peer has sent 501 to 1500; 501 is acknowledged.
    begin(segment(ack, 101, 501), 20);
    feed({1, 1, 5});
    EXPECT_THAT(allowed(), ElementsAre(10, 18));
    feed({18, 0, 0});
    EXPECT_EQ(allowed().back(), 1500 >> 8);
    feed({3, 0xE8, 0, 0});                         // from 1000 = 0x03E8
    EXPECT_THAT(allowed(), ElementsAre(3, 4, 5));  // to 1001 to 1501 = 0x05DD
    feed({5});
    EXPECT_EQ(allowed().back(), 0xDD);
    feed({0xDD, 0, 0});
    EXPECT_EQ(allowed().front(), 1);  // 501 = 0x01F5
    feed({1});
    EXPECT_EQ(allowed().front(), 0xF5);
}

TEST_F(OptionGrammarTest, NoSackWithoutPermission) {
    connect(false, false);
    begin(segment(ack, 101, 501), 12);
    EXPECT_THAT(allowed(), Not(Contains(5)));
}

TEST_F(OptionGrammarTest, AfterNonsenseAnything) {
    begin(segment(syn, 100, 0), 8);
    grammar.accept(2);
    grammar.accept(200);
    EXPECT_TRUE(grammar.allowed().all());
    for (int i = 0; i < 50; ++i) grammar.accept(9);
}

}  // namespace
}  // namespace tracebench::ssm
