// What constrained decoding allows at each place of a conversation, worked out by hand from RFC 9293.

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "generators/ssm/encoding/netssm_encoding.h"
#include "support.h"
#include "traffic/rules/checker.h"

namespace tracebench::ssm {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using namespace tracebench::testing;
using namespace tracebench::tcp_flag;

const Endpoint client{ip4(192, 0, 2, 1), 50112}, server{ip4(198, 51, 100, 9), 443};
constexpr Token packet_token = 259, end_token = 257;
constexpr std::size_t total_length = 16, source = 26, sequence_at = 38, acknowledgement_at = 42,
                      offset_at = 46, flags_at = 47, header_end = 54;

class NetssmDecoderTest : public ::testing::Test {
  protected:
    /// The first `count` bytes of what the packet's tokens would be, each of which must be allowed.
    void feed(const PacketFields& fields, std::size_t count = kTokenPacketBytes, std::size_t begin = 0) {
        const auto frame = build_packet(fields);
        const auto bytes =
            token_packet({0, static_cast<std::uint32_t>(frame.size()), link_type::ethernet, 1, frame});
        ASSERT_TRUE(bytes);
        for (std::size_t i = begin; i < count; ++i) {
            ASSERT_TRUE(decoder->allowed((*bytes)[i])) << "byte " << i << ", value " << int((*bytes)[i]);
            decoder->accept((*bytes)[i]);
        }
    }
    void send(const PacketFields& fields) {
        feed(fields);
        decoder->accept(packet_token);
    }
    void handshake() {
        send(tcp_fields(client, server, syn, 0, 1000));
        send(tcp_fields(server, client, syn | ack, 0, 5000, 1001));
        send(tcp_fields(client, server, ack, 0, 1001, 5001));
    }
    std::vector<int> allowed_bytes() {
        std::vector<int> bytes;
        for (int byte = 0; byte < 256; ++byte)
            if (decoder->allowed(byte)) bytes.push_back(byte);
        return bytes;
    }
    void accept(std::uint32_t number) {
        for (int shift = 24; shift >= 0; shift -= 8)
            decoder->accept(static_cast<Token>(number >> shift & 0xFF));
    }
    bool number_allowed(std::uint32_t number) {
        for (int shift = 24; shift >= 0; shift -= 8) {
            const auto byte = static_cast<Token>(number >> shift & 0xFF);
            if (!decoder->allowed(byte)) return false;
            decoder->accept(byte);
        }
        return true;
    }
    std::uint64_t repaired() const { return static_cast<const NetssmDecoder&>(*decoder).repaired(); }
    std::uint64_t dropped() const { return static_cast<const NetssmDecoder&>(*decoder).dropped(); }

