#include "traffic/nprint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "base/file.h"
#include "traffic/capture_reader.h"
#include "traffic/nprint_capture.h"
#include "traffic/nprint_text.h"

namespace tracebench {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;

const fs::path golden = fs::path(TRACEBENCH_SOURCE_DIR) / "tests/golden/nprint";

/// Frames of golden/nprint/make_capture.py, from 1.
enum Frame : std::size_t {
    with_tcp = 1,
    with_udp,
    with_icmp,
    with_ipv6,
    icmpv6,
    arp,
    vlan,
    gre,
    fragment,
    cut
};

class NprintTest : public testing::Test {
  protected:
    void SetUp() override { fs::create_directories(folder_); }
    void TearDown() override { fs::remove_all(folder_); }

    fs::path text(const std::string& content) const {
        write_file(folder_ / "in.npt", content);
        return folder_ / "in.npt";
    }

    const fs::path folder_ =
        fs::path(testing::TempDir()) /
        (testing::UnitTest::GetInstance()->current_test_info()->name() + std::to_string(::getpid()));
};

struct Row {
    NprintRow bits;
    bool found;
};

Row row_of(std::size_t frame) {
    const Trace trace = read_trace(golden / "capture.pcap");
    const PacketView& packet = trace.packets.at(frame - 1);
    Row row{};
    row.found = nprint_row(packet, dissect(packet), row.bits);
    return row;
}

/// The field's bits as text: `0100`, and `-` for a bit that is absent.
std::string bits(const NprintRow& row, std::string_view field) {
    const NprintField& f = *find_nprint_field(field);
    std::string text;
    for (std::size_t i = 0; i < f.width; ++i)
        text += row[f.first + i] < 0 ? '-' : row[f.first + i] > 0 ? '1' : '0';
    return text;
}

TEST_F(NprintTest, LayoutIsThePublishedOne) {
    const auto fields = nprint_fields();
    EXPECT_EQ(fields.size(), 42U);
    EXPECT_EQ(nprint_column_name(0), "ipv4_ver_0");
    EXPECT_EQ(nprint_column_name(480), "tcp_sprt_0");
    EXPECT_EQ(nprint_column_name(960), "udp_sport_0");
    EXPECT_EQ(nprint_column_name(1024), "icmp_type_0");
    EXPECT_EQ(nprint_column_name(1087), "icmp_roh_31");
    EXPECT_TRUE(find_nprint_field("udp_dport")->identifier);
    EXPECT_TRUE(find_nprint_field("tcp_seq")->counter);
    EXPECT_TRUE(find_nprint_field("icmp_cksum")->checksum);
    EXPECT_EQ(find_nprint_field("ipv6_ver"), nullptr);
}

TEST_F(NprintTest, TextEqualsNprintsOwn) {
    CaptureReader reader(golden / "capture.pcap");
    NprintTextWriter writer(folder_ / "out.npt");
    PacketView packet;
    std::vector<std::uint64_t> skipped;
    while (reader.next(packet))
        if (!writer.write(packet)) skipped.push_back(packet.frame);
    writer.commit();
    EXPECT_TRUE(read_file(folder_ / "out.npt") == read_file(golden / "expected.npt"));
    EXPECT_THAT(skipped, ElementsAre(icmpv6, arp, vlan, gre, 11));
    EXPECT_EQ(writer.overread(), 1U);
}

TEST_F(NprintTest, RowOfTcp) {
    const Row row = row_of(with_tcp);
    EXPECT_TRUE(row.found);
    EXPECT_EQ(bits(row.bits, "ipv4_ver"), "0100");
    EXPECT_EQ(bits(row.bits, "ipv4_hl"), "0101");
    EXPECT_EQ(bits(row.bits, "ipv4_dfbit"), "1");
    EXPECT_EQ(bits(row.bits, "ipv4_ttl"), "01000000");
    EXPECT_EQ(bits(row.bits, "ipv4_opt"), std::string(320, '-'));
    EXPECT_EQ(bits(row.bits, "tcp_dprt"), "0000000110111011");
    EXPECT_EQ(bits(row.bits, "tcp_doff"), "1010");
    EXPECT_EQ(bits(row.bits, "tcp_psh"), "1");
    EXPECT_EQ(bits(row.bits, "tcp_syn"), "0");
    EXPECT_EQ(bits(row.bits, "tcp_opt").substr(0, 32), "00000010000001000000010110110100");
    EXPECT_EQ(bits(row.bits, "tcp_opt").substr(160), std::string(160, '-'));
    EXPECT_EQ(bits(row.bits, "udp_sport"), std::string(16, '-'));
}

TEST_F(NprintTest, RowOfOthers) {
    EXPECT_EQ(bits(row_of(with_udp).bits, "udp_len"), "0000000000001100");
    EXPECT_EQ(bits(row_of(with_udp).bits, "tcp_fin"), "-");
    EXPECT_EQ(bits(row_of(with_icmp).bits, "icmp_type"), "00001000");
    EXPECT_EQ(bits(row_of(with_icmp).bits, "ipv4_opt").substr(0, 40),
              "10010100000001000000000000000000--------");
    EXPECT_EQ(bits(row_of(with_ipv6).bits, "ipv4_ver"), "----");
    EXPECT_EQ(bits(row_of(with_ipv6).bits, "tcp_psh"), "1");
    EXPECT_FALSE(row_of(icmpv6).found);
    EXPECT_FALSE(row_of(arp).found);
}

TEST_F(NprintTest, DissectionFindsWhatNprintDoesNot) {
    EXPECT_EQ(bits(row_of(vlan).bits, "tcp_sprt"), "1100001111000000");
    EXPECT_EQ(bits(row_of(gre).bits, "ipv4_proto"), "00101111");
    EXPECT_EQ(bits(row_of(fragment).bits, "udp_sport"), std::string(16, '-'));
    // 64 bytes of the frame: 10 of the 20 option bytes.
    EXPECT_EQ(bits(row_of(cut).bits, "tcp_opt").substr(72, 16), "00000000--------");
}

TEST_F(NprintTest, PacketComesBack) {
    const Trace trace = read_trace(golden / "capture.pcap");
    const auto packet = nprint_packet(row_of(with_tcp).bits);
    ASSERT_TRUE(packet);
    const auto original = trace.packets[with_tcp - 1].bytes.subspan(14, 60);
    EXPECT_THAT(packet->bytes, ElementsAreArray(original.begin(), original.end()));
    EXPECT_EQ(packet->ipv4_length, 20U);
    EXPECT_EQ(packet->transport, ip_protocol::tcp);
    EXPECT_EQ(packet->original_length, 76U);
    EXPECT_FALSE(nprint_packet(row_of(with_ipv6).bits));
}

TEST_F(NprintTest, HalfAHeaderIsPaddedWithZeros) {
    NprintRow row;
    row.fill(-1);
    row[1] = 1;  // version 4 is all there is of IPv4
    row[find_nprint_field("udp_cksum")->first] = 1;
    row[find_nprint_field("icmp_type")->first] = 0;
    const auto packet = nprint_packet(row);
    ASSERT_TRUE(packet);
    std::vector<std::uint8_t> expected(28);
    expected[0] = 0x40;
    expected[26] = 0x80;
    EXPECT_THAT(packet->bytes, ElementsAreArray(expected));  // UDP: the first that is there
    EXPECT_EQ(packet->original_length, 28U);
}

TEST_F(NprintTest, TextBecomesACapture) {
    NprintTextReader reader(golden / "expected.npt");
    NprintCaptureWriter writer(folder_ / "out.pcap", reader.present());
    NprintRow row;
    int written = 0, left_out = 0;
    while (reader.next(row)) ++(writer.write(row, reader.time_ns()) ? written : left_out);
    writer.commit();
    EXPECT_EQ(written, 5);
    EXPECT_EQ(left_out, 1);  // IPv6
    EXPECT_TRUE(writer.filled().empty());
    const Trace out = read_trace(folder_ / "out.pcap"), in = read_trace(golden / "capture.pcap");
    const auto back = out.packets[0].bytes.subspan(14), original = in.packets[0].bytes.subspan(14, 60);
    EXPECT_TRUE(std::equal(back.begin(), back.end(), original.begin(), original.end()));
    EXPECT_EQ(out.packets[0].original_length, in.packets[0].original_length);
    EXPECT_EQ(out.packets[1].time_ns, NprintCaptureWriter::gap_ns);
}

TEST_F(NprintTest, ReadsColumnsInAnyOrderAndTimes) {
    NprintTextReader reader(
        text("src_ip,tv_sec,tv_usec,udp_len_1,payload_bit_0,ipv4_ver_1\r\n192.0.2.1,5,7,1,1,-1\r\nx,6,0,0.0,"
             "1,1.0\r\n\r\n"));
    EXPECT_THAT(reader.ignored(), ElementsAre("payload_bit_0"));
    EXPECT_EQ(std::count(reader.present().begin(), reader.present().end(), true), 2);
    NprintRow row;
    ASSERT_TRUE(reader.next(row));
    EXPECT_EQ(bits(row, "udp_len"), "-1--------------");
    EXPECT_EQ(bits(row, "ipv4_ver"), "----");
    EXPECT_EQ(reader.time_ns(), 5'000'007'000);
    ASSERT_TRUE(reader.next(row));
    EXPECT_EQ(bits(row, "udp_len"), "-0--------------");
    EXPECT_EQ(bits(row, "ipv4_ver"), "-1--");
    EXPECT_EQ(reader.time_ns(), 6'000'000'000);
    EXPECT_FALSE(reader.next(row));
}

TEST_F(NprintTest, RelativeTimesAddUp) {
    NprintTextReader reader(text("src_ip,rts,ipv4_ver_0\nx,0,0\nx,250,0\nx,-50,0\n"));
    NprintRow row;
    std::vector<std::int64_t> times;
    while (reader.next(row)) times.push_back(*reader.time_ns());
    EXPECT_THAT(times, ElementsAre(0, 250'000, 200'000));
}

TEST_F(NprintTest, MissingColumnsAreFilledIn) {
    // Protocol, version and so on are not there: only one bit of UDP and one of the IPv4 ID.
    NprintTextReader reader(text("ipv4_id_15,udp_sport_15\n1,1\n"));
    NprintCaptureWriter writer(folder_ / "out.pcap", reader.present());
    NprintRow row;
    ASSERT_TRUE(reader.next(row));
    ASSERT_TRUE(writer.write(row));
    writer.commit();
    EXPECT_THAT(writer.filled(), ElementsAre("ipv4_ver", "ipv4_hl", "ipv4_tl", "ipv4_ttl", "ipv4_proto",
                                             "ipv4_src", "ipv4_dst"));
    const Trace trace = read_trace(folder_ / "out.pcap");
    // The checksum was computed apart, in Python.
    EXPECT_THAT(
        std::vector<std::uint8_t>(trace.packets[0].bytes.begin() + 14, trace.packets[0].bytes.end()),
        ElementsAreArray({0x45, 0, 0, 28, 0, 1, 0, 0, 64, 17, 0x8E, 0x9A, 192, 0, 2, 1, 198, 51, 100, 1,  //
                          0,    1, 0, 0,  0, 0, 0, 0}));
}

TEST_F(NprintTest, ErrorsNameLineAndColumn) {
    const auto message = [&](const std::string& content) -> std::string {
        try {
            NprintTextReader reader(text(content));
            NprintRow row;
            while (reader.next(row)) continue;
        } catch (const InputError& error) {
            return error.what();
        }
        return "read without an error";
    };
    EXPECT_THAT(message(""), HasSubstr("is empty"));
    EXPECT_THAT(message("a,b\n1,0\n"), HasSubstr("line 1: names no nPrint column"));
    EXPECT_THAT(message("ipv4_ver_0,ipv4_ver_0\n"), HasSubstr("line 1: names column ipv4_ver_0 twice"));
    EXPECT_THAT(message("src_ip,ipv4_ver_0\nx,2\n"),
                HasSubstr("line 2: column ipv4_ver_0 holds '2'; 1, 0 or -1 was expected"));
    EXPECT_THAT(message("src_ip,ipv4_ver_0\nx,1\nx\n"),
                HasSubstr("line 3: has 1 columns, the header line names 2"));
    EXPECT_THAT(message("src_ip,ipv4_ver_0\nx,1,1\n"),
                HasSubstr("line 2: has 3 columns, the header line names 2"));
    EXPECT_THAT(message("rts,ipv4_ver_0\n99999999999,1\n"),
                HasSubstr("line 2: column rts holds '99999999999'"));
    EXPECT_THAT(message("ipv4_ver_0\n" + std::string(2 << 20, '1')), HasSubstr("line 2: is longer than"));
    EXPECT_THAT(message(std::string("ipv4_ver_0\n1\0\n", 14)), HasSubstr("holds '1\\x00'"));
    EXPECT_THROW(NprintTextReader reader(folder_), InputError);
    EXPECT_THROW(NprintTextReader reader(folder_ / "nothing"), InputError);
}

}  // namespace
}  // namespace tracebench
