#include <gmock/gmock.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "generators/ssm/encoding/netssm_encoding.h"
#include "support.h"

namespace tracebench::ssm {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using namespace tracebench::testing;

const Endpoint client{ip4(192, 0, 2, 1), 50112}, server{ip4(198, 51, 100, 9), 443};

std::unique_ptr<NetssmEncoding> encoding() {
    return NetssmEncoding::make({"video", "web"}, nlohmann::json::object());
}

/// Handshake, a request, an answer of two segments, FIN both ways.
Trace conversation() {
    using namespace tcp_flag;
    Trace trace;
    std::int64_t time = 0;
    for (const PacketFields& fields :
         {tcp_fields(client, server, syn, 0, 1000), tcp_fields(server, client, syn | ack, 0, 5000, 1001),
          tcp_fields(client, server, ack, 0, 1001, 5001),
          tcp_fields(client, server, psh | ack, 100, 1001, 5001),
          tcp_fields(server, client, ack, 1460, 5001, 1101),
          tcp_fields(server, client, psh | ack, 77, 6461, 1101),
          tcp_fields(client, server, fin | ack, 0, 1101, 6538),
          tcp_fields(server, client, fin | ack, 0, 6538, 1102),
          tcp_fields(client, server, ack, 0, 1102, 6539)})
        append(trace, time += millisecond, fields);
    return trace;
}

/// The only published facts about ids: whatever the file says. Here specials first and bytes backwards.
std::string published_tokenizer(bool with_end = true) {
    nlohmann::json vocabulary = nlohmann::json::object(), added = nlohmann::json::array();
    for (int byte = 0; byte < 256; ++byte) vocabulary[std::to_string(byte)] = 260 - byte;
    int id = 0;
    for (const char* token :
         {with_end ? "<|endoftext|>" : "<|other|>", "<|padding|>", "<|pkt|>", "<|unk|>", "<|netflix|>"})
        added.push_back({{"id", id++}, {"content", token}});
    return nlohmann::json{{"added_tokens", added}, {"model", {{"vocab", vocabulary}}}}.dump();
}

/// A folder of its own for the test that runs, removed at the end.
class Folder {
  public:
    Folder() { std::filesystem::create_directories(path_); }
    ~Folder() { std::filesystem::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_ =
        std::filesystem::path(::testing::TempDir()) /
        (std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()) +
         std::to_string(::getpid()));
};

template <typename Action>
std::string error_of(const Action& action) {
    try {
        action();
    } catch (const InputError& error) {
        return error.what();
    }
    return "no error";
}

std::vector<DecodedPacket> decode(const Encoding& codec, const std::vector<Token>& tokens, bool constrained) {
    const auto decoder = codec.decoder({"video", 7, constrained});
    std::vector<DecodedPacket> packets;
    for (std::size_t i = 1; i < tokens.size(); ++i) {
        EXPECT_TRUE(decoder->allowed(tokens[i])) << "token " << i;
        decoder->accept(tokens[i]);
        while (auto packet = decoder->next_packet()) packets.push_back(*std::move(packet));
    }
    EXPECT_TRUE(decoder->ended());
    return packets;
}

TEST(NetssmEncoding, LayoutIsThePublishedOne) {
    const auto codec = encoding();
    Trace trace;
    append(trace, 0, tcp_fields(client, server, tcp_flag::syn, 0, 1000));
    append(trace, 5, tcp_fields(server, client, tcp_flag::syn | tcp_flag::ack, 0, 9, 1001));
    EncodeReport report;
    const auto tokens = codec->encode("video", trace, report);
    // NetSSM's create_tokenizer.py: bytes, <|unk|>, <|endoftext|>, <|padding|>, <|pkt|>, labels.
    ASSERT_EQ(tokens.size(), 1 + 128 + 1 + 128 + 1U);
    EXPECT_EQ(codec->vocabulary_size(), 262U);
    EXPECT_EQ(tokens.front(), 260);
    EXPECT_EQ(tokens[129], 259);
    EXPECT_EQ(tokens.back(), 257);
    for (std::size_t i = 0; i < 54; ++i) EXPECT_EQ(tokens[1 + i], trace.packets[0].bytes[i]);
    for (std::size_t i = 54; i < 128; ++i) EXPECT_EQ(tokens[1 + i], 0);
    EXPECT_EQ(report.packets, 2U);
    EXPECT_EQ(report.left_out, 0U);
    EXPECT_EQ(report.tokens, tokens.size());
}

TEST(NetssmEncoding, LeavesOutWhatNetSsmSkips) {
    Trace trace;
    PacketFields ping = tcp_fields(client, server, 0);
    ping.protocol = ip_protocol::icmp;
    append(trace, 0, ping);
    EncodeReport report;
    EXPECT_THAT(encoding()->encode("web", trace, report), ElementsAre(261, 257));
    EXPECT_EQ(report.left_out, 1U);
    EXPECT_EQ(report.packets, 0U);
}

TEST(NetssmEncoding, HeadersComeBackBothWays) {
    const auto codec = encoding();
    Trace trace = conversation();
    PacketFields udp = tcp_fields({ip4(192, 0, 2, 1), 40000}, {ip4(198, 51, 100, 53), 5300}, 0, 33);
    udp.protocol = ip_protocol::udp;
    append(trace, 1000 * millisecond, udp);
    EncodeReport report;
    const auto tokens = codec->encode("video", trace, report);
    for (const bool constrained : {false, true}) {
        const auto packets = decode(*codec, tokens, constrained);
        ASSERT_EQ(packets.size(), trace.size());
        for (std::size_t i = 0; i < packets.size(); ++i) {
            const auto& original = trace.packets[i];
            EXPECT_EQ(packets[i].original_length, original.original_length);
            EXPECT_TRUE(std::equal(packets[i].bytes.begin(), packets[i].bytes.end(), original.bytes.begin()));
        }
        EXPECT_EQ(packets.back().bytes.size(), 14 + 20 + 8 + 12U);
    }
}

TEST(NetssmEncoding, OtherLinkTypesGetEthernet) {
    const Trace ethernet = conversation();
    Trace raw;
    for (const PacketView& packet : ethernet.packets)
        raw.append(packet.time_ns, packet.bytes.subspan(14), packet.original_length - 14, link_type::raw_ip);
    EncodeReport report;
    const auto codec = encoding();
    const auto packets = decode(*codec, codec->encode("video", raw, report), true);
    ASSERT_EQ(packets.size(), ethernet.size());
    for (std::size_t i = 0; i < packets.size(); ++i)
        EXPECT_TRUE(std::equal(packets[i].bytes.begin() + 12, packets[i].bytes.end(),
                               ethernet.packets[i].bytes.begin() + 12));
}

TEST(NetssmEncoding, TimesAreDrawnFromThoseObserved) {
    Trace trace;
    for (int i = 0; i < 9; ++i)
        append(trace, i * 16 * millisecond, tcp_fields(client, server, tcp_flag::syn, 0, 1000));
    Folder folder;
    {
        const auto codec = encoding();
        codec->observe("video", trace);
        codec->save(folder.path());
    }
    const auto codec = NetssmEncoding::load(folder.path());
    EncodeReport report;
    const auto packets = decode(*codec, codec->encode("video", trace, report), true);
    ASSERT_EQ(packets.size(), 9U);
    EXPECT_EQ(packets[0].time_ns, 0);
    for (std::size_t i = 1; i < 9; ++i) {  // to 3%: see netssm_times.cpp
        EXPECT_GE(packets[i].time_ns - packets[i - 1].time_ns, 15.5 * millisecond);
        EXPECT_LE(packets[i].time_ns - packets[i - 1].time_ns, 16.5 * millisecond);
    }
    // Another label has no times: 1 ms.
    const auto decoder = codec->decoder({"web", 1, false});
    for (int i = 0; i < 3; ++i) {
        for (int byte = 0; byte < 14; ++byte) decoder->accept(0);
        decoder->accept(259);
    }
    EXPECT_EQ(decoder->packets(), 3U);
    EXPECT_DOUBLE_EQ(decoder->seconds(), 0.002);
}

TEST(NetssmEncoding, SameSeedSameTimes) {
    Trace trace;
    for (int i = 0; i < 20; ++i)
        append(trace, i * i * millisecond, tcp_fields(client, server, tcp_flag::syn, 0, 1000));
    const auto codec = encoding();
    codec->observe("video", trace);
    EncodeReport report;
    const auto tokens = codec->encode("video", trace, report);
    const auto times = [&](std::uint64_t seed) {
        const auto decoder = codec->decoder({"video", seed, false});
        std::vector<std::int64_t> result;
        for (std::size_t i = 1; i < tokens.size(); ++i) decoder->accept(tokens[i]);
        while (auto packet = decoder->next_packet()) result.push_back(packet->time_ns);
        return result;
    };
    EXPECT_EQ(times(3), times(3));
    EXPECT_NE(times(3), times(4));
}

TEST(NetssmEncoding, PublishedTokenizerIsRead) {
    Folder folder;
    write_file(folder.path() / "tokenizer.json", published_tokenizer());
    const auto codec = NetssmEncoding::load(folder.path());
    EXPECT_EQ(codec->vocabulary_size(), 261U);
    EXPECT_THAT(codec->labels(), ElementsAre("netflix"));
    EXPECT_EQ(codec->label_token("netflix"), 4);
    EXPECT_EQ(codec->end_token(), 0);
    Trace trace;
    append(trace, 0, tcp_fields(client, server, tcp_flag::syn, 0, 1000));
    EncodeReport report;
    const auto tokens = codec->encode("netflix", trace, report);
    EXPECT_EQ(tokens[1 + 12], 260 - 8);  // EtherType 0x0800
    const auto decoder = codec->decoder({"netflix", 1, false});
    for (const Token never : {-1, 1, 3, 4, 261, 65536}) EXPECT_FALSE(decoder->allowed(never)) << never;
    for (std::size_t i = 1; i < tokens.size(); ++i) decoder->accept(tokens[i]);
    const auto packet = decoder->next_packet();
    ASSERT_TRUE(packet);
    EXPECT_TRUE(std::equal(packet->bytes.begin(), packet->bytes.end(), trace.packets[0].bytes.begin()));
}

TEST(NetssmEncoding, LabelsAreAddedAtTheEnd) {
    Folder folder;
    write_file(folder.path() / "tokenizer.json", published_tokenizer());
    const auto codec = NetssmEncoding::load(folder.path());
    codec->add_labels({"web", "netflix"});
    EXPECT_EQ(codec->label_token("netflix"), 4);
    EXPECT_EQ(codec->label_token("web"), 261);
    codec->save(folder.path());
    EXPECT_EQ(NetssmEncoding::load(folder.path())->label_token("web"), 261);
    EXPECT_FALSE(std::filesystem::exists(folder.path() / "iat.json"));
    for (const char* label : {"", "a b", "pkt", "endoftext", "a|b", "<x"})
        EXPECT_THAT(error_of([&] {
                        codec->add_labels({"new", label});
                    }),
                    HasSubstr("cannot be a token"))
            << label;
    EXPECT_EQ(codec->vocabulary_size(), 262U);
}

TEST(NetssmEncoding, RefusesWhatItCannotUse) {
    const auto codec = encoding();
    EXPECT_THAT(error_of([&] { codec->label_token("dns"); }), HasSubstr("'dns' has no token"));
    EXPECT_THAT(error_of([&] { codec->decoder({"dns", 1, true}); }), HasSubstr("there are: video, web"));
    EXPECT_THAT(error_of([&] { NetssmEncoding::make({"a"}, {{"bytes", 64}}); }), HasSubstr("bytes"));
    Folder folder;
    write_file(folder.path() / "tokenizer.json", published_tokenizer(false));
    EXPECT_THAT(error_of([&] { NetssmEncoding::load(folder.path()); }),
                HasSubstr("tokenizer.json: has no token <|endoftext|>"));
    write_file(folder.path() / "tokenizer.json", published_tokenizer());
    for (const char* text : {"[]", "{\"labels\": 3}", "{\"labels\": {\"netflix\": [[-1, 2]]}}",
                             "{\"labels\": {\"netflix\": [[4000000000000, 2]]}}", "{\"other\": {}}"}) {
        write_file(folder.path() / "iat.json", text);
        EXPECT_THAT(error_of([&] { NetssmEncoding::load(folder.path()); }), HasSubstr("iat.json")) << text;
    }
}

}  // namespace
}  // namespace tracebench::ssm
