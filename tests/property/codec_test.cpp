// Whatever the packet: nPrint, NetDiffusion's image and NetSSM's tokens give back what they were given.

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <unistd.h>

#include <filesystem>

#include "base/file.h"
#include "base/random.h"
#include "traffic/capture_reader.h"
#include "traffic/headers.h"
#include "traffic/nprint.h"
#include "traffic/nprint_capture.h"
#include "traffic/nprint_image.h"
#include "traffic/nprint_text.h"
#include "traffic/packet_builder.h"
#include "traffic/tokenizer.h"

namespace tracebench {
namespace {

namespace fs = std::filesystem;

/// A file of its own for the test that runs, removed at the end.
class TemporaryFile {
  public:
    explicit TemporaryFile(const char* name)
        : path_(fs::path(testing::TempDir()) /
                (std::string(testing::UnitTest::GetInstance()->current_test_info()->name()) +
                 std::to_string(::getpid()) + name)) {}
    ~TemporaryFile() { fs::remove(path_); }
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;
    operator const fs::path&() const { return path_; }

  private:
    fs::path path_;
};

std::vector<std::uint8_t> any_frame(int version = 4) {
    PacketFields f;
    f.src.address.version = f.dst.address.version = static_cast<std::uint8_t>(version);
    for (int i = 0; i < (version == 4 ? 4 : 16); ++i) {
        f.src.address.bytes[static_cast<std::size_t>(i)] = *rc::gen::arbitrary<std::uint8_t>();
        f.dst.address.bytes[static_cast<std::size_t>(i)] = *rc::gen::arbitrary<std::uint8_t>();
    }
    f.src.port = *rc::gen::arbitrary<std::uint16_t>();
    f.dst.port = *rc::gen::arbitrary<std::uint16_t>();
    f.protocol = *rc::gen::element(ip_protocol::tcp, ip_protocol::udp,
                                   version == 4 ? ip_protocol::icmp : ip_protocol::tcp);
    f.ttl = *rc::gen::arbitrary<std::uint8_t>();
    f.tos = *rc::gen::arbitrary<std::uint8_t>();
    f.ip_id = *rc::gen::arbitrary<std::uint16_t>();
    f.dont_fragment = *rc::gen::arbitrary<bool>();
    f.sequence = *rc::gen::arbitrary<std::uint32_t>();
    f.tcp_flags = *rc::gen::arbitrary<std::uint8_t>();
    f.window = *rc::gen::arbitrary<std::uint16_t>();
    f.tcp_options.resize(*rc::gen::inRange<std::size_t>(0, 41), 1);
    f.icmp_type = *rc::gen::arbitrary<std::uint8_t>();
    f.icmp_rest = *rc::gen::arbitrary<std::uint32_t>();
    f.payload_length = *rc::gen::inRange<std::uint32_t>(0, 1400);
    f.payload.resize(f.payload_length, *rc::gen::arbitrary<std::uint8_t>());
    return build_packet(f);
}

PacketView view(const std::vector<std::uint8_t>& frame) {
    return {0, static_cast<std::uint32_t>(frame.size()), link_type::ethernet, 1, frame};
}

/// Bits drawn evenly: rapidcheck's own start small, with nothing but -1.
NprintRow any_row() {
    Random random(*rc::gen::arbitrary<std::uint64_t>());
    NprintRow row;
    for (auto& bit : row) bit = static_cast<std::int8_t>(static_cast<int>(random.below(3)) - 1);
    return row;
}

TEST(CodecProperty, NprintRowHoldsTheHeaders) {
    EXPECT_TRUE(rc::check("packet -> row -> packet", [] {
        const auto frame = any_frame();
        const Headers h = dissect(view(frame));
        NprintRow row;
        RC_ASSERT(nprint_row(view(frame), h, row));
        const auto back = nprint_packet(row);
        RC_ASSERT(back.has_value());
        RC_ASSERT(std::equal(back->bytes.begin(), back->bytes.end(), frame.begin() + 14,
                             frame.begin() + h.payload_offset));
        RC_ASSERT(back->original_length + 14 == frame.size());
    }));
}

TEST(CodecProperty, NprintOfAnyBytesIsARow) {
    EXPECT_TRUE(rc::check("any bytes, any link type", [] {
        const auto bytes = *rc::gen::arbitrary<std::vector<std::uint8_t>>();
        PacketView packet = view(bytes);
        packet.link = *rc::gen::element(link_type::ethernet, link_type::raw_ip, link_type::linux_sll,
                                        link_type::radiotap, link_type::null_loopback);
        NprintRow row;
        nprint_row(packet, dissect(packet), row);
        for (const std::int8_t bit : row) RC_ASSERT(bit >= -1 && bit <= 1);
        NprintTextWriter writer("/dev/null");
        writer.write(packet);
        writer.commit();
    }));
}

TEST(CodecProperty, NprintTextComesBackThroughACapture) {
    const TemporaryFile text("a.npt"), capture("b.pcap"), again("c.npt");
    EXPECT_TRUE(rc::check("text -> capture -> text", [&] {
        NprintTextWriter first(text);
        for (int i = *rc::gen::inRange(0, 4); i >= 0; --i) {
            const auto frame = any_frame();
            first.write(view(frame));
        }
        first.commit();
        NprintTextReader reader(text);
        NprintCaptureWriter back(capture, reader.present());
        NprintRow row;
        while (reader.next(row)) RC_ASSERT(back.write(row));
        back.commit();
        NprintTextWriter second(again);
        CaptureReader packets(capture);
        PacketView packet;
        while (packets.next(packet)) RC_ASSERT(second.write(packet));
        second.commit();
        RC_ASSERT(read_file(text) == read_file(again));
    }));
}

TEST(CodecProperty, AnyRowMakesAPacketOrNone) {
    EXPECT_TRUE(rc::check("junk rows", [] {
        const NprintRow row = any_row();
        const auto packet = nprint_packet(row);
        RC_ASSERT(packet.has_value());
        RC_ASSERT(packet->bytes.size() >= 20U && packet->bytes.size() <= 120U);
        RC_ASSERT(packet->original_length >= packet->bytes.size());
    }));
}

TEST(CodecProperty, ImageIsLossless) {
    const TemporaryFile file("a.png");
    for (const bool drop : {false, true}) {
        std::vector<NprintRow> rows;
        for (std::size_t i = 0; i < kNprintImageRows; ++i) {
            NprintRow& row = rows.emplace_back();
            for (std::size_t c = 0; c < row.size(); ++c)
                row[c] = static_cast<std::int8_t>((i * 31 + c * c + c / 7) % 3) - 1;
        }
        write_nprint_image(file, rows, drop);
        const NprintImage back = read_nprint_image(file);
        ASSERT_EQ(back.rows.size(), rows.size());
        for (std::size_t i = 0; i < rows.size(); ++i)
            for (std::size_t c = 0; c < kNprintColumns; ++c)
                ASSERT_EQ(back.rows[i][c], back.present[c] ? rows[i][c] : -1)
                    << "row " << i << " column " << c;
    }
}

TEST(CodecProperty, TokensHoldTheHeaders) {
    const Tokenizer tokenizer = Tokenizer::make(std::vector<std::string>{"a"});
    EXPECT_TRUE(rc::check("packet -> tokens -> text -> packet", [&] {
        const auto frame = any_frame(*rc::gen::element(4, 6));
        const Headers h = dissect(view(frame));
        RC_PRE(h.has_tcp() || h.has_udp());
        const std::vector<TokenPacket> packets(3, token_packet(view(frame)).value());
        const GeneratedPackets generated = parse_generated(tokenizer.decode(tokenizer.encode("a", packets)));
        RC_ASSERT(generated.packets.size() == 1U);  // the first and the last are left out
        const TokenFrame back = token_frame(generated.packets[0]);
        RC_ASSERT(back.original_length == frame.size());
        RC_ASSERT(back.bytes.size() >= h.payload_offset);
        RC_ASSERT(std::equal(back.bytes.begin(), back.bytes.end(), frame.begin()));
    }));
}

}  // namespace
}  // namespace tracebench