    std::unique_ptr<NetssmEncoding> codec = NetssmEncoding::make({"x"}, nlohmann::json::object());
    std::unique_ptr<TraceDecoder> decoder = codec->decoder({"x", 1, true});
};

TEST_F(NetssmDecoderTest, EndsAtOnceOrAfterAPacket) {
    EXPECT_TRUE(decoder->allowed(end_token));
    EXPECT_FALSE(decoder->allowed(packet_token));
    feed(tcp_fields(client, server, syn, 0, 1000), 1);
    EXPECT_FALSE(decoder->allowed(end_token));
    feed(tcp_fields(client, server, syn, 0, 1000), 128, 1);
    EXPECT_THAT(allowed_bytes(), IsEmpty());
    EXPECT_TRUE(decoder->allowed(packet_token));
    EXPECT_FALSE(decoder->forced());
    decoder->accept(packet_token);
    EXPECT_FALSE(decoder->allowed(end_token));
    EXPECT_FALSE(decoder->allowed(packet_token));
    EXPECT_EQ(decoder->packets(), 1U);
}

TEST_F(NetssmDecoderTest, FixedFieldsAreForced) {
    feed(tcp_fields(client, server, syn, 0, 1000), 12);
    EXPECT_THAT(allowed_bytes(), ElementsAre(0x08, 0x86));
    feed(tcp_fields(client, server, syn, 0, 1000), 13, 12);
    EXPECT_EQ(decoder->forced(), 0x00);
    feed(tcp_fields(client, server, syn, 0, 1000), 14, 13);
    EXPECT_EQ(decoder->forced(), 0x45);
    feed(tcp_fields(client, server, syn, 0, 1000), 20, 14);
    EXPECT_THAT(allowed_bytes(), ElementsAre(0x00, 0x40));  // Don't Fragment or nothing
    feed(tcp_fields(client, server, syn, 0, 1000), 22, 20);
    EXPECT_EQ(allowed_bytes().front(), 1);  // time to live
    feed(tcp_fields(client, server, syn, 0, 1000), 23, 22);
    EXPECT_THAT(allowed_bytes(), ElementsAre(ip_protocol::tcp, ip_protocol::udp));
    feed(tcp_fields(client, server, syn, 0, 1000), header_end, 23);
    for (std::size_t i = header_end; i < kTokenPacketBytes; ++i) {
        EXPECT_EQ(decoder->forced(), 0);
        decoder->accept(0);
    }
}

TEST_F(NetssmDecoderTest, ConversationsBeginWithSyn) {
    feed(tcp_fields(client, server, syn, 0, 1000), flags_at);
    for (const int flags : allowed_bytes()) EXPECT_EQ(flags & (syn | ack | rst | fin), syn) << flags;
    EXPECT_TRUE(decoder->allowed(syn));
    EXPECT_TRUE(decoder->allowed(syn | ece | cwr));  // asks for ECN (RFC 3168)
}

TEST_F(NetssmDecoderTest, DataWithoutAConversationIsNoTcp) {
    // 1460 bytes cannot all be options: a SYN cannot be that long, so this can only be UDP.
    feed(tcp_fields(client, server, ack, 1460, 1), 23);
    EXPECT_THAT(allowed_bytes(), ElementsAre(ip_protocol::udp));
}

TEST_F(NetssmDecoderTest, DataGoWhereAConversationIsOpen) {
    handshake();
    const auto data = tcp_fields(client, server, ack | psh, 700, 1001, 5001);
    feed(data, source);
    EXPECT_THAT(allowed_bytes(), ElementsAre(192, 198));
    feed(data, source + 4, source);
    EXPECT_THAT(allowed_bytes(), ElementsAre(198));
    feed(data, sequence_at, source + 4);
    accept(1001);
    EXPECT_THAT(allowed_bytes(), ElementsAre(0));  // acknowledgement 5001 and nothing else
    accept(5001);
    feed(data, flags_at, offset_at);
    for (const int flags : allowed_bytes()) EXPECT_FALSE(flags & syn) << flags;
    EXPECT_TRUE(decoder->allowed(ack));
    EXPECT_TRUE(decoder->allowed(ack | fin));
    EXPECT_FALSE(decoder->allowed(psh));        // ACK is on every segment after the SYN
    EXPECT_FALSE(decoder->allowed(ack | ece));  // nobody asked for ECN
}

TEST_F(NetssmDecoderTest, SynAckAcknowledgesTheSyn) {
    send(tcp_fields(client, server, syn, 0, 0x01020304));
    feed(tcp_fields(server, client, syn | ack, 0, 77, 0x01020305), acknowledgement_at);
    for (const int byte : {1, 2, 3, 5}) {
        EXPECT_THAT(allowed_bytes(), ElementsAre(byte));
        decoder->accept(byte);
    }
}

TEST_F(NetssmDecoderTest, OnlyASynGoesAgainBeforeItsAnswer) {
    send(tcp_fields(client, server, syn, 0, 1000));
    feed(tcp_fields(client, server, syn, 0, 1000), flags_at);
    for (const int flags : allowed_bytes()) EXPECT_TRUE(flags & (syn | rst)) << flags;
    EXPECT_TRUE(decoder->allowed(syn));
    EXPECT_FALSE(decoder->allowed(ack));
}

TEST_F(NetssmDecoderTest, SequenceNumbersGoOnOrRepeat) {
    handshake();
    send(tcp_fields(client, server, ack, 100, 1001, 5001));
    send(tcp_fields(client, server, ack, 100, 1101, 5001));
    const auto fits = [&](std::uint32_t number) {
        decoder = codec->decoder({"x", 1, true});
        handshake();
        send(tcp_fields(client, server, ack, 100, 1001, 5001));
        send(tcp_fields(client, server, ack, 100, 1101, 5001));
        feed(tcp_fields(client, server, ack, 100, 1201, 5001), sequence_at);
        return number_allowed(number);
    };
    EXPECT_TRUE(fits(1201));   // next
    EXPECT_TRUE(fits(1101));   // sent again
    EXPECT_TRUE(fits(1001));   // sent again
    EXPECT_TRUE(fits(1301));   // one of 100 is missing from the capture
    EXPECT_FALSE(fits(1000));  // the SYN's
    EXPECT_FALSE(fits(1150));  // in the middle
    EXPECT_FALSE(fits(1202));
    EXPECT_FALSE(fits(70000));
    EXPECT_FALSE(fits(900));
}

TEST_F(NetssmDecoderTest, OnlyWhatWasSentIsAcknowledged) {
    const auto fits = [&](std::uint32_t number) {
        decoder = codec->decoder({"x", 1, true});
        handshake();
        send(tcp_fields(client, server, ack, 100, 1001, 5001));
        send(tcp_fields(server, client, ack, 0, 5001, 1051));
        feed(tcp_fields(server, client, ack, 10, 5001, 1101), acknowledgement_at);
        return number_allowed(number);
    };
    EXPECT_TRUE(fits(1101));
    EXPECT_TRUE(fits(1051));
    EXPECT_TRUE(fits(1077));   // a part
    EXPECT_FALSE(fits(1050));  // less than before
    EXPECT_FALSE(fits(1102));
    EXPECT_FALSE(fits(0));
}

TEST_F(NetssmDecoderTest, DataStayInTheWindow) {
    send(tcp_fields(client, server, syn, 0, 1000));
    PacketFields answer = tcp_fields(server, client, syn | ack, 0, 5000, 1001);
    answer.window = 300;
    send(answer);
    send(tcp_fields(client, server, ack, 0, 1001, 5001));
    // 300 bytes and a probe of one fit (RFC 9293 section 3.8.6.1); 380 do not, even less 40 of options.
    feed(tcp_fields(client, server, ack, 301, 1001, 5001), acknowledgement_at);
    decoder = codec->decoder({"x", 1, true});
    send(tcp_fields(client, server, syn, 0, 1000));
    send(answer);
    send(tcp_fields(client, server, ack, 0, 1001, 5001));
    feed(tcp_fields(client, server, ack, 380, 1001, 5001), source);
    EXPECT_THAT(allowed_bytes(), ElementsAre(198));  // only the server may send so much
}

TEST_F(NetssmDecoderTest, NothingNewAfterFin) {
    handshake();
    send(tcp_fields(client, server, fin | ack, 0, 1001, 5001));
    feed(tcp_fields(client, server, ack, 0, 1002, 5001), flags_at);
    EXPECT_TRUE(decoder->allowed(ack));
    EXPECT_FALSE(decoder->allowed(ack | fin));  // another after the first
    decoder = codec->decoder({"x", 1, true});
    handshake();
    send(tcp_fields(client, server, fin | ack, 0, 1001, 5001));
    send(tcp_fields(client, server, fin | ack, 0, 1001, 5001));  // the same again
    feed(tcp_fields(server, client, ack, 500, 5001, 1002), 23);
    EXPECT_TRUE(decoder->allowed(ip_protocol::tcp));  // the other side goes on
    feed(tcp_fields(server, client, ack, 500, 5001, 1002), source, 23);
    EXPECT_THAT(allowed_bytes(), ElementsAre(198));  // but only that side
}

TEST_F(NetssmDecoderTest, RefusalOfASyn) {
    send(tcp_fields(client, server, syn, 0, 1000));
    send(tcp_fields(server, client, rst | ack, 0, 0, 1001));
    EXPECT_EQ(decoder->packets(), 2U);
    EXPECT_EQ(repaired(), 0U);
}

TEST_F(NetssmDecoderTest, UdpLengthFollowsFromTheIpHeader) {
    PacketFields query = tcp_fields({ip4(192, 0, 2, 1), 40000}, {ip4(198, 51, 100, 53), 53}, 0, 300);
    query.protocol = ip_protocol::udp;
    feed(query, 38);
    EXPECT_EQ(decoder->forced(), 308 >> 8);
    decoder->accept(308 >> 8);
    EXPECT_EQ(decoder->forced(), 308 & 0xFF);
    decoder->accept(308 & 0xFF);
    feed(query, 54, 40);
    EXPECT_EQ(decoder->forced(), 0);  // 12 bytes of payload are kept
}

TEST_F(NetssmDecoderTest, MulticastNeedsItsEthernetAddress) {
    PacketFields query = tcp_fields({ip4(192, 0, 2, 1), 5353}, {ip4(224, 129, 2, 251), 5353}, 0, 40);
    query.protocol = ip_protocol::udp;
    query.dst_mac = {0x01, 0x00, 0x5E, 0x01, 0x02, 0xFB};  // RFC 1112 section 6.4: the low 23 bits
    feed(query, 23);
    EXPECT_THAT(allowed_bytes(), ElementsAre(ip_protocol::udp));
    feed(query, 31, 23);
    EXPECT_THAT(allowed_bytes(), ElementsAre(1, 129));
    decoder->accept(129);
    EXPECT_EQ(decoder->forced(), 2);
    decoder->accept(2);
    EXPECT_EQ(decoder->forced(), 0xFB);
}

TEST_F(NetssmDecoderTest, SixIsLikeFour) {
    Endpoint a, b;
    a.address = {6, {0x20, 0x01, 0x0D, 0xB8, 1}};
    b.address = {6, {0x20, 0x01, 0x0D, 0xB8, 2}};
    a.port = 50112, b.port = 443;
    send(tcp_fields(a, b, syn, 0, 1000));
    send(tcp_fields(b, a, syn | ack, 0, 5000, 1001));
    send(tcp_fields(a, b, ack, 0, 1001, 5001));
    const auto data = tcp_fields(a, b, ack, 999, 1001, 5001);
    feed(data, 26);
    EXPECT_THAT(allowed_bytes(), ElementsAre(1, 2));  // of the live addresses
    feed(data, 128, 26);
    decoder->accept(packet_token);
    EXPECT_EQ(decoder->packets(), 4U);
    EXPECT_EQ(repaired() + dropped(), 0U);
}

TEST_F(NetssmDecoderTest, ChecksumsAreComputed) {
    const auto original = build_packet(tcp_fields(client, server, syn, 0, 1000));
    auto wrong = original;
    wrong[24] = wrong[50] = 0xAA;
    for (std::size_t i = 0; i < kTokenPacketBytes; ++i) {
        const Token byte = i < wrong.size() ? wrong[i] : 0;
        ASSERT_TRUE(decoder->allowed(byte)) << i;
        decoder->accept(byte);
    }
    decoder->accept(end_token);
    EXPECT_TRUE(decoder->ended());
    EXPECT_EQ(decoder->next_packet()->bytes, original);
    EXPECT_EQ(repaired(), 0U);
}

TEST_F(NetssmDecoderTest, WhatWasNotAllowedIsRepaired) {
    PacketFields bad = tcp_fields(client, server, syn | fin, 0, 1000, 7);
    bad.ttl = 0;
    const auto frame = build_packet(bad);
    for (std::size_t i = 0; i < kTokenPacketBytes; ++i) decoder->accept(i < frame.size() ? frame[i] : 0);
    decoder->accept(packet_token);
    const auto packet = decoder->next_packet();
    ASSERT_TRUE(packet);
    EXPECT_EQ(repaired(), 1U);
    EXPECT_EQ(packet->bytes[22], 64);
    EXPECT_EQ(packet->bytes[flags_at], syn);
    Trace trace;
    trace.append(0, packet->bytes, packet->original_length);
    EXPECT_DOUBLE_EQ(check_compliance(trace).score(), 1);
}

TEST_F(NetssmDecoderTest, WhatIsNoPacketIsDropped) {
    for (int i = 0; i < 128; ++i) decoder->accept(0xAB);
    decoder->accept(packet_token);
    decoder->accept(packet_token);
    EXPECT_FALSE(decoder->next_packet());
    EXPECT_EQ(dropped(), 1U);
    EXPECT_EQ(decoder->packets(), 0U);
}

TEST_F(NetssmDecoderTest, WithoutConstraintsAnythingGoes) {
    decoder = codec->decoder({"x", 1, false});
    EXPECT_FALSE(decoder->forced());
    EXPECT_TRUE(decoder->allowed(packet_token));
    EXPECT_TRUE(decoder->allowed(end_token));
    for (int i = 0; i < 200; ++i) {
        ASSERT_TRUE(decoder->allowed(0xAB));
        decoder->accept(0xAB);
    }
    decoder->accept(packet_token);
    const auto packet = decoder->next_packet();
    ASSERT_TRUE(packet);
    EXPECT_EQ(packet->bytes, std::vector<std::uint8_t>(128, 0xAB));
    decoder->accept(packet_token);  // nothing between two
    for (int i = 0; i < 13; ++i) decoder->accept(1);
    decoder->accept(end_token);  // less than an Ethernet header
    EXPECT_FALSE(decoder->next_packet());
    EXPECT_TRUE(decoder->ended());
    EXPECT_FALSE(decoder->allowed(1));
    EXPECT_EQ(decoder->packets(), 1U);
    EXPECT_EQ(dropped(), 1U);
}

}  // namespace
}  // namespace tracebench::ssm
