#include "traffic/tokens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "traffic/capture_reader.h"
#include "traffic/headers.h"
#include "traffic/packet_builder.h"
#include "traffic/tokenizer.h"

namespace tracebench {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;

std::vector<std::uint8_t> frame_of(std::uint8_t protocol, std::uint32_t payload) {
    PacketFields f;
    f.protocol = protocol;
    f.src.address.version = f.dst.address.version = 4;
    f.src.address.bytes = {192, 0, 2, 1};
    f.dst.address.bytes = {198, 51, 100, 9};
    f.src.port = 50112;
    f.dst.port = 443;
    f.tcp_options = {2, 4, 5, 0xB4};
    f.payload_length = payload;
    f.payload.assign(payload, 0xEE);
    return build_packet(f);
}

PacketView view(const std::vector<std::uint8_t>& frame) {
    return {0, static_cast<std::uint32_t>(frame.size()), link_type::ethernet, 1, frame};
}

/// The first `count` bytes of the frame, then zeros.
TokenPacket padded(const std::vector<std::uint8_t>& frame, std::size_t count) {
    TokenPacket packet{};
    std::copy_n(frame.begin(), count, packet.begin());
    return packet;
}

TEST(Tokens, TcpKeepsHeadersOnly) {
    const auto frame = frame_of(ip_protocol::tcp, 100);
    EXPECT_EQ(token_packet(view(frame)), padded(frame, 14 + 20 + 24));
}

TEST(Tokens, UdpKeepsTwelvePayloadBytes) {
    const auto frame = frame_of(ip_protocol::udp, 100);
    EXPECT_EQ(token_packet(view(frame)), padded(frame, 14 + 20 + 8 + 12));
    const auto exactly = frame_of(ip_protocol::udp, 12);
    EXPECT_EQ(token_packet(view(exactly)), padded(exactly, 14 + 20 + 8 + 12));
}

TEST(Tokens, ShortUdpPayloadLosesItsLastByteAsInNetSsm) {
    const auto frame = frame_of(ip_protocol::udp, 5);
    EXPECT_EQ(token_packet(view(frame)), padded(frame, 14 + 20 + 8 + 4));
    const auto empty = frame_of(ip_protocol::udp, 0);
    EXPECT_EQ(token_packet(view(empty)), padded(empty, 14 + 20 + 8));
}

TEST(Tokens, SkipsEverythingElse) {
    EXPECT_FALSE(token_packet(view(frame_of(ip_protocol::icmp, 8))));
    EXPECT_FALSE(token_packet(view(std::vector<std::uint8_t>(60))));
    auto fragment = frame_of(ip_protocol::tcp, 8);
    fragment[20] = 0x20;  // more fragments
    EXPECT_FALSE(token_packet(view(fragment)));
}

TEST(Tokens, LineIsThePreProcessors) {
    TokenPacket first{}, second{};
    first[0] = 255;
    second[127] = 7;
    std::string zeros;
    for (int i = 0; i < 127; ++i) zeros += " 0";
    // The hash is that of the name: printf 'a/b.pcap' | sha256sum
    EXPECT_EQ(token_line("video", std::vector{first, second}, "a/b.pcap"),
              "{\"Data\":\"<|video|> 255" + zeros + " <|pkt|>" + zeros +
                  " 7\",\"Hash\":\"5da755ee91f0f7a23a532df4f5457d6958dc4ce04b62bdb0d07c32c782c199a9\","
                  "\"Filename\":\"a/b.pcap\",\"OrigLen\":2}\n");
}

TEST(Tokens, GeneratedTextLosesItsEndsAndWhatIsNoByte) {
    const GeneratedPackets g = parse_generated(
        "<|video|> 9 9 <|pkt|> 1 2  3 <|pkt|>\n255<|pkt|> 256 <|pkt|> 1 x <|pkt|> 1x <|pkt|>  <|pkt|> -1 "
        "<|pkt|> 5");
    EXPECT_THAT(g.packets, ElementsAre(ElementsAre(1, 2, 3), ElementsAre(255)));
    EXPECT_EQ(g.dropped, 4U);
    EXPECT_TRUE(parse_generated("").packets.empty());
    EXPECT_TRUE(parse_generated("<|pkt|>").packets.empty());
    EXPECT_TRUE(parse_generated("1 2 3 <|pkt|> 4").packets.empty());
}

TEST(Tokens, FrameIsFreedOfPadding) {
    const auto tcp = frame_of(ip_protocol::tcp, 100);
    const TokenFrame frame = token_frame(*token_packet(view(tcp)));
    EXPECT_THAT(frame.bytes, ElementsAreArray(tcp.begin(), tcp.begin() + 58));
    EXPECT_EQ(frame.original_length, tcp.size());

    const auto udp = frame_of(ip_protocol::udp, 30);
    EXPECT_EQ(token_frame(*token_packet(view(udp))).bytes.size(), 54U);
    EXPECT_EQ(token_frame(*token_packet(view(udp))).original_length, udp.size());
    const auto brief = frame_of(ip_protocol::udp, 5);
    EXPECT_EQ(token_frame(*token_packet(view(brief))).bytes.size(), 46U);
    EXPECT_EQ(token_frame(*token_packet(view(brief))).original_length, brief.size());
}

TEST(Tokens, FrameWithoutReadableHeadersStaysAsItIs) {
    const std::vector<std::uint8_t> junk(128, 0xAB);
    const TokenFrame frame = token_frame(junk);
    EXPECT_EQ(frame.bytes, junk);
    EXPECT_EQ(frame.original_length, 128U);
}

/// A vocabulary whose ids are not the bytes: specials first, bytes backwards, as published ones are permuted.
nlohmann::json vocabulary() {
    nlohmann::json tokens = nlohmann::json::object();
    for (int byte = 0; byte < 256; ++byte) tokens[std::to_string(byte)] = 259 - byte;
    nlohmann::json document{{"added_tokens", nlohmann::json::array()}, {"model", {{"vocab", tokens}}}};
    int id = 0;
    for (const char* token : {"<|endoftext|>", "<|padding|>", "<|pkt|>", "<|netflix|>"})
        document["added_tokens"].push_back({{"id", id++}, {"content", token}});
    return document;
}

std::string error_of(const nlohmann::json& document) {
    try {
        Tokenizer::parse(document.dump(), "t.json");
    } catch (const InputError& error) {
        return error.what();
    }
    return "read without an error";
}

TEST(TokenizerTest, IdsAreTheFiles) {
    const Tokenizer t = Tokenizer::parse(vocabulary().dump(), "t.json");
    EXPECT_EQ(t.size(), 260U);
    EXPECT_EQ(t.byte_id(0), 259);
    EXPECT_EQ(t.byte_id(255), 4);
    EXPECT_EQ(t.byte_of(4), 255);
    EXPECT_FALSE(t.byte_of(2));
    EXPECT_FALSE(t.byte_of(-1));
    EXPECT_EQ(t.packet_id(), 2);
    EXPECT_EQ(t.end_id(), 0);
    EXPECT_EQ(t.label_id("netflix"), 3);
    EXPECT_FALSE(t.label_id("pkt"));
    EXPECT_FALSE(t.label_id("youtube"));
    EXPECT_THAT(t.labels(), ElementsAre("netflix"));
    EXPECT_EQ(t.text_of(260), "");
}

TEST(TokenizerTest, EncodesAndDecodes) {
    const Tokenizer t = Tokenizer::make(std::vector<std::string>{"a", "b"});
    EXPECT_EQ(t.size(), 262U);
    TokenPacket packet{};
    packet[0] = 7;
    const auto ids = t.encode("b", std::vector{packet, packet});
    ASSERT_EQ(ids.size(), 1 + 128 + 1 + 128U);
    EXPECT_EQ(ids[0], t.label_id("b"));
    EXPECT_EQ(ids[129], t.packet_id());
    EXPECT_EQ(t.decode(ids), token_text("b", std::vector{packet, packet}));
    EXPECT_THROW(t.encode("c", {}), InputError);
}

TEST(TokenizerTest, ItsOwnFileReadsBack) {
    const Tokenizer t = Tokenizer::make(std::vector<std::string>{"a"});
    const Tokenizer back = Tokenizer::parse(t.json(), "t.json");
    EXPECT_EQ(back.size(), t.size());
    for (std::size_t id = 0; id < t.size(); ++id)
        EXPECT_EQ(back.text_of(static_cast<Tokenizer::Id>(id)), t.text_of(static_cast<Tokenizer::Id>(id)));
}

TEST(TokenizerTest, AddedLabelsComeLast) {
    Tokenizer t = Tokenizer::parse(vocabulary().dump(), "t.json");
    t.add_label("netflix");
    EXPECT_EQ(t.size(), 260U);
    t.add_label("video");
    EXPECT_EQ(t.label_id("netflix"), 3);
    EXPECT_EQ(t.label_id("video"), 260);
    for (const char* label : {"", "pkt", "unk", "a b", "a|b", "<a"})
        EXPECT_THROW(t.add_label(label), InputError);
    EXPECT_EQ(t.size(), 261U);
}

TEST(TokenizerTest, RefusesBadVocabularies) {
    EXPECT_THROW(Tokenizer::parse("{", "t.json"), InputError);
    EXPECT_THAT(error_of(nlohmann::json::array()), HasSubstr("/model/vocab: is not an object"));
    EXPECT_THAT(error_of({{"model", 3}}), HasSubstr("/model/vocab: is not an object"));
    auto document = vocabulary();
    document["model"]["vocab"]["7"] = 1 << 30;
    EXPECT_THAT(error_of(document), HasSubstr("ids from 0 to 65535"));
    document = vocabulary();
    document["model"]["vocab"]["7"] = "seven";
    EXPECT_THAT(error_of(document), HasSubstr("/model/vocab/7: is not an integer"));
    document = vocabulary();
    document["model"]["vocab"]["7"] = document["model"]["vocab"]["8"];
    EXPECT_THAT(error_of(document), HasSubstr("share id 251"));
    document = vocabulary();
    document["model"]["vocab"].erase("200");
    EXPECT_THAT(error_of(document), HasSubstr("has no token for byte 200"));
    document = vocabulary();
    document["added_tokens"][2]["content"] = "<|packet|>";
    EXPECT_THAT(error_of(document), HasSubstr("has no token <|pkt|>"));
    document = vocabulary();
    document["added_tokens"][0]["content"] = "7";
    EXPECT_THAT(error_of(document), HasSubstr("has the ids 252 and 0"));
    document = vocabulary();
    document["added_tokens"][1] = 5;
    EXPECT_THAT(error_of(document), HasSubstr("/added_tokens/1: is not an object"));
}

}  // namespace
}  // namespace tracebench
